#include "providers/microsoft/entra_errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <charconv>
#include <optional>
#include <span>
#include <vector>

#include "base/encoding.hpp"
#include "crypto/strict_json.hpp"

namespace latchkey::microsoft {
namespace {

namespace bj = boost::json;
using oauth::Grant;

constexpr std::size_t kMaxChallenge = 4096;
constexpr std::size_t kMaxCodes = 16;

/// What the numbers mean that call for something else than signing in again ("Microsoft Entra authentication and
/// authorization error codes").
struct Row {
  int number;
  ErrorCode code;
  std::string_view reason = {};
};
constexpr Row kRows[] = {
    {50072, ErrorCode::kMfaRequired},
    {50074, ErrorCode::kMfaRequired},
    {50076, ErrorCode::kMfaRequired},
    {50078, ErrorCode::kMfaRequired},
    {50079, ErrorCode::kMfaRequired},
    {50005, ErrorCode::kConditionalAccess},
    {50097, ErrorCode::kConditionalAccess},
    {50158, ErrorCode::kConditionalAccess},
    {53000, ErrorCode::kConditionalAccess},
    {53001, ErrorCode::kConditionalAccess},
    {53002, ErrorCode::kConditionalAccess},
    {53003, ErrorCode::kConditionalAccess},
    {53004, ErrorCode::kConditionalAccess},
    {530003, ErrorCode::kConditionalAccess},
    {530034, ErrorCode::kConditionalAccess},
    {90094, ErrorCode::kAdminConsentRequired},
    {90095, ErrorCode::kAdminConsentRequired},
    {65004, ErrorCode::kAccessDenied},
    {50105, ErrorCode::kPolicyEnforced},
    {50020, ErrorCode::kTenantNotAllowed},
    {50011, ErrorCode::kRedirectUriMismatch},
    {7000222, ErrorCode::kInvalidClient, "client_secret_expired"},
    {7000215, ErrorCode::kInvalidClient, "client_secret_wrong"},
    {7000218, ErrorCode::kInvalidClient, "client_secret_missing"},
    {700016, ErrorCode::kInvalidClient, "application_unknown"},
    {70001, ErrorCode::kInvalidClient, "application_unknown"},
    {7000112, ErrorCode::kInvalidClient, "application_disabled"},
    {50194, ErrorCode::kInvalidClient, "application_single_tenant"},
    {50196, ErrorCode::kRateLimited},
    {90033, ErrorCode::kProviderUnavailable},
    {50033, ErrorCode::kProviderUnavailable},
};

constexpr int kConsentMissing = 65001;

const Row* Find(std::span<const int> numbers) {
  for (const int number : numbers) {
    const auto* row = std::ranges::find(kRows, number, &Row::number);
    if (row != std::end(kRows)) return row;
  }
  return nullptr;
}

std::vector<int> NumbersOf(const bj::object& reply) {
  std::vector<int> numbers;
  const bj::value* codes = reply.if_contains("error_codes");
  if (codes == nullptr || !codes->is_array()) return numbers;
  for (const bj::value& code : codes->get_array()) {
    if (numbers.size() == kMaxCodes) break;
    if (!code.is_int64() || code.get_int64() < 1 || code.get_int64() > 99'999'999) continue;
    numbers.push_back(static_cast<int>(code.get_int64()));
  }
  return numbers;
}

/// "AADSTS65004: ..." or an escaped form of it.
std::vector<int> NumberIn(std::string_view description) {
  constexpr std::string_view kMark = "AADSTS";
  const std::size_t at = description.find(kMark);
  if (at == std::string_view::npos) return {};
  const char* begin = description.data() + at + kMark.size();
  int number = 0;
  const auto [end, error] = std::from_chars(begin, description.data() + description.size(), number);
  if (error != std::errc() || number <= 0) return {};
  return {number};
}

std::string CheckedChallenge(std::string_view text) {
  crypto::JsonFault fault{};
  if (text.empty() || !crypto::ParseStrictObject(text, kMaxChallenge, fault)) return {};
  return std::string(text);
}

/// What the flow cannot get over without the person.
ErrorCode Ended(Grant grant) {
  return grant == Grant::kRefreshToken ? ErrorCode::kReauthInvalidGrant : ErrorCode::kSignInFailed;
}

/// The person is asked for something more: the numbers say what.
ErrorCode Interaction(const Row* row, ErrorCode otherwise) {
  const bool known = row != nullptr && OwnerOf(row->code) == FaultOwner::kAccount;
  return known ? row->code : otherwise;
}

ErrorCode MeaningOf(std::string_view error, std::string_view suberror, const Row* row, int number, Grant grant) {
  if (error == "invalid_client" || error == "unauthorized_client") return ErrorCode::kInvalidClient;
  if (error == "temporarily_unavailable" || error == "server_error") {
    return row != nullptr && row->code == ErrorCode::kRateLimited ? row->code : ErrorCode::kProviderUnavailable;
  }
  // A person who is at a browser has just been asked and could not consent. Behind a refresh the consent has been taken
  // back; whether the person may give it again shows when they sign in.
  if (error == "consent_required" || suberror == "consent_required" || number == kConsentMissing) {
    return grant == Grant::kRefreshToken ? ErrorCode::kReauthInvalidGrant : ErrorCode::kAdminConsentRequired;
  }
  if (suberror == "bad_token" || suberror == "token_expired" || suberror == "user_password_expired") {
    return Ended(grant);
  }
  if (suberror == "message_only") return Interaction(row, ErrorCode::kConditionalAccess);
  if (suberror == "basic_action" || suberror == "additional_action") {
    return Interaction(row, ErrorCode::kMfaRequired);
  }
  if (row != nullptr && row->code != ErrorCode::kAccessDenied) return row->code;
  if (error == "interaction_required" || error == "login_required" || error == "invalid_grant") return Ended(grant);
  // invalid_request, invalid_scope, unsupported_grant_type: what we sent is wrong.
  return ErrorCode::kInternal;
}

}  // namespace

oauth::TokenRefusal ClassifyEntraTokenError(const http_client::HttpResponse& response, Grant grant) {
  oauth::TokenRefusal refusal(Error{.code = ErrorCode::kMalformedReply,
                                    .detail = fmt::format("token endpoint: status {}", response.status),
                                    .retry_after = oauth::RetryAfterOf(response)});
  crypto::JsonFault fault{};
  const auto reply = crypto::ParseStrictObject(response.body, oauth::kMaxProviderDocument, fault);
  std::string error;
  std::vector<int> numbers;
  if (reply) {
    error = oauth::SafeErrorCode(crypto::StringMember(*reply, "error"));
    numbers = NumbersOf(*reply);
  }
  if (!error.empty()) refusal.detail += ", " + error;
  if (!numbers.empty()) refusal.detail += fmt::format(", {}", numbers.front());
  if (response.status == 429) {
    refusal.code = ErrorCode::kRateLimited;
  } else if (response.status >= 500 || response.status == 408) {
    refusal.code = ErrorCode::kProviderUnavailable;
  } else if (!error.empty()) {
    const std::string suberror = oauth::SafeErrorCode(crypto::StringMember(*reply, "suberror"));
    if (!suberror.empty()) refusal.detail += ", " + suberror;
    const Row* row = Find(numbers);
    refusal.code = MeaningOf(error, suberror, row, numbers.empty() ? 0 : numbers.front(), grant);
    if (row != nullptr && row->code == refusal.code) refusal.reason = row->reason;
    refusal.claims_challenge = CheckedChallenge(crypto::StringMember(*reply, "claims").value_or(""));
  }
  return refusal;
}

ErrorCode MeaningOfEntraRedirect(const oauth::RedirectError& redirect) {
  const auto numbers = NumberIn(redirect.description);
  const Row* row = Find(numbers);
  if (redirect.error == "temporarily_unavailable" || redirect.error == "server_error") {
    return ErrorCode::kProviderUnavailable;
  }
  if (redirect.error == "invalid_client" || redirect.error == "unauthorized_client") {
    return row != nullptr && OwnerOf(row->code) == FaultOwner::kAccount ? row->code : ErrorCode::kInvalidClient;
  }
  if (row != nullptr) return row->code;
  if (redirect.suberror == "consent_required" || (!numbers.empty() && numbers.front() == kConsentMissing)) {
    return ErrorCode::kAdminConsentRequired;
  }
  if (redirect.error == "access_denied" || redirect.error == "consent_required" ||
      redirect.error == "interaction_required" || redirect.error == "login_required" ||
      redirect.error == "account_selection_required") {
    return ErrorCode::kAccessDenied;
  }
  return ErrorCode::kSignInFailed;
}

std::string ClaimsChallengeOf(std::string_view www_authenticate) {
  constexpr std::string_view kName = "claims=\"";
  const std::size_t at = www_authenticate.find(kName);
  if (at == std::string_view::npos || !www_authenticate.contains("insufficient_claims")) return {};
  std::string_view value = www_authenticate.substr(at + kName.size());
  const std::size_t end = value.find('"');
  if (end == std::string_view::npos || end > 2 * kMaxChallenge) return {};
  value = value.substr(0, end);
  auto decoded = Base64Decode(value);
  if (!decoded) decoded = Base64UrlDecode(value);
  return decoded ? CheckedChallenge(*decoded) : std::string();
}

}  // namespace latchkey::microsoft
