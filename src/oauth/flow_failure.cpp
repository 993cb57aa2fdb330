#include "oauth/flow_failure.hpp"

#include "base/encoding.hpp"
#include "crypto/strict_json.hpp"
#include "telemetry/log.hpp"

namespace latchkey::oauth {
namespace {

constexpr std::size_t kMaxPayload = 32 * 1024;

std::string ClaimedSubject(const SecretString& id_token) {
  const std::string& text = id_token.Reveal();
  const std::size_t first = text.find('.');
  if (first == std::string::npos) return {};
  const std::size_t second = text.find('.', first + 1);
  if (second == std::string::npos) return {};
  const auto payload = Base64UrlDecode(std::string_view(text).substr(first + 1, second - first - 1));
  crypto::JsonFault fault{};
  const auto claims = crypto::ParseStrictObject(payload.value_or(""), kMaxPayload, fault);
  if (!claims) return {};
  return std::string(crypto::StringMember(*claims, "sub").value_or(""));
}

}  // namespace

ErrorCode MeaningOfRedirectError(const RedirectError& redirect) {
  const std::string_view error = redirect.error;
  if (error == "access_denied" || error == "consent_required" || error == "interaction_required" ||
      error == "login_required" || error == "account_selection_required") {
    return ErrorCode::kAccessDenied;
  }
  if (error == "admin_policy_enforced" || error == "org_internal") return ErrorCode::kPolicyEnforced;
  if (error == "temporarily_unavailable" || error == "server_error") return ErrorCode::kProviderUnavailable;
  if (error == "unauthorized_client" || error == "invalid_client") return ErrorCode::kInvalidClient;
  if (error == "redirect_uri_mismatch") return ErrorCode::kRedirectUriMismatch;
  return ErrorCode::kSignInFailed;
}

std::string_view ShownCode(ErrorCode code) {
  switch (code) {
    case ErrorCode::kStateMismatch:
    case ErrorCode::kStateExpired:
    case ErrorCode::kAccessDenied:
    case ErrorCode::kRequiredScopeMissing:
    case ErrorCode::kNoRefreshToken:
    case ErrorCode::kWrongAccount:
    case ErrorCode::kAlreadyConnected:
    case ErrorCode::kPolicyEnforced:
    case ErrorCode::kMfaRequired:
    case ErrorCode::kAdminConsentRequired:
    case ErrorCode::kConditionalAccess:
    case ErrorCode::kTenantNotAllowed:
    case ErrorCode::kInvalidClient:
    case ErrorCode::kRedirectUriMismatch:
    case ErrorCode::kProviderNotConfigured:
    case ErrorCode::kForbidden:
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kNotFound:
    case ErrorCode::kConflict:
    case ErrorCode::kStorageUnavailable:
    case ErrorCode::kDiskFull:
    case ErrorCode::kOverloaded:
      return ToString(code);
    case ErrorCode::kProviderUnavailable:
    case ErrorCode::kRateLimited:
    case ErrorCode::kQuotaExceeded:
    case ErrorCode::kTimeout:
    case ErrorCode::kMalformedReply:
      return ToString(ErrorCode::kProviderUnavailable);
    case ErrorCode::kInternal:
      return ToString(ErrorCode::kInternal);
    default:
      return ToString(ErrorCode::kSignInFailed);
  }
}

Task<void> RevokeUnused(IdentityProvider& provider, ProviderRecords& records, const TokenSet& tokens,
                        std::string subject) {
  if (subject.empty()) subject = ClaimedSubject(tokens.id_token);
  if (!subject.empty()) {
    const bool in_use = co_await records.GrantInUse(provider.name(), subject);
    if (in_use) co_return;
  }
  const SecretString& token = tokens.refresh_token.empty() ? tokens.access_token : tokens.refresh_token;
  const auto revoked = co_await provider.Revoke(token);
  if (revoked) {
    if (*revoked == Revocation::kNotOffered) co_return;
    log::Info("oauth.grant_revoked", {{"provider", provider.name()}});
  } else {
    log::Warn("oauth.revoke_failed", {{"provider", provider.name()},
                                      {"error_code", ToString(revoked.error().code)},
                                      {"detail", revoked.error().detail}});
  }
}

}  // namespace latchkey::oauth
