#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "simulator/accounts.hpp"
#include "simulator/google/signing_keys.hpp"
#include "simulator/grant.hpp"

namespace latchkey::simulator {

/// Ways for an ID token to be wrong, or unusual (kShortIssuer and kStringVerified are forms Google has really sent).
enum class IdTokenVariant {
  kCorrect,
  kExpired,
  kWrongAudience,
  kWrongIssuer,
  kShortIssuer,
  kWrongNonce,
  kNoNonce,
  kBadSignature,
  kUnknownKid,
  kAlgNone,
  kUnverifiedEmail,
  kStringVerified,
  kWrongSubject,
  kForeignKey,      ///< Microsoft: signed by the other side of Entra (personal instead of work, or the reverse).
  kWrongTenant,     ///< Microsoft: `tid` of one tenant, `iss` of another.
  kTemplateIssuer,  ///< Microsoft: `iss` is the template of the common document.
};
/// "wrong_nonce" and so on; nullopt for anything else.
std::optional<IdTokenVariant> ParseIdTokenVariant(std::string_view name);

struct IdTokenFacts {
  std::string issuer;
  std::string nonce;  ///< Empty: none was sent.
  std::string access_token;
  IdTokenVariant variant = IdTokenVariant::kCorrect;
};

/// Claims as Google's (email and profile claims follow the scopes), times of the machine's own clock.
std::string MakeIdToken(const SigningKeys& keys, const Grant& grant, const IdTokenFacts& facts);

}  // namespace latchkey::simulator
