#include "crypto/fernet.hpp"

#include <openssl/evp.h>

#include <memory>

#include "base/encoding.hpp"
#include "crypto/hash.hpp"

namespace latchkey::crypto {
namespace {

constexpr std::size_t kHalfKey = 16;
constexpr std::size_t kHeader = 1 + 8;  // Version, then seconds since 1970 in big endian.
constexpr std::size_t kIv = 16;
constexpr std::size_t kMac = 32;
constexpr std::size_t kBlock = 16;
constexpr unsigned char kVersion = 0x80;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::optional<std::string> OpenCbc(std::string_view key, std::string_view iv, std::string_view body) {
  const std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context(EVP_CIPHER_CTX_new());
  std::string clear(body.size() + kBlock, '\0');
  auto* out = reinterpret_cast<unsigned char*>(clear.data());
  int written = 0;
  int last = 0;
  if (!context || EVP_DecryptInit_ex(context.get(), EVP_aes_128_cbc(), nullptr, Bytes(key), Bytes(iv)) != 1 ||
      EVP_DecryptUpdate(context.get(), out, &written, Bytes(body), static_cast<int>(body.size())) != 1 ||
      EVP_DecryptFinal_ex(context.get(), out + written, &last) != 1) {
    return std::nullopt;
  }
  clear.resize(static_cast<std::size_t>(written + last));
  return clear;
}

}  // namespace

bool LooksLikeFernet(std::string_view text) {
  // 0x80 and seven leading zero bits of the time make the first five characters constant until the year 2106.
  return text.starts_with("gAAAA");
}

std::optional<std::string> FernetOpen(std::string_view key, std::string_view token) {
  if (key.size() != 2 * kHalfKey) return std::nullopt;
  const auto bytes = Base64UrlDecode(token);
  if (!bytes || bytes->size() < kHeader + kIv + kBlock + kMac) return std::nullopt;
  const std::string_view view = *bytes;
  const std::string_view body = view.substr(kHeader + kIv, view.size() - kHeader - kIv - kMac);
  if (static_cast<unsigned char>(view[0]) != kVersion || body.size() % kBlock != 0) return std::nullopt;
  const std::string mac = HmacSha256(key.substr(0, kHalfKey), view.substr(0, view.size() - kMac));
  if (!EqualConstantTime(mac, view.substr(view.size() - kMac))) return std::nullopt;
  return OpenCbc(key.substr(kHalfKey), view.substr(kHeader, kIv), body);
}

}  // namespace latchkey::crypto
