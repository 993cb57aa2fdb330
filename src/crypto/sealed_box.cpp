#include "crypto/sealed_box.hpp"

#include <cstdint>

#include "base/encoding.hpp"
#include "crypto/aead.hpp"
#include "crypto/hash.hpp"

namespace latchkey::crypto {
namespace {

constexpr std::size_t kExpirySize = 8;
/// Browsers keep cookies up to 4 KiB; whatever is longer was never ours.
constexpr std::size_t kMaxSealed = 8192;

}  // namespace

SealedBox::SealedBox(const SecretString& secret, std::string_view purpose)
    : key_(DeriveKey(secret, std::string("sealed box: ").append(purpose))) {}

std::string SealedBox::Seal(std::string_view clear, Instant expires_at) const {
  std::string body;
  const auto micros = static_cast<std::uint64_t>(ToMicros(expires_at));
  for (int shift = 56; shift >= 0; shift -= 8) body += static_cast<char>(micros >> shift & 0xff);
  body += clear;
  return Base64UrlEncode(AeadSeal(key_.Reveal(), "v1", body));
}

Result<std::string> SealedBox::Open(std::string_view sealed, Instant now) const {
  if (sealed.size() > kMaxSealed) return Fail(ErrorCode::kStateMismatch, "sealed value too long");
  const auto bytes = Base64UrlDecode(sealed);
  if (!bytes) return Fail(ErrorCode::kStateMismatch, "sealed value is not base64url");
  auto body = AeadOpen(key_.Reveal(), "v1", *bytes);
  if (!body || body->size() < kExpirySize) return Fail(ErrorCode::kStateMismatch, "sealed value is not ours");
  std::uint64_t micros = 0;
  for (std::size_t i = 0; i < kExpirySize; ++i) micros = micros << 8 | static_cast<unsigned char>((*body)[i]);
  if (now >= FromMicros(static_cast<std::int64_t>(micros))) {
    return Fail(ErrorCode::kStateExpired, "sealed value expired");
  }
  return body->substr(kExpirySize);
}

}  // namespace latchkey::crypto
