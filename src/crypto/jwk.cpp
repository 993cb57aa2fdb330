#include "crypto/jwk.hpp"

#include <cjose/cjose.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>

#include "base/encoding.hpp"
#include "crypto/strict_json.hpp"

namespace latchkey::crypto {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxSet = 256 * 1024;
constexpr std::size_t kMaxKeys = 100;
constexpr std::size_t kMaxKid = 256;
constexpr std::size_t kMinRsaBits = 2048;
constexpr std::size_t kMaxRsaBits = 8192;
constexpr std::size_t kP256Bytes = 32;

/// RFC 7515 section 2: base64url without padding.
std::optional<std::string> UnpaddedMember(const json::object& key, std::string_view name) {
  const auto text = StringMember(key, name);
  if (!text || text->find('=') != std::string_view::npos) return std::nullopt;
  return Base64UrlDecode(*text);
}

std::size_t BitsOf(std::string_view number) {
  while (!number.empty() && number.front() == '\0') number.remove_prefix(1);
  if (number.empty()) return 0;
  std::size_t bits = number.size() * 8;
  for (auto first = static_cast<unsigned char>(number.front()); (first & 0x80) == 0; first <<= 1) --bits;
  return bits;
}

/// What the key may be used for, as far as it says so.
bool MayVerify(const json::object& key) {
  if (key.contains("use") && StringMember(key, "use") != "sig") return false;
  const json::value* operations = key.if_contains("key_ops");
  if (operations == nullptr) return true;
  if (!operations->is_array()) return false;
  for (const json::value& operation : operations->get_array()) {
    if (operation.is_string() && operation.get_string() == "verify") return true;
  }
  return false;
}

std::shared_ptr<_cjose_jwk_int> Import(const json::object& public_members) {
  const std::string text = json::serialize(public_members);
  cjose_err error{};
  cjose_jwk_t* key = cjose_jwk_import(text.data(), text.size(), &error);
  return {key, [](cjose_jwk_t* used) {
            if (used != nullptr) cjose_jwk_release(used);
          }};
}

std::shared_ptr<_cjose_jwk_int> ImportRsa(const json::object& key) {
  const auto modulus = UnpaddedMember(key, "n");
  const auto exponent = UnpaddedMember(key, "e");
  if (!modulus || !exponent) return nullptr;
  const std::size_t bits = BitsOf(*modulus);
  const std::size_t exponent_bits = BitsOf(*exponent);
  if (bits < kMinRsaBits || bits > kMaxRsaBits) return nullptr;
  // Odd, above 1, and small enough for a verification to stay cheap.
  if (exponent_bits < 2 || exponent_bits > 64 || (static_cast<unsigned char>(exponent->back()) & 1) == 0) {
    return nullptr;
  }
  return Import({{"kty", "RSA"}, {"n", key.at("n")}, {"e", key.at("e")}});
}

std::shared_ptr<_cjose_jwk_int> ImportEc(const json::object& key) {
  const auto x = UnpaddedMember(key, "x");
  const auto y = UnpaddedMember(key, "y");
  if (StringMember(key, "crv") != "P-256" || !x || !y || x->size() != kP256Bytes || y->size() != kP256Bytes) {
    return nullptr;
  }
  return Import({{"kty", "EC"}, {"crv", "P-256"}, {"x", key.at("x")}, {"y", key.at("y")}});
}

bool SamePublicKey(const VerificationKey& a, const VerificationKey& b) {
  cjose_err error{};
  const auto text = [&](const VerificationKey& key) {
    char* json = cjose_jwk_to_json(key.handle(), false, &error);
    std::string copy = json == nullptr ? std::string() : std::string(json);
    cjose_get_dealloc()(json);
    return copy;
  };
  const std::string first = text(a);
  return !first.empty() && first == text(b);
}

}  // namespace

std::string_view ToString(JwsAlgorithm algorithm) { return algorithm == JwsAlgorithm::kRs256 ? "RS256" : "ES256"; }

std::optional<JwsAlgorithm> ParseJwsAlgorithm(std::string_view text) {
  if (text == "RS256") return JwsAlgorithm::kRs256;
  if (text == "ES256") return JwsAlgorithm::kEs256;
  return std::nullopt;
}

Result<Jwks> Jwks::Parse(std::string_view text) {
  JsonFault fault{};
  const auto set = ParseStrictObject(text, kMaxSet, fault);
  if (!set) return Fail(ErrorCode::kMalformedReply, "key set is not a strict JSON object");
  const json::value* keys = set->if_contains("keys");
  if (keys == nullptr || !keys->is_array()) return Fail(ErrorCode::kMalformedReply, "key set without keys");
  if (keys->get_array().size() > kMaxKeys) return Fail(ErrorCode::kMalformedReply, "key set has too many keys");
  Jwks jwks;
  for (const json::value& item : keys->get_array()) {
    if (!item.is_object()) continue;
    const json::object& key = item.get_object();
    const auto kty = StringMember(key, "kty");
    if (!kty || !MayVerify(key)) continue;
    VerificationKey parsed;
    if (*kty == "RSA") {
      parsed.algorithm_ = JwsAlgorithm::kRs256;
      parsed.key_ = ImportRsa(key);
    } else if (*kty == "EC") {
      parsed.algorithm_ = JwsAlgorithm::kEs256;
      parsed.key_ = ImportEc(key);
    }
    if (!parsed.key_) continue;
    if (key.contains("alg") && StringMember(key, "alg") != ToString(parsed.algorithm_)) continue;
    const auto kid = StringMember(key, "kid");
    if (key.contains("kid") && (!kid || kid->size() > kMaxKid)) continue;
    parsed.kid_ = std::string(kid.value_or(""));
    if (key.contains("issuer")) {
      const auto issuer = StringMember(key, "issuer");
      if (!issuer) continue;
      parsed.issuers_.emplace_back(*issuer);
      const auto it = std::ranges::find_if(jwks.keys_, [&](const VerificationKey& known) {
        return !known.kid_.empty() && known.kid_ == parsed.kid_ && SamePublicKey(known, parsed);
      });
      if (it != jwks.keys_.end() && !it->issuers_.empty()) {
        it->issuers_.push_back(std::move(parsed.issuers_.front()));
        continue;
      }
    }
    jwks.keys_.push_back(std::move(parsed));
  }
  return jwks;
}

const VerificationKey* Jwks::Find(std::string_view kid) const {
  if (kid.empty()) return keys_.size() == 1 ? &keys_.front() : nullptr;
  for (const VerificationKey& key : keys_) {
    if (key.kid() == kid) return &key;
  }
  return nullptr;
}

}  // namespace latchkey::crypto
