#include "crypto/hash.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <stdexcept>

#include "base/encoding.hpp"

namespace latchkey::crypto {
namespace {

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

std::string Sha256(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(Bytes(bytes), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string HmacSha256(std::string_view key, std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  unsigned int size = 0;
  // A null pointer would mean "the key of the last call" to OpenSSL.
  const std::string_view used_key = key.data() == nullptr ? std::string_view("") : key;
  if (HMAC(EVP_sha256(), used_key.data(), static_cast<int>(used_key.size()), Bytes(bytes), bytes.size(),
           reinterpret_cast<unsigned char*>(digest.data()), &size) == nullptr) {
    throw std::runtime_error("HMAC failed");
  }
  return digest;
}

std::string Sha256Hex(std::string_view bytes) { return HexEncode(Sha256(bytes)); }

std::string HkdfSha256(std::string_view secret, std::string_view salt, std::string_view info, std::size_t size) {
  constexpr std::size_t kBlock = SHA256_DIGEST_LENGTH;
  if (size > 255 * kBlock) throw std::invalid_argument("HKDF output too long");
  // Section 2.2: no salt means a block of zeros, which HMAC treats like the empty key.
  const std::string prk = HmacSha256(salt, secret);
  std::string out;
  std::string block;
  for (unsigned char counter = 1; out.size() < size; ++counter) {
    block += info;
    block += static_cast<char>(counter);
    block = HmacSha256(prk, block);
    out += block;
  }
  out.resize(size);
  return out;
}

bool EqualConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

SecretString DeriveKey(const SecretString& secret, std::string_view purpose) {
  return SecretString(HkdfSha256(secret.Reveal(), "latchkey", purpose, 32));
}

}  // namespace latchkey::crypto
