#include "http/request_head.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/encoding.hpp"

namespace latchkey::http {

namespace {

constexpr std::size_t kMaxMethod = 16;
constexpr std::size_t kMaxQueryParameters = 100;

/// One bit per property of a byte.
enum CharClass : unsigned char { kTokenChar = 1, kFieldChar = 2, kTargetChar = 4, kHostChar = 8 };

constexpr std::array<unsigned char, 256> kClasses = [] {
  std::array<unsigned char, 256> classes{};
  for (int c = 0; c < 256; ++c) {
    const bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    const auto in = [&](std::string_view set) { return c != 0 && set.find(static_cast<char>(c)) != set.npos; };
    unsigned char bits = 0;
    if (alpha || digit || in("!#$%&'*+-.^_`|~")) bits |= kTokenChar;
    if ((c >= 0x20 && c != 0x7f) || c == '\t') bits |= kFieldChar;
    // What browsers leave unescaped in a query is tolerated; '#', blanks and what is not ASCII is not.
    if (c > 0x20 && c < 0x7f && c != '#' && c != '"' && c != '<' && c != '>') bits |= kTargetChar;
    if (alpha || digit || in("-._~")) bits |= kHostChar;
    classes[static_cast<std::size_t>(c)] = bits;
  }
  return classes;
}();

bool All(std::string_view text, CharClass wanted) {
  return std::ranges::all_of(text, [&](char c) { return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0; });
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Method MethodOf(std::string_view name) {
  if (name == "GET") return Method::kGet;
  if (name == "POST") return Method::kPost;
  if (name == "DELETE") return Method::kDelete;
  if (name == "PATCH") return Method::kPatch;
  if (name == "PUT") return Method::kPut;
  if (name == "HEAD") return Method::kHead;
  if (name == "OPTIONS") return Method::kOptions;
  return Method::kOther;
}

/// uri-host [ ":" port ] without user information (RFC 9110 section 7.2); not empty, because we have a name.
bool IsHost(std::string_view host) {
  if (host.empty() || host.size() > 300) return false;
  std::string_view port;
  if (host.front() == '[') {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    const std::string_view inside = host.substr(1, end - 1);
    if (inside.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) return false;
    host.remove_prefix(end + 1);
    if (host.empty()) return true;
    if (host.front() != ':') return false;
    port = host.substr(1);
  } else {
    const std::size_t colon = host.find(':');
    if (!All(host.substr(0, colon), kHostChar) || colon == 0) return false;
    if (colon == std::string_view::npos) return true;
    port = host.substr(colon + 1);
  }
  return port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos;
}

bool HasListElement(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const std::size_t end = list.find(',');
    if (EqualsIgnoreCase(Trim(list.substr(0, end)), wanted)) return true;
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  }
  return false;
}

/// Takes a line off `text`; its CRLF must be there, and no other CR or LF.
std::optional<std::string_view> TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || end == 0 || text[end - 1] != '\r') return std::nullopt;
  const std::string_view line = text.substr(0, end - 1);
  text.remove_prefix(end + 1);
  if (line.find('\r') != std::string_view::npos) return std::nullopt;
  return line;
}

class HeadParser {
 public:
  HeadParser(std::string_view text, const HeadLimits& limits) : rest_(text), limits_(limits) {}

  std::expected<RequestHead, Refusal> Parse() {
    head_.fields.reserve(16);
    const bool ok = RequestLine() && Fields() && Framing() && HostAndTarget();
    if (!ok) return std::unexpected(refusal_);
    return std::move(head_);
  }

 private:
  bool Refuse(int status, std::string_view reason) {
    refusal_ = {status, reason};
    return false;
  }

  bool RequestLine() {
    const auto line = TakeLine(rest_);
    if (!line) return Refuse(400, "malformed line");
    const std::size_t first = line->find(' ');
    const std::size_t last = line->rfind(' ');
    if (first == std::string_view::npos || first == last) return Refuse(400, "malformed request line");
    head_.method_name = line->substr(0, first);
    head_.target = line->substr(first + 1, last - first - 1);
    const std::string_view version = line->substr(last + 1);
    if (head_.method_name.empty() || head_.method_name.size() > kMaxMethod || !All(head_.method_name, kTokenChar)) {
      return Refuse(400, "malformed method");
    }
    head_.method = MethodOf(head_.method_name);
    if (head_.target.size() > limits_.max_target_bytes) return Refuse(414, "target too long");
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
      const bool other_version = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.' &&
                                 version[5] >= '0' && version[5] <= '9' && version[7] >= '0' && version[7] <= '9';
      return other_version ? Refuse(505, "HTTP version") : Refuse(400, "malformed version");
    }
    head_.http_1_1 = version == "HTTP/1.1";
    if (head_.target.empty() || !All(head_.target, kTargetChar)) return Refuse(400, "malformed target");
    return true;
  }

  bool Fields() {
    while (true) {
      const auto line = TakeLine(rest_);
      if (!line) return Refuse(400, "malformed line");
      if (line->empty()) break;
      if (head_.fields.size() == limits_.max_fields) return Refuse(431, "too many fields");
      const std::size_t colon = line->find(':');
      if (colon == std::string_view::npos) return Refuse(400, "field without colon");
      const std::string_view name = line->substr(0, colon);
      // Also refuses folded lines, which begin with a blank, and blanks before the colon (RFC 9112 section 5.1, 5.2).
      if (name.empty() || !All(name, kTokenChar)) return Refuse(400, "malformed field name");
      const std::string_view value = Trim(line->substr(colon + 1));
      if (!All(value, kFieldChar)) return Refuse(400, "malformed field value");
      head_.fields.emplace_back(name, value);
    }
    return rest_.empty() || Refuse(400, "malformed head");
  }

  /// RFC 9112 section 6.
  bool Framing() {
    head_.keep_alive = head_.http_1_1;
    bool saw_transfer_encoding = false;
    bool close = false;
    for (const auto& [name, value] : head_.fields) {
      switch (name.size()) {
        case 4:
          if (!EqualsIgnoreCase(name, "host")) break;
          if (saw_host_) return Refuse(400, "repeated Host");
          saw_host_ = true;
          head_.host = value;
          break;
        case 6:
          if (!EqualsIgnoreCase(name, "expect")) break;
          if (!EqualsIgnoreCase(value, "100-continue")) return Refuse(417, "unknown expectation");
          head_.expects_continue = head_.http_1_1;
          break;
        case 10:
          if (!EqualsIgnoreCase(name, "connection")) break;
          if (HasListElement(value, "close")) close = true;
          if (HasListElement(value, "keep-alive")) head_.keep_alive = true;
          break;
        case 14:
          if (!EqualsIgnoreCase(name, "content-length")) break;
          if (head_.content_length) return Refuse(400, "repeated Content-Length");
          if (!ContentLength(value)) return false;
          break;
        case 17:
          if (!EqualsIgnoreCase(name, "transfer-encoding")) break;
          if (saw_transfer_encoding) return Refuse(400, "repeated Transfer-Encoding");
          saw_transfer_encoding = true;
          if (!head_.http_1_1) return Refuse(400, "Transfer-Encoding in HTTP/1.0");
          if (!EqualsIgnoreCase(value, "chunked")) return Refuse(501, "unknown transfer coding");
          head_.chunked = true;
          break;
        default:
          break;
      }
    }
    if (head_.chunked && head_.content_length) return Refuse(400, "Content-Length beside Transfer-Encoding");
    if (close) head_.keep_alive = false;
    return true;
  }

  bool ContentLength(std::string_view value) {
    // 18 digits hold more than any body and cannot overflow.
    if (value.empty() || value.size() > 18 || value.find_first_not_of("0123456789") != std::string_view::npos) {
      return Refuse(400, "malformed Content-Length");
    }
    std::uint64_t length = 0;
    for (const char digit : value) length = length * 10 + static_cast<std::uint64_t>(digit - '0');
    head_.content_length = length;
    return true;
  }

  bool HostAndTarget() {
    if (!saw_host_ && head_.http_1_1) return Refuse(400, "no Host");
    if (saw_host_ && !IsHost(head_.host)) return Refuse(400, "malformed Host");
    if (head_.target.front() == '/') return true;
    if (head_.target == "*") {
      return head_.method == Method::kOptions || Refuse(400, "asterisk form is for OPTIONS");
    }
    return AbsoluteForm();
  }

  /// Servers must accept the absolute form (RFC 9112 section 3.2.2); here only when it names the host that Host names.
  bool AbsoluteForm() {
    const std::size_t scheme = head_.target.find("://");
    if (scheme == std::string_view::npos) return Refuse(400, "authority form");
    const std::string_view name = head_.target.substr(0, scheme);
    if (!EqualsIgnoreCase(name, "http") && !EqualsIgnoreCase(name, "https")) return Refuse(400, "foreign scheme");
    const std::string_view after = head_.target.substr(scheme + 3);
    const std::size_t end = after.find_first_of("/?");
    if (!saw_host_ || !EqualsIgnoreCase(after.substr(0, end), head_.host))
      return Refuse(400, "target names another host");
    if (end == std::string_view::npos) {
      head_.target = "/";
    } else if (after[end] == '?') {
      return Refuse(400, "target without path");
    } else {
      head_.target = after.substr(end);
    }
    return true;
  }

  std::string_view rest_;
  const HeadLimits& limits_;
  RequestHead head_;
  Refusal refusal_;
  bool saw_host_ = false;
};

/// Well-formed UTF-8 without control characters.
bool IsCleanText(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
    const unsigned lead = byte(i);
    std::size_t length = 1;
    if (lead < 0x80) {
      if (lead < 0x20 || lead == 0x7f) return false;
    } else if (lead >= 0xc2 && lead <= 0xdf) {
      length = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      length = 3;
      if ((lead == 0xe0 && byte(i + 1) < 0xa0) || (lead == 0xed && byte(i + 1) > 0x9f)) return false;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      length = 4;
      if ((lead == 0xf0 && byte(i + 1) < 0x90) || (lead == 0xf4 && byte(i + 1) > 0x8f)) return false;
    } else {
      return false;
    }
    for (std::size_t tail = 1; tail < length; ++tail) {
      if ((byte(i + tail) & 0xc0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

std::optional<std::string> DecodeQueryPart(std::string_view text) {
  if (text.find_first_of("%+") == std::string_view::npos) return std::string(text);
  std::string blanks(text);
  std::ranges::replace(blanks, '+', ' ');
  auto decoded = PercentDecode(blanks);
  // Line breaks and tabs are text that a form may hold; NUL is not.
  if (!decoded) return std::nullopt;
  std::string visible = *decoded;
  std::erase_if(visible, [](char c) { return c == '\r' || c == '\n' || c == '\t'; });
  if (!IsCleanText(visible)) return std::nullopt;
  return decoded;
}

bool DecodePath(std::string_view raw, std::string& path) {
  if (raw.find('\\') != std::string_view::npos) return false;
  if (raw.find('%') == std::string_view::npos) {
    path.assign(raw);
  } else {
    for (std::size_t at = raw.find('%'); at != std::string_view::npos; at = raw.find('%', at + 1)) {
      const std::string_view escape = raw.substr(at + 1, 2);
      if (EqualsIgnoreCase(escape, "2f") || EqualsIgnoreCase(escape, "5c")) return false;
    }
    auto decoded = PercentDecode(raw);
    if (!decoded || !IsCleanText(*decoded)) return false;
    path = std::move(*decoded);
  }
  for (std::size_t at = path.find("/."); at != std::string::npos; at = path.find("/.", at + 1)) {
    std::string_view segment = std::string_view(path).substr(at + 1);
    segment = segment.substr(0, segment.find('/'));
    if (segment == "." || segment == "..") return false;
  }
  return true;
}

}  // namespace

std::expected<RequestHead, Refusal> ParseRequestHead(std::string_view head, const HeadLimits& limits) {
  return HeadParser(head, limits).Parse();
}

std::optional<Target> ParseTarget(std::string_view target) {
  Target parsed;
  const std::size_t mark = target.find('?');
  if (!target.starts_with('/') || !DecodePath(target.substr(0, mark), parsed.path)) return std::nullopt;
  std::string_view query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (pair.empty()) continue;
    if (parsed.query.size() == kMaxQueryParameters) return std::nullopt;
    const std::size_t equals = pair.find('=');
    auto name = DecodeQueryPart(pair.substr(0, equals));
    auto value = DecodeQueryPart(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
    if (!name || !value) return std::nullopt;
    parsed.query.emplace_back(std::move(*name), std::move(*value));
  }
  return parsed;
}

}  // namespace latchkey::http
