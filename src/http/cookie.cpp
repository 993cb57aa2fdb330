#include "http/cookie.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace latchkey::http {

namespace {

/// RFC 9110 section 5.6.2.
bool IsToken(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

/// cookie-octet of RFC 6265 section 4.1.1.
bool IsCookieValue(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
  });
}

std::string_view NameOf(SameSite same_site) {
  switch (same_site) {
    case SameSite::kStrict:
      return "Strict";
    case SameSite::kLax:
      return "Lax";
    case SameSite::kNone:
      return "None";
  }
  return "Strict";
}

}  // namespace

std::string FormatSetCookie(const SetCookie& cookie) {
  if (!IsToken(cookie.name) || !IsCookieValue(cookie.value)) throw std::invalid_argument("not a cookie");
  if (!cookie.secure && cookie.name.starts_with("__")) throw std::invalid_argument("the name's prefix needs Secure");
  std::string line = fmt::format("{}={}; Path=/", cookie.name, cookie.value);
  if (cookie.max_age) line += fmt::format("; Max-Age={}", std::max<std::int64_t>(0, cookie.max_age->count()));
  if (cookie.secure) line += "; Secure";
  if (cookie.http_only) line += "; HttpOnly";
  line += "; SameSite=";
  line += NameOf(cookie.same_site);
  return line;
}

std::optional<std::string_view> FindCookie(std::string_view header, std::string_view name) {
  std::optional<std::string_view> found;
  while (!header.empty()) {
    const std::size_t end = header.find(';');
    std::string_view pair = header.substr(0, end);
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
    while (pair.starts_with(' ') || pair.starts_with('\t')) pair.remove_prefix(1);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
    const std::string_view value = pair.substr(equals + 1);
    if (!IsCookieValue(value) || (found && *found != value)) return std::nullopt;
    found = value;
  }
  return found;
}

}  // namespace latchkey::http
