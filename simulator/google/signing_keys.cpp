#include "simulator/google/signing_keys.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"
#include "base/random.hpp"

namespace latchkey::simulator {
namespace {

struct KeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

std::string NumberBase64Url(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) throw std::runtime_error("cannot read an RSA key");
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(number);
  return Base64UrlEncode(bytes);
}

}  // namespace

struct SigningKeys::Key {
  std::string kid;
  std::unique_ptr<EVP_PKEY, KeyDeleter> key;
};

SigningKeys::SigningKeys() = default;
SigningKeys::~SigningKeys() = default;

std::unique_ptr<SigningKeys::Key> SigningKeys::NewKey() {
  auto key = std::make_unique<Key>();
  key->kid = HexEncode(RandomBytes(20));
  key->key.reset(EVP_RSA_gen(2048));
  if (!key->key) throw std::runtime_error("cannot generate an RSA key");
  return key;
}

const std::vector<std::unique_ptr<SigningKeys::Key>>& SigningKeys::Have(std::size_t count) const {
  while (keys_.size() < count) keys_.push_back(NewKey());
  return keys_;
}

std::string SigningKeys::Sign(const boost::json::object& claims, std::string_view kid) const {
  const Key& key = *Have(1).front();
  boost::json::object header;
  header["alg"] = "RS256";
  header["kid"] = kid.empty() ? std::string_view(key.kid) : kid;
  header["typ"] = "JWT";
  std::string token =
      Base64UrlEncode(boost::json::serialize(header)) + "." + Base64UrlEncode(boost::json::serialize(claims));
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  std::size_t size = 0;
  std::string signature;
  const auto* const data = reinterpret_cast<const unsigned char*>(token.data());
  bool ok = EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key.key.get()) == 1 &&
            EVP_DigestSign(context, nullptr, &size, data, token.size()) == 1;
  signature.resize(size);
  ok =
      ok && EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, data, token.size()) == 1;
  EVP_MD_CTX_free(context);
  if (!ok) throw std::runtime_error("cannot sign an ID token");
  signature.resize(size);
  return token + "." + Base64UrlEncode(signature);
}

std::string SigningKeys::Jwks() const {
  boost::json::array keys;
  for (const auto& key : Have(2)) {
    boost::json::object jwk;
    jwk["kty"] = "RSA";
    jwk["use"] = "sig";
    jwk["alg"] = "RS256";
    jwk["kid"] = key->kid;
    jwk["n"] = NumberBase64Url(key->key.get(), OSSL_PKEY_PARAM_RSA_N);
    jwk["e"] = NumberBase64Url(key->key.get(), OSSL_PKEY_PARAM_RSA_E);
    keys.push_back(std::move(jwk));
  }
  boost::json::object set;
  set["keys"] = std::move(keys);
  return boost::json::serialize(set);
}

void SigningKeys::Rotate() {
  Have(1);
  keys_.insert(keys_.begin(), NewKey());
  keys_.resize(2);
}

std::vector<std::string> SigningKeys::kids() const {
  std::vector<std::string> kids;
  for (const auto& key : Have(2)) kids.push_back(key->kid);
  return kids;
}

}  // namespace latchkey::simulator
