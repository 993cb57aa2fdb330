#include "app/calendar_account_status.hpp"

#include <algorithm>

#include "jobs/job_store.hpp"
#include "telemetry/log.hpp"

namespace latchkey::app {
namespace {

void LogFailure(std::string_view what, const Result<void>& result) {
  if (result || result.error().code == ErrorCode::kFenced || result.error().code == ErrorCode::kNotFound) return;
  log::Warn("calendar.status_not_stored", {{"what", what}, {"error_code", ToString(result.error().code)}});
}

}  // namespace

Task<Result<calendar::AccountStatus::Account>> CalendarAccountStatus::Find(const ConnectedAccountId& account) {
  auto found = co_await store_.GetForWork(account);
  if (!found) co_return Fail(found.error());
  const bool granted =
      std::ranges::find(found->granted, connected_accounts::Capability::kReadCalendar) != found->granted.end();
  Account out;
  out.provider = found->provider;
  out.generation = found->generation;
  out.may_work = granted && !found->paused && !found->disconnecting;
  co_return out;
}

Task<void> CalendarAccountStatus::ReportFault(const jobs::Job& job, const Error& error) {
  const auto done = co_await store_.SetFault(job.account_id, job.generation, error.code, std::nullopt, LeaseOf(job));
  LogFailure("fault", done);
}

Task<void> CalendarAccountStatus::RaiseNotice(std::string_view provider, const Error& error) {
  const auto done = co_await store_.RaiseNotice(provider, error.code);
  LogFailure("notice", done);
}

Task<void> CalendarAccountStatus::ResolveNotice(std::string_view provider) {
  std::vector<ErrorCode> faults{ErrorCode::kApiNotEnabled};
  const auto done = co_await store_.ResolveNotices(provider, std::move(faults));
  LogFailure("notice_over", done);
}

}  // namespace latchkey::app
