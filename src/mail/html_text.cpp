#include "mail/html_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "mail/charset.hpp"

namespace latchkey::mail {
namespace {

struct Entity {
  std::string_view name;
  std::uint32_t code;
};

/// Sorted by name. The references that mail uses; others stay as written.
constexpr Entity kEntities[] = {
    {"AElig", 0xC6},    {"Aacute", 0xC1},   {"Acirc", 0xC2},   {"Agrave", 0xC0},   {"Aring", 0xC5},
    {"Atilde", 0xC3},   {"Auml", 0xC4},     {"Ccedil", 0xC7},  {"Eacute", 0xC9},   {"Ecirc", 0xCA},
    {"Egrave", 0xC8},   {"Euml", 0xCB},     {"Iacute", 0xCD},  {"Icirc", 0xCE},    {"Igrave", 0xCC},
    {"Iuml", 0xCF},     {"Ntilde", 0xD1},   {"OElig", 0x152},  {"Oacute", 0xD3},   {"Ocirc", 0xD4},
    {"Ograve", 0xD2},   {"Oslash", 0xD8},   {"Otilde", 0xD5},  {"Ouml", 0xD6},     {"Scaron", 0x160},
    {"Uacute", 0xDA},   {"Ucirc", 0xDB},    {"Ugrave", 0xD9},  {"Uuml", 0xDC},     {"Yacute", 0xDD},
    {"Zcaron", 0x17D},  {"aacute", 0xE1},   {"acirc", 0xE2},   {"acute", 0xB4},    {"aelig", 0xE6},
    {"agrave", 0xE0},   {"amp", '&'},       {"apos", '\''},    {"aring", 0xE5},    {"atilde", 0xE3},
    {"auml", 0xE4},     {"bdquo", 0x201E},  {"bull", 0x2022},  {"ccedil", 0xE7},   {"cent", 0xA2},
    {"colon", ':'},     {"copy", 0xA9},     {"darr", 0x2193},  {"deg", 0xB0},      {"divide", 0xF7},
    {"eacute", 0xE9},   {"ecirc", 0xEA},    {"egrave", 0xE8},  {"emsp", 0x2003},   {"ensp", 0x2002},
    {"euml", 0xEB},     {"euro", 0x20AC},   {"frac12", 0xBD},  {"frac14", 0xBC},   {"gt", '>'},
    {"hearts", 0x2665}, {"hellip", 0x2026}, {"iacute", 0xED},  {"icirc", 0xEE},    {"iexcl", 0xA1},
    {"igrave", 0xEC},   {"iquest", 0xBF},   {"iuml", 0xEF},    {"laquo", 0xAB},    {"larr", 0x2190},
    {"ldquo", 0x201C},  {"lsaquo", 0x2039}, {"lsquo", 0x2018}, {"lt", '<'},        {"mdash", 0x2014},
    {"micro", 0xB5},    {"middot", 0xB7},   {"nbsp", 0xA0},    {"ndash", 0x2013},  {"newline", '\n'},
    {"ntilde", 0xF1},   {"oacute", 0xF3},   {"ocirc", 0xF4},   {"oelig", 0x153},   {"ograve", 0xF2},
    {"ordf", 0xAA},     {"ordm", 0xBA},     {"oslash", 0xF8},  {"otilde", 0xF5},   {"ouml", 0xF6},
    {"para", 0xB6},     {"plusmn", 0xB1},   {"pound", 0xA3},   {"quot", '"'},      {"raquo", 0xBB},
    {"rarr", 0x2192},   {"rdquo", 0x201D},  {"reg", 0xAE},     {"rsaquo", 0x203A}, {"rsquo", 0x2019},
    {"sbquo", 0x201A},  {"scaron", 0x161},  {"sect", 0xA7},    {"shy", 0xAD},      {"szlig", 0xDF},
    {"thinsp", 0x2009}, {"tilde", 0x2DC},   {"times", 0xD7},   {"trade", 0x2122},  {"uacute", 0xFA},
    {"uarr", 0x2191},   {"ucirc", 0xFB},    {"ugrave", 0xF9},  {"uuml", 0xFC},     {"yacute", 0xFD},
    {"yen", 0xA5},      {"yuml", 0xFF},     {"zcaron", 0x17E}, {"zwj", 0x200D},    {"zwnj", 0x200C},
};

void AppendCodePoint(std::uint32_t code, std::string& out) {
  // HTML's numeric references 128 to 159 mean windows-1252.
  static constexpr std::uint16_t kC1[32] = {0x20AC, 0x81,   0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021,
                                            0x2C6,  0x2030, 0x160,  0x2039, 0x152,  0x8D,   0x17D,  0x8F,
                                            0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                            0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0x9D,   0x17E,  0x178};
  if (code >= 0x80 && code < 0xA0) code = kC1[code - 0x80];
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = 0xFFFD;
  AppendUtf8(out, code);
}

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsNameChar(char c) { return IsLetter(c) || (c >= '0' && c <= '9'); }

/// Elements whose content is no text of the message.
bool IsSilent(std::string_view name) {
  static constexpr std::string_view kNames[] = {"script", "style", "title", "template", "noscript", "svg", "math"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

bool IsBlock(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "p",       "div",     "br",     "tr",     "li",     "ul",   "ol",     "table",  "blockquote", "pre",
      "h1",      "h2",      "h3",     "h4",     "h5",     "h6",   "hr",     "dl",     "dt",         "dd",
      "section", "article", "header", "footer", "center", "form", "figure", "address"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

/// Collects text with blanks collapsed and at most one empty line between blocks.
class TextSink {
 public:
  TextSink(std::string& out, std::size_t limit) : out_(out), limit_(limit) {}
  bool full() const { return out_.size() >= limit_; }

  void Text(std::string_view text) {
    for (const char c : text) {
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
        blank_ = true;
      } else {
        Flush();
        out_ += c;
      }
    }
  }
  void Block() { breaks_ = std::min(breaks_ + 1, 2); }

 private:
  void Flush() {
    if (out_.empty()) {
      breaks_ = 0;
      blank_ = false;
    }
    if (breaks_ > 0) {
      out_.append(static_cast<std::size_t>(breaks_), '\n');
    } else if (blank_) {
      out_ += ' ';
    }
    breaks_ = 0;
    blank_ = false;
  }

  std::string& out_;
  std::size_t limit_;
  int breaks_ = 0;
  bool blank_ = false;
};

/// Position of `</name` at or after `from`, compared without case; npos when absent. `lower_close` is "</name".
std::size_t FindClose(std::string_view html, std::size_t from, std::string_view lower_close) {
  for (std::size_t at = html.find("</", from); at != std::string_view::npos; at = html.find("</", at + 2)) {
    if (AsciiEqualsIgnoreCase(html.substr(at, lower_close.size()), lower_close)) return at;
  }
  return std::string_view::npos;
}

/// End of the tag that begins at `from`, past its '>', quotes respected; the end of the text when it is not closed.
std::size_t TagEnd(std::string_view html, std::size_t from) {
  char quote = 0;
  for (std::size_t i = from; i < html.size(); ++i) {
    const char c = html[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if ((c == '"' || c == '\'') && html[i - 1] == '=') {
      quote = c;
    } else if (c == '>') {
      return i + 1;
    }
  }
  return html.size();
}

}  // namespace

std::size_t DecodeEntity(std::string_view text, std::string& out) {
  if (text.size() < 3 || text[0] != '&') return 0;
  if (text[1] == '#') {
    const bool hex = text[2] == 'x' || text[2] == 'X';
    std::size_t i = hex ? 3 : 2;
    const std::size_t begin = i;
    std::uint32_t code = 0;
    for (; i < text.size() && i < begin + 16; ++i) {
      const char c = text[i];
      std::uint32_t digit = 0;
      if (c >= '0' && c <= '9') {
        digit = static_cast<std::uint32_t>(c - '0');
      } else if (hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) {
        digit = static_cast<std::uint32_t>((c | 0x20) - 'a' + 10);
      } else {
        break;
      }
      code = code > 0x10FFFF ? code : code * (hex ? 16 : 10) + digit;
    }
    if (i == begin) return 0;
    AppendCodePoint(code, out);
    return i < text.size() && text[i] == ';' ? i + 1 : i;
  }
  std::size_t end = 1;
  while (end < text.size() && end < 9 && IsNameChar(text[end])) ++end;
  const std::string_view name = text.substr(1, end - 1);
  const auto* found = std::lower_bound(std::begin(kEntities), std::end(kEntities), name,
                                       [](const Entity& entity, std::string_view key) { return entity.name < key; });
  if (found == std::end(kEntities) || found->name != name) return 0;
  const bool closed = end < text.size() && text[end] == ';';
  // "&copy=1" in an address is no reference; without the semicolon only the oldest names count.
  if (!closed && !(name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "nbsp")) return 0;
  AppendCodePoint(found->code, out);
  return closed ? end + 1 : end;
}

std::string UnescapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '&') {
      if (const std::size_t used = DecodeEntity(text.substr(i, 24), out); used > 0) {
        i += used;
        continue;
      }
    }
    out += text[i++];
  }
  return CleanUtf8(std::move(out));
}

std::string HtmlToText(std::string_view html, std::size_t max_output_bytes) {
  std::string out;
  out.reserve(std::min(html.size() / 2 + 16, max_output_bytes + 64));
  TextSink sink(out, max_output_bytes);
  std::string decoded;
  for (std::size_t i = 0; i < html.size() && !sink.full();) {
    const char c = html[i];
    if (c == '&') {
      decoded.clear();
      const std::size_t used = DecodeEntity(html.substr(i, 24), decoded);
      if (used > 0) {
        // A hard space is a blank for searching; invisible joints are nothing.
        if (decoded == "\xC2\xA0") decoded = " ";
        if (decoded != "\xC2\xAD" && decoded != "\xE2\x80\x8C" && decoded != "\xE2\x80\x8D") sink.Text(decoded);
        i += used;
        continue;
      }
      sink.Text("&");
      ++i;
      continue;
    }
    if (c != '<') {
      std::size_t end = html.find_first_of("<&", i);
      if (end == std::string_view::npos) end = html.size();
      // In pieces, so that the limit holds without looking at every byte.
      end = std::min(end, i + 4096);
      sink.Text(html.substr(i, end - i));
      i = end;
      continue;
    }
    if (html.substr(i, 4) == "<!--") {
      const std::size_t end = html.find("-->", i + 4);
      i = end == std::string_view::npos ? html.size() : end + 3;
      continue;
    }
    const bool closing = i + 1 < html.size() && html[i + 1] == '/';
    std::size_t name_begin = i + (closing ? 2 : 1);
    if (name_begin >= html.size() ||
        !(IsLetter(html[name_begin]) || html[name_begin] == '!' || html[name_begin] == '?')) {
      sink.Text("<");
      ++i;
      continue;
    }
    std::size_t name_end = name_begin;
    while (name_end < html.size() && name_end < name_begin + 16 && IsNameChar(html[name_end])) ++name_end;
    const std::string name = AsciiLower(html.substr(name_begin, name_end - name_begin));
    i = TagEnd(html, name_begin);
    if (IsBlock(name)) {
      sink.Block();
    } else if (name == "td" || name == "th") {
      sink.Text(" ");
    }
    if (!closing && IsSilent(name)) {
      const std::size_t close = FindClose(html, i, "</" + name);
      i = close == std::string_view::npos ? html.size() : close;
    }
  }
  out = CleanUtf8(std::move(out));
  TruncateUtf8(out, max_output_bytes);
  return out;
}

}  // namespace latchkey::mail
