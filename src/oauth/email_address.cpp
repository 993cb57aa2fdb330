#include "oauth/email_address.hpp"

#include <algorithm>
#include <cstdint>

namespace latchkey::oauth {
namespace {

constexpr std::size_t kMaxAddress = 254;
constexpr std::size_t kMaxLocal = 64;
constexpr std::size_t kMaxLabel = 63;
constexpr std::uint32_t kBroken = 0xffffffff;

/// Reads one UTF-8 character and moves past it; kBroken for anything that is none.
std::uint32_t NextCharacter(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xf0 && lead < 0xf5   ? 3
                   : lead >= 0xe0 && lead < 0xf0 ? 2
                   : lead >= 0xc2 && lead < 0xe0 ? 1
                                                 : 0;
  if (more == 0) return kBroken;
  std::uint32_t value = lead & (0x3fU >> more);
  for (int i = 0; i < more; ++i) {
    if (at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80) return kBroken;
    value = value << 6 | (static_cast<unsigned char>(text[at++]) & 0x3f);
  }
  if ((more == 2 && value < 0x800) || (more == 3 && value < 0x10000) || (value >= 0xd800 && value < 0xe000) ||
      value > 0x10ffff) {
    return kBroken;
  }
  return value;
}

/// Control characters, and those that are invisible or turn the direction of what stands beside them.
bool IsUnprintable(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
         (c >= 0xe0000 && c <= 0xe007f);
}

bool IsSpace(std::uint32_t c) {
  return c == ' ' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

bool IsCleanText(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::uint32_t c = NextCharacter(text, at);
    if (c == kBroken || IsUnprintable(c) || IsSpace(c)) return false;
  }
  return true;
}

bool IsDotAtom(std::string_view local) {
  // RFC 5322 section 3.2.3, specials left out; bytes above 0x7f were checked as UTF-8.
  if (local.empty() || local.front() == '.' || local.back() == '.' || local.contains("..")) return false;
  return std::ranges::none_of(local, [](char c) { return std::string_view("()<>[]:;@\\,\"").contains(c); });
}

bool IsQuoted(std::string_view local) {
  if (local.size() < 3 || local.front() != '"' || local.back() != '"') return false;
  local = local.substr(1, local.size() - 2);
  for (std::size_t i = 0; i < local.size(); ++i) {
    if (local[i] == '"') return false;
    if (local[i] == '\\' && ++i == local.size()) return false;
  }
  return true;
}

bool IsDomain(std::string_view domain) {
  std::size_t start = 0;
  while (true) {
    const std::size_t end = std::min(domain.find('.', start), domain.size());
    const std::string_view label = domain.substr(start, end - start);
    if (label.empty() || label.size() > kMaxLabel || label.front() == '-' || label.back() == '-') return false;
    const bool ok = std::ranges::all_of(label, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
             static_cast<unsigned char>(c) >= 0x80;
    });
    if (!ok) return false;
    if (end == domain.size()) return true;
    start = end + 1;
  }
}

}  // namespace

Result<EmailAddress> EmailAddress::Parse(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (text.size() > kMaxAddress || at == std::string_view::npos || at == 0 || at > kMaxLocal || !IsCleanText(text)) {
    return Fail(ErrorCode::kInvalidArgument, "not a mail address");
  }
  const std::string_view local = text.substr(0, at);
  if ((!IsDotAtom(local) && !IsQuoted(local)) || !IsDomain(text.substr(at + 1))) {
    return Fail(ErrorCode::kInvalidArgument, "not a mail address");
  }
  std::string canonical(text);
  std::transform(canonical.begin() + static_cast<std::ptrdiff_t>(at), canonical.end(),
                 canonical.begin() + static_cast<std::ptrdiff_t>(at),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return EmailAddress(std::move(canonical));
}

std::string CleanDisplayText(std::string_view text, std::size_t max_bytes) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const std::uint32_t c = NextCharacter(text, at);
    if (c == kBroken || IsUnprintable(c)) continue;
    if (out.size() + at - start > max_bytes) break;
    out += text.substr(start, at - start);
  }
  return out;
}

}  // namespace latchkey::oauth
