#include "mail/send_check.hpp"

#include <unicode/uidna.h>

#include <algorithm>
#include <memory>

#include "mail/charset.hpp"

namespace latchkey::mail {
namespace {

constexpr std::size_t kMaxAddress = 254;  // RFC 5321 section 4.5.3.1.3, without the angle brackets.
constexpr std::size_t kMaxLocal = 64;
constexpr std::size_t kMaxName = 200;

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool IsAtomText(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

/// C1 controls, line separators, and what turns the direction of writing: U+0080-9F, U+200E/F, U+2028-202E, U+2066-69.
bool HasHiddenCharacter(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const auto a = static_cast<unsigned char>(text[i]), b = static_cast<unsigned char>(text[i + 1]);
    if (a == 0xC2 && b < 0xA0) return true;
    if (a != 0xE2 || i + 2 >= text.size()) continue;
    const auto c = static_cast<unsigned char>(text[i + 2]);
    if (b == 0x80 && (c == 0x8E || c == 0x8F || (c >= 0xA8 && c <= 0xAE))) return true;
    if (b == 0x81 && c >= 0xA6 && c <= 0xA9) return true;
  }
  return false;
}

/// Dot-separated, no empty atom.
bool IsDotAtom(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::ranges::all_of(text, [](char c) { return c == '.' || IsAtomText(c); });
}

bool IsHostName(std::string_view domain) {
  if (domain.empty() || domain.size() > 253 || domain.find('.') == std::string_view::npos) return false;
  std::size_t label = 0;
  for (std::size_t i = 0; i <= domain.size(); ++i) {
    if (i < domain.size() && domain[i] != '.') {
      const char c = domain[i];
      const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
      if (!letter || (label == 0 && c == '-')) return false;
      ++label;
      continue;
    }
    if (label == 0 || label > 63 || domain[i - 1] == '-') return false;
    label = 0;
  }
  return true;
}

/// RFC 5891; empty when it cannot be done.
std::string AsciiDomain(std::string_view domain) {
  const bool ascii = std::ranges::all_of(domain, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii) return AsciiLower(domain);
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UIDNA, void (*)(UIDNA*)> converter(
      uidna_openUTS46(UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ, &status), uidna_close);
  if (U_FAILURE(status)) return {};
  std::string out(256, '\0');
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  const std::int32_t size =
      uidna_nameToASCII_UTF8(converter.get(), domain.data(), static_cast<std::int32_t>(domain.size()), out.data(),
                             static_cast<std::int32_t>(out.size()), &info, &status);
  if (U_FAILURE(status) || info.errors != 0 || size <= 0 || size > 255) return {};
  out.resize(static_cast<std::size_t>(size));
  return AsciiLower(out);
}

}  // namespace

Result<Address> CheckRecipient(std::string_view name, std::string_view address) {
  const auto refuse = [] { return Fail(ErrorCode::kInvalidArgument, "not an address that mail can be sent to"); };
  if (address.size() > 2 * kMaxAddress) return refuse();
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos) return refuse();
  const std::string_view local = address.substr(0, at);
  const std::string domain = AsciiDomain(address.substr(at + 1));
  if (local.size() > kMaxLocal || !IsDotAtom(local) || !IsHostName(domain)) return refuse();
  if (local.size() + 1 + domain.size() > kMaxAddress) return refuse();
  auto shown = CheckLine(name, kMaxName);
  if (!shown) return Fail(std::move(shown.error()));
  return Address{.name = std::move(*shown), .address = std::string(local) + '@' + domain};
}

Result<std::string> CheckLine(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes || std::ranges::any_of(text, IsControl) || HasHiddenCharacter(text)) {
    return Fail(ErrorCode::kInvalidArgument, "a line that is too long or holds control characters");
  }
  return std::string(TrimAscii(text));
}

Result<std::string> CheckBody(std::string_view text, std::size_t max_bytes) {
  const auto forbidden = [](char c) { return IsControl(c) && c != '\n' && c != '\r' && c != '\t' && c != '\f'; };
  if (text.size() > max_bytes) return Fail(ErrorCode::kInvalidArgument, "the text is too long");
  if (std::ranges::any_of(text, forbidden)) {
    return Fail(ErrorCode::kInvalidArgument, "control characters in the text");
  }
  return std::string(text);
}

std::string CheckMediaType(std::string_view type) {
  const std::string lower = AsciiLower(type);
  const std::size_t slash = lower.find('/');
  const auto token = [](char c) { return IsAtomText(c) || c == '.'; };
  const bool whole =
      slash != std::string::npos && slash > 0 && slash + 1 < lower.size() && lower.size() <= 127 &&
      std::ranges::all_of(std::string_view(lower).substr(0, slash), token) &&
      std::ranges::all_of(std::string_view(lower).substr(slash + 1), [&](char c) { return c != '/' && token(c); });
  return whole ? lower : "application/octet-stream";
}

std::string CleanMessageId(std::string_view id) {
  // A line of its own must hold it (RFC 5322 section 2.1.1), and nothing in it may end the brackets.
  const auto plain = [](char c) { return c > 0x20 && c < 0x7f && c != '<' && c != '>'; };
  return !id.empty() && id.size() <= 900 && std::ranges::all_of(id, plain) ? std::string(id) : std::string();
}

std::string BaseSubject(std::string_view subject) {
  const std::string lower = AsciiLower(subject);
  std::string_view rest = TrimAscii(lower);
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view prefix : {"re:", "fwd:", "fw:", "aw:", "wg:"}) {
      if (!rest.starts_with(prefix)) continue;
      rest = TrimAscii(rest.substr(prefix.size()));
      again = true;
    }
  }
  return std::string(rest);
}

}  // namespace latchkey::mail
