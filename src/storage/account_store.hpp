#pragma once

#include "connected_accounts/account_store.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// connected_accounts::AccountStore over the database. Loop thread. Split over account_store.cpp (rows and tokens),
/// connection_store.cpp (attempts, storing a connection), account_health_store.cpp (faults, schedule, notices) and
/// erasure_store.cpp.
class AccountStore final : public connected_accounts::AccountStore {
 public:
  AccountStore(Engine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}

  using Account = connected_accounts::ConnectedAccount;
  using Attempt = connected_accounts::ConnectAttempt;
  using Tokens = connected_accounts::SealedTokens;
  using Receipt = connected_accounts::ErasureReceipt;

  Task<Result<void>> InsertAttempt(const Attempt& attempt) override;
  Task<Result<Attempt>> GetAttempt(const UserId& user, const ConnectAttemptId& id) override;
  Task<Result<Attempt>> ConsumeTicket(std::string_view ticket_hash) override;
  Task<Result<void>> FailAttempt(const ConnectAttemptId& id, std::string_view error_code,
                                 const std::map<std::string, std::string>& params) override;
  Task<Result<Account>> FindByProviderAccount(const UserId& user, std::string_view provider,
                                              std::string_view provider_account_id) override;
  Task<Result<ConnectedAccountId>> StoreConnection(const connected_accounts::Connection& connection) override;

  Task<Result<std::vector<Account>>> List(const UserId& user) override;
  Task<Result<Account>> Get(const UserId& user, const ConnectedAccountId& id) override;
  Task<Result<Account>> GetForWork(const ConnectedAccountId& id) override;
  Task<Result<void>> Rename(const UserId& user, const ConnectedAccountId& id, std::string_view display_name) override;
  Task<Result<void>> SetPaused(const UserId& user, const ConnectedAccountId& id, bool paused) override;

  Task<Result<void>> Identify(const ConnectedAccountId& id, std::string_view provider_account_id,
                              std::string_view email) override;

  Task<Result<Tokens>> GetTokens(const ConnectedAccountId& id) override;
  Task<Result<void>> ReplaceTokens(const ConnectedAccountId& id, std::int64_t generation, const Tokens& tokens,
                                   std::int64_t expected_version) override;
  Task<Result<bool>> TryLeaseRefresh(const ConnectedAccountId& id, std::string_view holder, Instant until) override;

  Task<Result<void>> SetFault(const ConnectedAccountId& id, std::int64_t generation, ErrorCode code,
                              std::optional<Instant> next_attempt_at, const jobs::Lease& lease) override;
  Task<Result<void>> ClearFault(const ConnectedAccountId& id, std::int64_t generation,
                                const jobs::Lease& lease) override;
  Task<Result<int>> ScheduleDue(Instant now, Instant next, int limit, std::string_view kind) override;
  Task<Result<void>> KeepClaimsChallenge(const ConnectedAccountId& id, std::int64_t generation,
                                         std::string_view challenge) override;
  Task<Result<int>> ScheduleUnused(Instant used_before, int limit, std::string_view kind) override;
  Task<Result<void>> RequestSync(const UserId& user, const ConnectedAccountId& id) override;

  Task<Result<Receipt>> BeginErase(const UserId& user, const ConnectedAccountId& id) override;
  Task<Result<bool>> EraseSome(const ConnectedAccountId& id, int limit) override;
  Task<Result<void>> MarkRevoked(const ConnectedAccountId& id) override;
  Task<Result<Receipt>> GetErasure(const UserId& user, std::string_view id) override;
  Task<Result<std::map<std::string, std::int64_t>>> PreviewErase(const UserId& user,
                                                                 const ConnectedAccountId& id) override;
  Task<Result<int>> CountSharingGrant(std::string_view provider, std::string_view provider_account_id,
                                      const ConnectedAccountId& except) override;

  Task<Result<ActivityPage>> ListActivity(const UserId& user, const ConnectedAccountId& id, const std::string& cursor,
                                          int limit) override;
  Task<Result<void>> RaiseNotice(std::string_view provider, ErrorCode code, std::string_view reason) override;
  Task<Result<void>> ResolveNotices(std::string_view provider, std::vector<ErrorCode> faults) override;
  Task<Result<std::vector<Notice>>> ListNotices() override;

 private:
  Engine& engine_;
  const Clock& clock_;
};

/// A duration as its column holds it.
std::optional<std::int64_t> SecondsOrNull(const std::optional<std::chrono::seconds>& duration);

/// Names of capabilities as stored in JSON arrays.
std::string CapabilitiesJson(const std::vector<connected_accounts::Capability>& capabilities);
std::vector<connected_accounts::Capability> ParseCapabilities(std::string_view json);

}  // namespace latchkey::storage
