#include "crypto/aead.hpp"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

#include "base/random.hpp"

namespace latchkey::crypto {
namespace {

constexpr std::size_t kKeySize = 32;
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* Bytes(std::string& text, std::size_t at) { return reinterpret_cast<unsigned char*>(text.data()) + at; }

void Require(bool ok) {
  if (!ok) throw std::runtime_error("AES-256-GCM failed");
}

}  // namespace

std::string AeadSeal(std::string_view key, std::string_view additional, std::string_view clear) {
  Require(key.size() == kKeySize);
  std::string out = RandomBytes(kNonceSize);
  out.resize(kNonceSize + clear.size() + kTagSize);
  const Context context(EVP_CIPHER_CTX_new());
  int written = 0;
  Require(context != nullptr);
  Require(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(key), Bytes(out, 0)) == 1);
  Require(EVP_EncryptUpdate(context.get(), nullptr, &written, Bytes(additional), static_cast<int>(additional.size())) ==
          1);
  Require(EVP_EncryptUpdate(context.get(), Bytes(out, kNonceSize), &written, Bytes(clear),
                            static_cast<int>(clear.size())) == 1);
  Require(EVP_EncryptFinal_ex(context.get(), Bytes(out, kNonceSize + clear.size()), &written) == 1);
  Require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagSize, Bytes(out, kNonceSize + clear.size())) ==
          1);
  return out;
}

std::optional<std::string> AeadOpen(std::string_view key, std::string_view additional, std::string_view sealed) {
  Require(key.size() == kKeySize);
  if (sealed.size() < kNonceSize + kTagSize) return std::nullopt;
  const std::string_view body = sealed.substr(kNonceSize, sealed.size() - kNonceSize - kTagSize);
  std::string tag(sealed.substr(sealed.size() - kTagSize));
  std::string clear(body.size(), '\0');
  const Context context(EVP_CIPHER_CTX_new());
  int written = 0;
  Require(context != nullptr);
  Require(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(key), Bytes(sealed)) == 1);
  Require(EVP_DecryptUpdate(context.get(), nullptr, &written, Bytes(additional), static_cast<int>(additional.size())) ==
          1);
  Require(EVP_DecryptUpdate(context.get(), Bytes(clear, 0), &written, Bytes(body), static_cast<int>(body.size())) == 1);
  Require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagSize, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(context.get(), Bytes(clear, body.size()), &written) != 1) return std::nullopt;
  return clear;
}

}  // namespace latchkey::crypto
