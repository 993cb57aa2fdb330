#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/jwk.hpp"

namespace latchkey::crypto {

/// Every way in which a signed token can be wrong; one name each, so that tests and logs are exact.
enum class TokenFault {
  kTooLarge,
  kNotThreeParts,
  kBadEncoding,
  kHeaderNotObject,
  kPayloadNotObject,
  kDuplicateMember,
  kAlgorithmMissing,
  kAlgorithmNotAllowed,
  kCriticalHeader,
  kWrongType,
  kBadKeyId,
  kUnknownKey,
  kWrongKeyIssuer,
  kKeyAlgorithmMismatch,
  kBadSignature,
  kClaimMissing,
  kClaimType,
  kWrongIssuer,
  kWrongAudience,
  kUntrustedAudience,
  kWrongAuthorizedParty,
  kExpired,
  kNotYetValid,
  kIssuedInFuture,
  kIssuedTooLongAgo,
  kWrongNonce,
  kWrongAccessTokenHash,
  kBadSubject,
};
/// The stable snake_case name.
std::string_view ToString(TokenFault fault);

template <class T>
using TokenResult = std::expected<T, TokenFault>;

/// A compact JWS (RFC 7515 section 7.1) whose form was checked and whose signature was not. Nothing in it may be
/// believed before Verify.
class UnverifiedJws {
 public:
  /// `allowed`: the algorithms this issuer may use. Keys, certificates and addresses in the header are ignored; a
  /// `crit` header is refused, because we understand no extension.
  static TokenResult<UnverifiedJws> Parse(std::string_view text, const std::vector<JwsAlgorithm>& allowed);

  /// Empty when the header names no key.
  const std::string& kid() const { return kid_; }
  JwsAlgorithm algorithm() const { return algorithm_; }

  /// The payload, if `key` signed it: a JSON object without repeated members.
  TokenResult<boost::json::object> Verify(const VerificationKey& key) const;

  /// The payload's text as it arrived, unproven.
  const std::string& unverified_payload() const { return payload_; }

 private:
  UnverifiedJws() = default;
  std::string compact_;
  std::string payload_;
  std::string kid_;
  JwsAlgorithm algorithm_ = JwsAlgorithm::kRs256;
};

}  // namespace latchkey::crypto
