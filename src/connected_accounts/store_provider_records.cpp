#include "connected_accounts/store_provider_records.hpp"

#include "telemetry/log.hpp"

namespace latchkey::connected_accounts {

Task<bool> StoreProviderRecords::GrantInUse(std::string_view provider, std::string_view subject) {
  const ConnectedAccountId nobody;
  const auto sharing = co_await store_.CountSharingGrant(provider, subject, nobody);
  if (!sharing) {
    log::Warn("oauth.grant_use_unknown", {{"provider", provider}, {"error_code", ToString(sharing.error().code)}});
    co_return true;
  }
  co_return *sharing > 0;
}

Task<void> StoreProviderRecords::RaiseOperatorFault(std::string_view provider, ErrorCode code,
                                                    std::string_view reason) {
  log::Failure("oauth.operator_fault", {{"provider", provider}, {"error_code", ToString(code)}, {"reason", reason}});
  const auto raised = co_await store_.RaiseNotice(provider, code, reason);
  if (!raised) log::Warn("oauth.notice_lost", {{"error_code", ToString(raised.error().code)}});
}

Task<void> StoreProviderRecords::ResolveOperatorFaults(std::string_view provider) {
  // A token was given: whether the provider's interfaces are open is another matter.
  std::vector<ErrorCode> faults{ErrorCode::kInvalidClient, ErrorCode::kRedirectUriMismatch,
                                ErrorCode::kProviderNotConfigured};
  const auto resolved = co_await store_.ResolveNotices(provider, std::move(faults));
  if (!resolved) log::Warn("oauth.notice_kept", {{"error_code", ToString(resolved.error().code)}});
}

}  // namespace latchkey::connected_accounts
