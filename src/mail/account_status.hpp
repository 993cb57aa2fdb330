#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "jobs/job.hpp"

namespace latchkey::mail {

/// Where the sync says how an account fares; app wires it to connected_accounts. The three kinds of fault (law six) are
/// told apart here: an account's fault is shown to its owner, an operator's raises one notice however many accounts
/// meet it, a provider's only says when the next try is.
class AccountStatus {
 public:
  virtual ~AccountStatus() = default;
  /// Which provider the account is at, and whether work may be done for it now.
  struct Account {
    UserId user_id;
    std::string provider;
    std::int64_t generation = 0;
    bool paused = false;
    bool disconnecting = false;
    bool can_read_mail = true;
    bool can_send_mail = true;
    std::string email;
    /// Something held the account until now: work that gave up meanwhile has to be queued again.
    bool has_fault = false;
  };
  virtual Task<Result<Account>> Find(const ConnectedAccountId& account) = 0;
  /// Records what holds the job's account and when the next attempt is; nothing when the job is no longer the caller's.
  virtual Task<void> ReportFault(const jobs::Job& job, const Error& error, std::optional<Instant> next_attempt_at) = 0;
  /// A call for the account worked again: clears its fault, and the provider's notices.
  virtual Task<void> ReportSuccess(const jobs::Job& job, std::string_view provider) = 0;
  virtual Task<void> RaiseNotice(std::string_view provider, const Error& error) = 0;
};

}  // namespace latchkey::mail
