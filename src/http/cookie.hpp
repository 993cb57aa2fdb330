#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace latchkey::http {

enum class SameSite { kStrict, kLax, kNone };

/// One Set-Cookie line. The defaults are those of a session cookie on https; for plain-http loopback drop the prefix
/// of the name and `secure`.
struct SetCookie {
  std::string name;
  std::string value;
  SameSite same_site = SameSite::kStrict;
  bool secure = true;
  bool http_only = true;
  /// Absent: until the browser ends. Zero deletes.
  std::optional<std::chrono::seconds> max_age;
};

/// The header's value, with Path=/ and never a Domain (the `__Host-` rules of RFC 6265bis section 4.1.3.2). Throws
/// std::invalid_argument when name or value hold what a cookie cannot.
std::string FormatSetCookie(const SetCookie& cookie);

/// The value of `name` in a Cookie header, compared byte by byte. nullopt when absent, when the name occurs with
/// different values, or when the value holds what RFC 6265 section 4.1.1 does not allow. Surrounding double quotes are
/// part of no value of ours and make it unreadable.
std::optional<std::string_view> FindCookie(std::string_view header, std::string_view name);

}  // namespace latchkey::http
