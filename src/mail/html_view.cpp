#include "mail/html_view.hpp"

#include <algorithm>
#include <array>

#include "base/encoding.hpp"
#include "mail/charset.hpp"
#include "mail/css_filter.hpp"
#include "mail/html_text.hpp"

namespace latchkey::mail {
namespace {

constexpr std::size_t kMaxDepth = 200;
constexpr std::size_t kMaxAttributes = 64;
constexpr std::size_t kMaxUrlBytes = 8 << 10;
constexpr std::size_t kMaxDataImageBytes = 256 << 10;

template <std::size_t N>
bool Contains(const std::array<std::string_view, N>& sorted, std::string_view name) {
  return std::binary_search(sorted.begin(), sorted.end(), name);
}

/// Elements that may appear in the result. All of them show, none of them loads.
constexpr std::array<std::string_view, 72> kAllowed = {
    "a",          "abbr",    "address", "article", "aside", "b",      "bdi",    "bdo",      "big",
    "blockquote", "br",      "caption", "center",  "cite",  "code",   "col",    "colgroup", "dd",
    "del",        "details", "dfn",     "dir",     "div",   "dl",     "dt",     "em",       "figcaption",
    "figure",     "font",    "footer",  "h1",      "h2",    "h3",     "h4",     "h5",       "h6",
    "header",     "hr",      "i",       "img",     "ins",   "kbd",    "li",     "main",     "mark",
    "menu",       "nav",     "ol",      "p",       "pre",   "q",      "rp",     "rt",       "ruby",
    "s",          "samp",    "section", "small",   "span",  "strike", "strong", "sub",      "summary",
    "sup",        "table",   "tbody",   "td",      "tfoot", "th",     "thead",  "tr",       "tt"};
constexpr std::array<std::string_view, 4> kAllowedLate = {"u", "ul", "var", "wbr"};
constexpr std::array<std::string_view, 5> kVoid = {"br", "col", "hr", "img", "wbr"};
/// Elements that go with everything inside them: scripts, raw text, foreign content (whose parsing differs), frames.
constexpr std::array<std::string_view, 19> kDropped = {
    "applet", "audio",  "canvas", "frameset", "iframe",   "math",  "noembed", "noframes", "noscript", "object",
    "script", "select", "svg",    "template", "textarea", "title", "video",   "xml",      "xmp"};
/// Attributes every element may have, besides style, href and src, which are checked by meaning.
constexpr std::array<std::string_view, 33> kAttributes = {
    "abbr",   "align",  "alt",   "axis",    "bgcolor", "border",  "cellpadding", "cellspacing", "char",
    "class",  "clear",  "color", "cols",    "colspan", "compact", "dir",         "face",        "headers",
    "height", "hspace", "lang",  "noshade", "nowrap",  "open",    "role",        "rowspan",     "rules",
    "scope",  "size",   "span",  "start",   "title",   "type"};
constexpr std::array<std::string_view, 5> kAttributesLate = {"valign", "value", "vspace", "width", "cite-none"};

static_assert(std::is_sorted(kAllowed.begin(), kAllowed.end()));
static_assert(std::is_sorted(kDropped.begin(), kDropped.end()));
static_assert(std::is_sorted(kAttributes.begin(), kAttributes.end()));

bool IsAllowed(std::string_view name) {
  return Contains(kAllowed, name) || std::find(kAllowedLate.begin(), kAllowedLate.end(), name) != kAllowedLate.end();
}
bool IsAllowedAttribute(std::string_view name) {
  return Contains(kAttributes, name) ||
         std::find(kAttributesLate.begin(), kAttributesLate.end(), name) != kAttributesLate.end();
}

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

void AppendEscaped(std::string& out, std::string_view text) {
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t at = text.find_first_of("&<>\"'`", from);
    out.append(text.substr(from, at == std::string_view::npos ? at : at - from));
    if (at == std::string_view::npos) return;
    switch (text[at]) {
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
        out += "&#96;";
    }
    from = at + 1;
  }
}

struct Attribute {
  std::string name;
  std::string value;
};

struct Tag {
  std::string name;
  bool closing = false;
  std::vector<Attribute> attributes;
};

/// A link's target as the browser would read it, with blanks and controls gone: "java\tscript:" is still a script.
std::string CompactUrl(std::string_view value) {
  std::string out;
  for (const char c : value.substr(0, kMaxUrlBytes)) {
    if (static_cast<unsigned char>(c) > ' ' && c != 0x7F) out += c;
  }
  return out;
}

bool HasScheme(std::string_view url, std::string_view scheme) {
  return AsciiEqualsIgnoreCase(url.substr(0, scheme.size()), scheme);
}

class Filter {
 public:
  Filter(std::string_view html, const HtmlViewOptions& options) : html_(html), options_(options) {}

  HtmlView Run() {
    HtmlView view;
    view.truncated = html_.size() > options_.max_input_bytes;
    html_ = html_.substr(0, options_.max_input_bytes);
    out_.reserve(html_.size() + html_.size() / 4 + 1024);
    while (at_ < html_.size()) Step();
    while (!open_.empty()) CloseTop();
    view.blocked_images = blocked_images_;
    view.document = std::move(out_);
    return view;
  }

 private:
  void Step() {
    if (html_[at_] != '<') {
      std::size_t end = html_.find('<', at_);
      if (end == std::string_view::npos) end = html_.size();
      Text(html_.substr(at_, end - at_));
      at_ = end;
      return;
    }
    if (html_.substr(at_, 4) == "<!--") return SkipComment();
    const char next = at_ + 1 < html_.size() ? html_[at_ + 1] : '\0';
    if (next == '!' || next == '?') return SkipPast('>');
    const bool closing = next == '/';
    const std::size_t name_at = at_ + (closing ? 2 : 1);
    if (name_at >= html_.size() || !IsLetter(html_[name_at])) {
      // "</>" and "</ x>" are comments to a browser; "<3" is text.
      if (closing) return SkipPast('>');
      out_ += "&lt;";
      ++at_;
      return;
    }
    Tag tag = ReadTag(name_at, closing);
    Handle(tag);
  }

  void SkipPast(char stop) {
    const std::size_t end = html_.find(stop, at_);
    at_ = end == std::string_view::npos ? html_.size() : end + 1;
  }

  void SkipComment() {
    // "<!-->" and "<!--->" end at once, "--!>" ends as well (HTML standard, comment states).
    std::size_t i = at_ + 4;
    if (html_.substr(i, 1) == ">") {
      at_ = i + 1;
      return;
    }
    if (html_.substr(i, 2) == "->") {
      at_ = i + 2;
      return;
    }
    for (i = html_.find("--", i); i != std::string_view::npos; i = html_.find("--", i + 1)) {
      if (html_.substr(i + 2, 1) == ">") {
        at_ = i + 3;
        return;
      }
      if (html_.substr(i + 2, 2) == "!>") {
        at_ = i + 4;
        return;
      }
    }
    at_ = html_.size();
  }

  /// Text keeps the references it has; everything else of meaning to a parser is escaped.
  void Text(std::string_view text) {
    std::size_t from = 0;
    while (from < text.size()) {
      const std::size_t at = text.find_first_of(std::string_view("&>\0", 3), from);
      out_.append(text.substr(from, at == std::string_view::npos ? at : at - from));
      if (at == std::string_view::npos) return;
      if (text[at] == '>') {
        out_ += "&gt;";
      } else if (text[at] == '&') {
        scratch_.clear();
        if (const std::size_t used = DecodeEntity(text.substr(at, 24), scratch_); used > 0) {
          AppendEscaped(out_, scratch_);
          from = at + used;
          continue;
        }
        // An entity we do not know stays one: its name holds no character that matters.
        out_ += at + 1 < text.size() && IsLetter(text[at + 1]) ? "&" : "&amp;";
      }
      from = at + 1;
    }
  }

  Tag ReadTag(std::size_t name_at, bool closing) {
    Tag tag;
    tag.closing = closing;
    std::size_t i = name_at;
    while (i < html_.size() && !IsBlank(html_[i]) && html_[i] != '>' && html_[i] != '/') ++i;
    tag.name = AsciiLower(html_.substr(name_at, std::min<std::size_t>(i - name_at, 64)));
    while (i < html_.size()) {
      while (i < html_.size() && (IsBlank(html_[i]) || html_[i] == '/')) ++i;
      if (i >= html_.size()) break;
      if (html_[i] == '>') {
        ++i;
        break;
      }
      i = ReadAttribute(i, tag);
    }
    at_ = i;
    return tag;
  }

  std::size_t ReadAttribute(std::size_t i, Tag& tag) {
    const std::size_t begin = i;
    ++i;  // A leading '=' belongs to the name.
    while (i < html_.size() && !IsBlank(html_[i]) && html_[i] != '=' && html_[i] != '>' && html_[i] != '/') ++i;
    Attribute attribute;
    attribute.name = AsciiLower(html_.substr(begin, std::min<std::size_t>(i - begin, 64)));
    std::size_t after = i;
    while (after < html_.size() && IsBlank(html_[after])) ++after;
    if (after < html_.size() && html_[after] == '=') {
      i = after + 1;
      while (i < html_.size() && IsBlank(html_[i])) ++i;
      std::size_t value = i;
      std::size_t end = 0;
      if (i < html_.size() && (html_[i] == '"' || html_[i] == '\'')) {
        value = i + 1;
        end = html_.find(html_[i], value);
        if (end == std::string_view::npos) end = html_.size();
        i = std::min(end + 1, html_.size());
      } else {
        while (i < html_.size() && !IsBlank(html_[i]) && html_[i] != '>') ++i;
        end = i;
      }
      if (!tag.closing && tag.attributes.size() < kMaxAttributes) {
        attribute.value = UnescapeHtml(html_.substr(value, end - value));
      }
    }
    if (!tag.closing && tag.attributes.size() < kMaxAttributes) tag.attributes.push_back(std::move(attribute));
    return i;
  }

  void Handle(const Tag& tag) {
    if (tag.name == "plaintext") {
      at_ = html_.size();
      return;
    }
    if (tag.name == "style") {
      if (!tag.closing) Style();
      return;
    }
    if (Contains(kDropped, tag.name)) {
      if (!tag.closing) SkipElement(tag.name);
      return;
    }
    if (tag.name == "body" && !tag.closing) {
      OpenBody(tag);
      return;
    }
    if (!IsAllowed(tag.name)) return;
    if (tag.closing) {
      Close(tag.name);
    } else {
      Open(tag);
    }
  }

  /// Leaves out an element with its content, up to its end tag; to the end when it has none. Nested ones of the same
  /// name are counted where the browser would.
  void SkipElement(std::string_view name) {
    const bool nests = name == "svg" || name == "math" || name == "object" || name == "template" || name == "select" ||
                       name == "video" || name == "audio" || name == "frameset" || name == "applet";
    std::size_t depth = 1;
    std::size_t i = at_;
    while (true) {
      i = html_.find('<', i);
      if (i == std::string_view::npos) {
        at_ = html_.size();
        return;
      }
      const bool closing = html_.substr(i + 1, 1) == "/";
      const std::size_t name_at = i + (closing ? 2 : 1);
      if (!AsciiEqualsIgnoreCase(html_.substr(name_at, name.size()), name) ||
          (name_at + name.size() < html_.size() && !IsTagNameEnd(html_[name_at + name.size()]))) {
        ++i;
        continue;
      }
      if (!closing) {
        if (nests) ++depth;
        i = name_at;
        continue;
      }
      i = html_.find('>', i);
      at_ = i == std::string_view::npos ? html_.size() : i + 1;
      if (--depth == 0 || i == std::string_view::npos) return;
    }
  }

  static bool IsTagNameEnd(char c) { return IsBlank(c) || c == '>' || c == '/'; }

  void Style() {
    const std::size_t begin = at_;
    SkipElement("style");
    std::string_view css = html_.substr(begin, at_ - begin);
    if (const std::size_t close = css.rfind("</"); close != std::string_view::npos) css = css.substr(0, close);
    out_ += "<style>";
    out_ += FilterStyleSheet(css.substr(0, 256 << 10));
    out_ += "</style>";
  }

  /// The body's colours go to a box of ours.
  void OpenBody(const Tag& tag) {
    Tag box;
    box.name = "div";
    for (const Attribute& attribute : tag.attributes) {
      if (attribute.name == "style" || attribute.name == "dir" || attribute.name == "class")
        box.attributes.push_back(attribute);
      if (attribute.name == "bgcolor") {
        box.attributes.push_back({.name = "style", .value = "background-color:" + attribute.value});
      }
    }
    Open(box);
  }

  void Open(const Tag& tag) {
    CloseImplied(tag.name);
    const bool is_void = std::find(kVoid.begin(), kVoid.end(), tag.name) != kVoid.end();
    if (!is_void && open_.size() >= kMaxDepth) return;
    out_ += '<';
    out_ += tag.name;
    if (tag.name == "img") {
      ImageSource(tag);
    } else if (tag.name == "a") {
      LinkTarget(tag);
    }
    bool has_style = false;
    for (const Attribute& attribute : tag.attributes) {
      if (attribute.name == "style") {
        if (std::exchange(has_style, true)) continue;
        WriteAttribute("style", FilterStyleAttribute(attribute.value));
      } else if (IsAllowedAttribute(attribute.name)) {
        WriteAttribute(attribute.name, attribute.value);
      } else if (attribute.name == "background" || attribute.name == "srcset" || attribute.name == "poster") {
        ++blocked_images_;
      }
    }
    out_ += '>';
    if (!is_void) open_.push_back(tag.name);
  }

  void WriteAttribute(std::string_view name, std::string_view value) {
    out_ += ' ';
    out_ += name;
    out_ += "=\"";
    AppendEscaped(out_, value);
    out_ += '"';
  }

  void LinkTarget(const Tag& tag) {
    for (const Attribute& attribute : tag.attributes) {
      if (attribute.name != "href") continue;
      const std::string url = CompactUrl(attribute.value);
      if (HasScheme(url, "http://") || HasScheme(url, "https://") || HasScheme(url, "mailto:")) {
        WriteAttribute("href", url);
        out_ += " target=\"_blank\" rel=\"noopener noreferrer\"";
      }
      return;
    }
  }

  void ImageSource(const Tag& tag) {
    for (const Attribute& attribute : tag.attributes) {
      if (attribute.name != "src") continue;
      if (HasScheme(attribute.value, "data:image/")) {
        // Raster formats only: an SVG may refer to other documents.
        static constexpr std::string_view kFormats[] = {"png", "gif", "jpeg", "jpg", "webp", "bmp", "x-icon"};
        const std::string_view format = std::string_view(attribute.value).substr(11);
        const std::string name = AsciiLower(format.substr(0, format.find_first_of(";,")));
        if (attribute.value.size() <= kMaxDataImageBytes &&
            std::find(std::begin(kFormats), std::end(kFormats), name) != std::end(kFormats)) {
          WriteAttribute("src", attribute.value);
        }
        return;
      }
      const std::string url = CompactUrl(attribute.value);
      if (HasScheme(url, "cid:")) {
        const std::string id = PercentDecode(url.substr(4)).value_or(url.substr(4));
        for (const auto& [content_id, path] : options_.inline_images) {
          if (content_id == id) {
            WriteAttribute("src", path);
            return;
          }
        }
        return;
      }
      if (!HasScheme(url, "http://") && !HasScheme(url, "https://") && !url.starts_with("//")) return;
      if (options_.image_proxy && remote_images_ < options_.max_remote_images) {
        const std::string proxied = options_.image_proxy(url.starts_with("//") ? "https:" + url : url);
        if (!proxied.empty()) {
          ++remote_images_;
          WriteAttribute("src", proxied);
          return;
        }
      }
      ++blocked_images_;
      return;
    }
  }

  /// End tags that HTML lets authors leave out, so that unclosed paragraphs and cells do not pile up.
  void CloseImplied(std::string_view name) {
    const auto top_is = [&](std::string_view other) { return !open_.empty() && open_.back() == other; };
    if ((name == "p" || name == "div" || name == "table" || name == "ul" || name == "ol" || name == "blockquote") &&
        top_is("p")) {
      CloseTop();
    } else if (name == "li") {
      if (top_is("p")) CloseTop();
      if (top_is("li")) CloseTop();
    } else if (name == "dt" || name == "dd") {
      if (top_is("dt") || top_is("dd")) CloseTop();
    } else if (name == "td" || name == "th") {
      if (top_is("p")) CloseTop();
      if (top_is("td") || top_is("th")) CloseTop();
    } else if (name == "tr") {
      if (top_is("p")) CloseTop();
      if (top_is("td") || top_is("th")) CloseTop();
      if (top_is("tr")) CloseTop();
    }
  }

  void CloseTop() {
    out_ += "</";
    out_ += open_.back();
    out_ += '>';
    open_.pop_back();
  }

  void Close(std::string_view name) {
    const auto found = std::find(open_.rbegin(), open_.rend(), name);
    if (found == open_.rend()) return;
    // A stray </b> inside a cell does not close the cell's table.
    if (name != "table" && std::find(open_.rbegin(), found, "table") != found) return;
    const auto keep = static_cast<std::size_t>(open_.rend() - found) - 1;
    while (open_.size() > keep) CloseTop();
  }

  std::string_view html_;
  const HtmlViewOptions& options_;
  std::size_t at_ = 0;
  std::string out_;
  std::string scratch_;
  std::vector<std::string> open_;
  std::size_t blocked_images_ = 0;
  std::size_t remote_images_ = 0;
};

constexpr std::string_view kHead =
    "<!doctype html><html><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"referrer\" content=\"no-referrer\">"
    "<style>html{color-scheme:light;background:#fff;color:#1a1a1a}"
    "body{margin:0;padding:16px;font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}"
    "img{max-width:100%;height:auto}table{max-width:100%}pre{white-space:pre-wrap}"
    ".lk-quote{border-left:3px solid #c8c8c8;margin:0;padding-left:12px;color:#555}"
    ".lk-text{white-space:pre-wrap}</style></head><body>";
constexpr std::string_view kTail = "</body></html>";

bool IsUrlEnd(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == '<' || c == '>' || c == '"' || c == '`' || c == '|' || c == '\\';
}

/// Writes one line with its web addresses as links.
void AppendLinked(std::string& out, std::string_view line) {
  for (std::size_t i = 0; i < line.size();) {
    std::size_t at = line.find("http", i);
    while (at != std::string_view::npos && !line.substr(at).starts_with("http://") &&
           !line.substr(at).starts_with("https://")) {
      at = line.find("http", at + 4);
    }
    AppendEscaped(out, line.substr(i, at == std::string_view::npos ? at : at - i));
    if (at == std::string_view::npos) return;
    std::size_t end = at;
    while (end < line.size() && end < at + 2048 && !IsUrlEnd(line[end])) ++end;
    // The sentence's own punctuation is not part of the address.
    while (end > at && std::string_view(".,;:!?)]}'").find(line[end - 1]) != std::string_view::npos) --end;
    const std::string_view url = line.substr(at, end - at);
    out += "<a href=\"";
    AppendEscaped(out, url);
    out += "\" target=\"_blank\" rel=\"noopener noreferrer\">";
    AppendEscaped(out, url);
    out += "</a>";
    i = end;
  }
}

std::size_t QuoteDepth(std::string_view& line) {
  std::size_t depth = 0;
  std::size_t i = 0;
  while (i < line.size() && depth < 5) {
    if (line[i] == '>') {
      ++depth;
      ++i;
      if (i < line.size() && line[i] == ' ' && i + 1 < line.size() && line[i + 1] == '>') ++i;
    } else {
      break;
    }
  }
  if (depth > 0) {
    line.remove_prefix(i);
    if (line.starts_with(' ')) line.remove_prefix(1);
  }
  return depth;
}

}  // namespace

HtmlView RenderHtmlBody(std::string_view html, const HtmlViewOptions& options) {
  HtmlView view = Filter(html, options).Run();
  std::string document;
  document.reserve(view.document.size() + kHead.size() + kTail.size());
  document.append(kHead).append(view.document).append(kTail);
  view.document = CleanUtf8(std::move(document));
  return view;
}

HtmlView RenderTextBody(std::string_view text, const HtmlViewOptions& options) {
  HtmlView view;
  view.truncated = text.size() > options.max_input_bytes;
  text = text.substr(0, options.max_input_bytes);
  std::string out;
  out.reserve(text.size() + text.size() / 8 + kHead.size() + 64);
  out.append(kHead).append("<div class=\"lk-text\">");
  std::size_t depth = 0;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t line_depth = QuoteDepth(line);
    const bool same = line_depth == depth;
    for (; depth < line_depth; ++depth) out += "<blockquote class=\"lk-quote\">";
    for (; depth > line_depth; --depth) out += "</blockquote>";
    if (!first && same) out += '\n';
    AppendLinked(out, line);
    first = false;
  }
  for (; depth > 0; --depth) out += "</blockquote>";
  out.append("</div>").append(kTail);
  view.document = CleanUtf8(std::move(out));
  return view;
}

}  // namespace latchkey::mail
