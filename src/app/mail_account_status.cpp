#include "app/mail_account_status.hpp"

#include <algorithm>

#include "jobs/job_store.hpp"
#include "telemetry/log.hpp"

namespace latchkey::app {
namespace {

void LogFailure(std::string_view what, const Result<void>& result) {
  if (result || result.error().code == ErrorCode::kFenced || result.error().code == ErrorCode::kNotFound) return;
  log::Warn("sync.status_not_stored", {{"what", what}, {"error_code", ToString(result.error().code)}});
}

}  // namespace

Task<Result<mail::AccountStatus::Account>> MailAccountStatus::Find(const ConnectedAccountId& account) {
  auto found = co_await store_.GetForWork(account);
  if (!found) co_return Fail(found.error());
  Account out;
  out.user_id = found->user_id;
  out.provider = found->provider;
  out.generation = found->generation;
  out.paused = found->paused;
  out.disconnecting = found->disconnecting;
  out.has_fault = found->fault.has_value();
  out.can_read_mail =
      std::ranges::find(found->granted, connected_accounts::Capability::kReadMail) != found->granted.end();
  out.can_send_mail =
      std::ranges::find(found->granted, connected_accounts::Capability::kSendMail) != found->granted.end();
  out.email = found->email;
  co_return out;
}

Task<void> MailAccountStatus::ReportFault(const jobs::Job& job, const Error& error,
                                          std::optional<Instant> next_attempt_at) {
  const auto done = co_await store_.SetFault(job.account_id, job.generation, error.code, next_attempt_at, LeaseOf(job));
  LogFailure("fault", done);
}

Task<void> MailAccountStatus::ReportSuccess(const jobs::Job& job, std::string_view provider) {
  const auto cleared = co_await store_.ClearFault(job.account_id, job.generation, LeaseOf(job));
  LogFailure("success", cleared);
  // A token that still lives reads mail also while no new one would be given.
  std::vector<ErrorCode> faults{ErrorCode::kApiNotEnabled};
  const auto resolved = co_await store_.ResolveNotices(provider, std::move(faults));
  LogFailure("notices", resolved);
}

Task<void> MailAccountStatus::RaiseNotice(std::string_view provider, const Error& error) {
  const auto done = co_await store_.RaiseNotice(provider, error.code);
  LogFailure("notice", done);
}

}  // namespace latchkey::app
