#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

struct _cjose_jwk_int;

namespace latchkey::crypto {

/// The algorithms we verify with: asymmetric ones only, so that `none` and HMAC cannot even be named.
enum class JwsAlgorithm { kRs256, kEs256 };
std::string_view ToString(JwsAlgorithm algorithm);
std::optional<JwsAlgorithm> ParseJwsAlgorithm(std::string_view text);

/// A public key for verifying signatures: RSA of 2048 to 8192 bits, or EC on P-256. Only the members that make up the
/// public key are read; certificates and addresses in it are ignored. Copies share the key. One thread at a time.
class VerificationKey {
 public:
  const std::string& kid() const { return kid_; }
  /// What the key may verify: its type allows one algorithm, and its `alg`, when present, agreed.
  JwsAlgorithm algorithm() const { return algorithm_; }
  /// The issuers that the key says it signs for (the `issuer` member of Entra's sets); empty when it says nothing.
  const std::vector<std::string>& issuers() const { return issuers_; }
  _cjose_jwk_int* handle() const { return key_.get(); }

 private:
  friend class Jwks;
  VerificationKey() = default;
  std::string kid_;
  JwsAlgorithm algorithm_ = JwsAlgorithm::kRs256;
  std::vector<std::string> issuers_;
  std::shared_ptr<_cjose_jwk_int> key_;
};

/// A key set (RFC 7517 section 5). Keys that we cannot or must not use (other types or curves, `use` other than sig,
/// short moduli, broken encodings, an `issuer` that is no text) are left out, as that section advises. One key that is
/// listed once per issuer is one key with several.
class Jwks {
 public:
  /// At most 256 KiB and 100 keys. kMalformedReply for anything that is not a key set, and for a member twice.
  static Result<Jwks> Parse(std::string_view text);
  /// nullptr when no usable key has this id. An empty `kid` finds the key of a set that has only one.
  const VerificationKey* Find(std::string_view kid) const;
  std::size_t size() const { return keys_.size(); }

 private:
  std::vector<VerificationKey> keys_;
};

}  // namespace latchkey::crypto
