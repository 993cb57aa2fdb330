#include "simulator/html.hpp"

#include <fmt/format.h>

namespace latchkey::simulator {
namespace {

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ink:#1f1f1f;--soft:#5f6368;--line:#dadce0;--page:#f0f4f9;--card:#fff;--accent:#0b57d0;--on:#fff;--hover:#f6f8fc}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#bdc1c6;--line:#5f6368;--page:#131314;--card:#1f1f1f;--accent:#a8c7fa;--on:#062e6f;--hover:#2a2b2e}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;justify-content:center;gap:16px;padding:16px;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{width:100%;max-width:460px;background:var(--card);border-radius:24px;padding:32px}
h1{font-size:26px;line-height:1.25;font-weight:500;margin:12px 0 8px;overflow-wrap:anywhere}
p{margin:0 0 16px;color:var(--soft);overflow-wrap:anywhere}
footer,.mark{color:var(--soft);font-size:13px}
ul{list-style:none;margin:0 0 16px;padding:0}
li{border-top:1px solid var(--line)}
li:last-child{border-bottom:1px solid var(--line)}
.account,.permission{display:flex;align-items:center;gap:12px;width:100%;padding:12px 8px;background:none;border:0;color:inherit;font:inherit;text-align:left}
.account{cursor:pointer}.account:hover,label.permission:hover{background:var(--hover)}
.account span span{display:block}.account .email{color:var(--soft);font-size:14px}
.face{flex:none;width:36px;height:36px;border-radius:50%;background:var(--accent);color:var(--on);display:grid;place-items:center;font-weight:600}
.chip{display:inline-block;border:1px solid var(--line);border-radius:999px;padding:4px 14px;margin-bottom:16px;font-size:14px;overflow-wrap:anywhere}
input[type=checkbox]{flex:none;width:20px;height:20px;accent-color:var(--accent)}
.choices{display:flex;justify-content:flex-end;gap:12px;margin-top:24px}
.choices button{font:inherit;font-weight:500;min-height:44px;padding:0 24px;border-radius:999px;border:1px solid var(--line);background:none;color:var(--accent);cursor:pointer}
.choices .primary{background:var(--accent);border-color:var(--accent);color:var(--on)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
)";

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string InitialHtml(std::string_view name) {
  std::size_t size = 1;
  while (size < name.size() && (static_cast<unsigned char>(name[size]) & 0xC0) == 0x80) ++size;
  return EscapeHtml(name.substr(0, size));
}

std::string HtmlPage(std::string_view provider, std::string_view title, std::string_view content) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<link rel=\"icon\" href=\"data:,\"><title>{}</title><style>{}</style></head>\n"
      "<body><main><div class=\"mark\">{} accounts, simulated</div>\n{}</main>\n"
      "<footer>Nobody here is real. This page stands in for {} on this machine.</footer></body></html>\n",
      EscapeHtml(title), kStyle, provider, content, provider);
}

}  // namespace latchkey::simulator
