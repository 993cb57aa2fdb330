#include "mail/fault_policy.hpp"

#include <algorithm>
#include <functional>

#include "telemetry/log.hpp"

namespace latchkey::mail {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kMaxRemembered = 10'000;
/// A pause this short is part of an ordinary import and no state to show anybody.
constexpr milliseconds kUnremarkable = seconds(60);

}  // namespace

milliseconds FaultPolicy::Backoff(const ConnectedAccountId& account, int failures) {
  const milliseconds longest = minutes(15);
  const milliseconds pause = std::min<milliseconds>(longest, seconds(5) * (1 << std::clamp(failures - 1, 0, 10)));
  const auto spread = static_cast<std::int64_t>(std::hash<ConnectedAccountId>()(account) % 200);
  return pause * (1000 + spread) / 1000;
}

Task<jobs::Outcome> FaultPolicy::Conclude(const jobs::Job& job, const std::string& provider, Error error) {
  const ConnectedAccountId& account = job.account_id;
  log::Info(
      "mail.sync.interrupted",
      {{"job", job.kind}, {"account_id", account}, {"error_code", ToString(error.code)}, {"detail", error.detail}});
  jobs::Outcome outcome;
  switch (OwnerOf(error.code)) {
    case FaultOwner::kAccount:
      co_await parts_.status.ReportFault(job, error, std::nullopt);
      outcome.kind = jobs::Outcome::Kind::kCancelled;
      outcome.error = std::move(error);
      co_return outcome;
    case FaultOwner::kOperator: {
      quiet_providers_.erase(provider);
      co_await parts_.status.RaiseNotice(provider, error);
      const milliseconds pause = error.retry_after.value_or(probe_.NextTry(provider, parts_.clock.Now()));
      co_return jobs::Outcome::WaitFor(std::move(error), pause);
    }
    case FaultOwner::kProvider: {
      if (failures_.size() >= kMaxRemembered) failures_.clear();
      int failures = failures_[account];
      const milliseconds pause = error.retry_after.value_or(Backoff(account, failures + 1));
      // Waiting for a budget that fills up evenly is no failure.
      if (!(error.code == ErrorCode::kRateLimited && pause < kUnremarkable)) {
        failures_[account] = failures + 1;
        const Instant next = parts_.clock.Now() + pause;
        co_await parts_.status.ReportFault(job, error, next);
      }
      co_return jobs::Outcome::Snooze(pause);
    }
    case FaultOwner::kOurselves:
      if (error.code == ErrorCode::kFenced || error.code == ErrorCode::kLeaseLost ||
          error.code == ErrorCode::kCancelled) {
        outcome.kind = jobs::Outcome::Kind::kCancelled;
        outcome.error = std::move(error);
        co_return outcome;
      }
      co_return jobs::Outcome::Retry(std::move(error));
    case FaultOwner::kCaller:
      break;
  }
  co_return jobs::Outcome::Retry(std::move(error));
}

Task<void> FaultPolicy::Succeeded(const jobs::Job& job, const AccountStatus::Account& account) {
  const bool had_failures = failures_.erase(job.account_id) > 0;
  const bool first = quiet_providers_.insert(account.provider).second;
  // A poll that finds nothing must not cost writes.
  if (!had_failures && !first && !account.has_fault) co_return;
  co_await parts_.status.ReportSuccess(job, account.provider);
}

bool IsItemFailure(ErrorCode code) {
  return code == ErrorCode::kMalformedReply || code == ErrorCode::kInvalidArgument || code == ErrorCode::kForbidden ||
         code == ErrorCode::kNotFound || code == ErrorCode::kInternal || code == ErrorCode::kPayloadTooLarge;
}

}  // namespace latchkey::mail
