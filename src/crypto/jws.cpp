#include "crypto/jws.hpp"

#include <cjose/cjose.h>

#include <algorithm>
#include <memory>

#include "base/encoding.hpp"
#include "crypto/strict_json.hpp"

namespace latchkey::crypto {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxToken = 32 * 1024;
constexpr std::size_t kMaxKid = 256;

/// RFC 7515 section 2: no padding.
std::optional<std::string> DecodePart(std::string_view part) {
  if (part.empty() || part.find('=') != std::string_view::npos) return std::nullopt;
  return Base64UrlDecode(part);
}

TokenFault FaultOf(JsonFault fault, TokenFault otherwise) {
  return fault == JsonFault::kDuplicateMember ? TokenFault::kDuplicateMember : otherwise;
}

/// RFC 8725 section 3.11: a token of another kind does not pass. Absent means an ordinary JWT.
bool IsJwtType(const json::object& header) {
  if (!header.contains("typ")) return true;
  const auto type = StringMember(header, "typ");
  if (!type) return false;
  std::string lower(*type);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower == "jwt" || lower == "application/jwt";
}

struct ReleaseJws {
  void operator()(cjose_jws_t* jws) const { cjose_jws_release(jws); }
};

}  // namespace

std::string_view ToString(TokenFault fault) {
  switch (fault) {
    case TokenFault::kTooLarge:
      return "too_large";
    case TokenFault::kNotThreeParts:
      return "not_three_parts";
    case TokenFault::kBadEncoding:
      return "bad_encoding";
    case TokenFault::kHeaderNotObject:
      return "header_not_object";
    case TokenFault::kPayloadNotObject:
      return "payload_not_object";
    case TokenFault::kDuplicateMember:
      return "duplicate_member";
    case TokenFault::kAlgorithmMissing:
      return "algorithm_missing";
    case TokenFault::kAlgorithmNotAllowed:
      return "algorithm_not_allowed";
    case TokenFault::kCriticalHeader:
      return "critical_header";
    case TokenFault::kWrongType:
      return "wrong_type";
    case TokenFault::kBadKeyId:
      return "bad_key_id";
    case TokenFault::kUnknownKey:
      return "unknown_key";
    case TokenFault::kWrongKeyIssuer:
      return "wrong_key_issuer";
    case TokenFault::kKeyAlgorithmMismatch:
      return "key_algorithm_mismatch";
    case TokenFault::kBadSignature:
      return "bad_signature";
    case TokenFault::kClaimMissing:
      return "claim_missing";
    case TokenFault::kClaimType:
      return "claim_type";
    case TokenFault::kWrongIssuer:
      return "wrong_issuer";
    case TokenFault::kWrongAudience:
      return "wrong_audience";
    case TokenFault::kUntrustedAudience:
      return "untrusted_audience";
    case TokenFault::kWrongAuthorizedParty:
      return "wrong_authorized_party";
    case TokenFault::kExpired:
      return "expired";
    case TokenFault::kNotYetValid:
      return "not_yet_valid";
    case TokenFault::kIssuedInFuture:
      return "issued_in_future";
    case TokenFault::kIssuedTooLongAgo:
      return "issued_too_long_ago";
    case TokenFault::kWrongNonce:
      return "wrong_nonce";
    case TokenFault::kWrongAccessTokenHash:
      return "wrong_access_token_hash";
    case TokenFault::kBadSubject:
      return "bad_subject";
  }
  return "unknown";
}

TokenResult<UnverifiedJws> UnverifiedJws::Parse(std::string_view text, const std::vector<JwsAlgorithm>& allowed) {
  if (text.size() > kMaxToken) return std::unexpected(TokenFault::kTooLarge);
  if (std::ranges::count(text, '.') != 2) return std::unexpected(TokenFault::kNotThreeParts);
  const std::size_t first = text.find('.');
  const std::size_t second = text.find('.', first + 1);
  const std::string_view signature = text.substr(second + 1);
  const auto header_text = DecodePart(text.substr(0, first));
  auto payload = DecodePart(text.substr(first + 1, second - first - 1));
  if (!header_text || !payload) return std::unexpected(TokenFault::kBadEncoding);
  JsonFault fault{};
  const auto header = ParseStrictObject(*header_text, kMaxToken, fault);
  if (!header) return std::unexpected(FaultOf(fault, TokenFault::kHeaderNotObject));
  if (header->contains("crit")) return std::unexpected(TokenFault::kCriticalHeader);
  const auto algorithm_name = StringMember(*header, "alg");
  if (!algorithm_name) return std::unexpected(TokenFault::kAlgorithmMissing);
  const auto algorithm = ParseJwsAlgorithm(*algorithm_name);
  if (!algorithm || std::ranges::find(allowed, *algorithm) == allowed.end()) {
    return std::unexpected(TokenFault::kAlgorithmNotAllowed);
  }
  // After the algorithm, so that the unsigned form of `none` is told by its right name.
  if (!DecodePart(signature)) return std::unexpected(TokenFault::kBadEncoding);
  if (!IsJwtType(*header)) return std::unexpected(TokenFault::kWrongType);
  const auto kid = StringMember(*header, "kid");
  if (header->contains("kid") && (!kid || kid->empty() || kid->size() > kMaxKid)) {
    return std::unexpected(TokenFault::kBadKeyId);
  }
  UnverifiedJws jws;
  jws.compact_ = std::string(text);
  jws.payload_ = std::move(*payload);
  jws.kid_ = std::string(kid.value_or(""));
  jws.algorithm_ = *algorithm;
  return jws;
}

TokenResult<json::object> UnverifiedJws::Verify(const VerificationKey& key) const {
  if (key.algorithm() != algorithm_) return std::unexpected(TokenFault::kKeyAlgorithmMismatch);
  if (!kid_.empty() && key.kid() != kid_) return std::unexpected(TokenFault::kUnknownKey);
  cjose_err error{};
  const std::unique_ptr<cjose_jws_t, ReleaseJws> jws(cjose_jws_import(compact_.data(), compact_.size(), &error));
  if (!jws || !cjose_jws_verify(jws.get(), key.handle(), &error)) return std::unexpected(TokenFault::kBadSignature);
  JsonFault fault{};
  auto payload = ParseStrictObject(payload_, kMaxToken, fault);
  if (!payload) return std::unexpected(FaultOf(fault, TokenFault::kPayloadNotObject));
  return std::move(*payload);
}

}  // namespace latchkey::crypto
