#include "oauth/testing/token_forge.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdexcept>

#include "base/encoding.hpp"
#include "crypto/hash.hpp"

namespace latchkey::oauth::testing {
namespace {

std::string Number(const EVP_PKEY* key, const char* name, int pad_to = 0) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) throw std::runtime_error("no such key parameter");
  std::string bytes(static_cast<std::size_t>(pad_to > 0 ? pad_to : BN_num_bytes(number)), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  BN_free(number);
  return bytes;
}

/// RFC 7518 section 3.4: r and s side by side in place of ASN.1.
std::string RawEcdsa(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), &ECDSA_SIG_free);
  std::string raw(64, '\0');
  BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), reinterpret_cast<unsigned char*>(raw.data()), 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), reinterpret_cast<unsigned char*>(raw.data()) + 32, 32);
  return raw;
}

std::string SigningInput(std::string_view header, std::string_view payload) {
  return Base64UrlEncode(header) + '.' + Base64UrlEncode(payload);
}

}  // namespace

ForgeKey ForgeKey::Rsa(std::string kid, int bits) {
  ForgeKey key;
  key.kid_ = std::move(kid);
  key.key_ = {EVP_RSA_gen(static_cast<unsigned int>(bits)), &EVP_PKEY_free};
  return key;
}

ForgeKey ForgeKey::Ec(std::string kid) {
  ForgeKey key;
  key.kid_ = std::move(kid);
  key.rsa_ = false;
  key.key_ = {EVP_EC_gen("P-256"), &EVP_PKEY_free};
  return key;
}

std::string ForgeKey::Sign(std::string_view header, std::string_view payload) const {
  const std::string input = SigningInput(header, payload);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(input.data());
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, input.size()) != 1) {
    throw std::runtime_error("cannot sign");
  }
  std::string signature(size, '\0');
  EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes, input.size());
  signature.resize(size);
  return input + '.' + Base64UrlEncode(rsa_ ? signature : RawEcdsa(signature));
}

std::string ForgeKey::SignClaims(std::string_view payload) const {
  return Sign(std::string(R"({"alg":")") + (rsa_ ? "RS256" : "ES256") + R"(","kid":")" + kid_ + R"(","typ":"JWT"})",
              payload);
}

std::string ForgeKey::PublicJwk(std::string_view more) const {
  std::string members;
  if (rsa_) {
    members = R"("kty":"RSA","n":")" + Base64UrlEncode(Number(key_.get(), OSSL_PKEY_PARAM_RSA_N)) + R"(","e":")" +
              Base64UrlEncode(Number(key_.get(), OSSL_PKEY_PARAM_RSA_E)) + '"';
  } else {
    members = R"("kty":"EC","crv":"P-256","x":")" + Base64UrlEncode(Number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32)) +
              R"(","y":")" + Base64UrlEncode(Number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32)) + '"';
  }
  if (!kid_.empty()) members += R"(,"kid":")" + kid_ + '"';
  return '{' + members + std::string(more) + '}';
}

std::string ForgeKey::PublicPem() const {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_PUBKEY(out.get(), key_.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string SignHs256(std::string_view header, std::string_view payload, std::string_view key) {
  const std::string input = SigningInput(header, payload);
  return input + '.' + Base64UrlEncode(crypto::HmacSha256(key, input));
}

}  // namespace latchkey::oauth::testing
