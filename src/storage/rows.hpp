#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "events/event.hpp"
#include "jobs/job.hpp"
#include "mail/message_store.hpp"
#include "storage/engine.hpp"
#include "storage/statement.hpp"

/// Rows that more than one store writes, always inside the caller's transaction.
namespace latchkey::storage {

/// Inserts a job as NewJob describes it, wakes the executor after the commit. Returns the id of the job that now stands
/// for the request: the new one, or the one that holds its unique key.
Result<JobId> InsertJob(Transaction& transaction, const jobs::NewJob& job, Instant now);

/// Cancels the account's waiting jobs of these kinds (all kinds when empty). Running ones end by their fence.
void CancelWaitingJobs(Transaction& transaction, const ConnectedAccountId& account,
                       const std::vector<std::string_view>& kinds, Instant now);

/// Writes an event and wakes the user's streams after the commit.
void WriteEvent(Transaction& transaction, const events::NewEvent& event, Instant now);
/// "account.updated" for an account of this user.
void WriteAccountUpdated(Transaction& transaction, const UserId& user, const ConnectedAccountId& account, Instant now);

struct FencedAccount {
  UserId user_id;
};
/// The account's owner when the fence still holds, inside the transaction that writes: kFenced when the account is
/// gone, of another generation, paused or disconnecting; kLeaseLost when the job's lease is set and no longer valid.
/// kLeaseLost when the job's lease is set and no longer valid.
Result<void> CheckLease(Transaction& transaction, const jobs::Lease& lease);
Result<FencedAccount> CheckFence(Transaction& transaction, const mail::WriteFence& fence);

/// What leases are counted from on PostgreSQL: nothing, which stands for the server's own clock, the same for all
/// processes; a clock that was put in place of the system's stands for the server's too.
std::optional<Instant> LeaseNow(const Clock& clock);

/// A JSON array of strings, and back. Parse trusts what this writer wrote and gives nothing for anything else.
std::string ToJsonArray(const std::vector<std::string>& items);
std::vector<std::string> ParseJsonArray(std::string_view json);
/// The same for an object of strings.
std::string ToJsonObject(const std::map<std::string, std::string>& members);
std::map<std::string, std::string> ParseTextMap(std::string_view json);
/// A JSON string with its quotes.
std::string JsonString(std::string_view text);

}  // namespace latchkey::storage
