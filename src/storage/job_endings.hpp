#pragma once

#include <optional>
#include <string>
#include <vector>

#include "jobs/job_store.hpp"
#include "storage/rows.hpp"

/// How an attempt of a job ends, whoever says so: the job's next state, and a line in the log of what was done.
namespace latchkey::storage {

/// False when the lease is no longer the reporter's.
bool EndAttempt(Transaction& transaction, const jobs::Report& report, Instant now);

/// The same for many, on PostgreSQL in one statement for those that are completed; returns the leases that are no
/// longer the reporter's.
std::vector<jobs::Lease> EndAttempts(Transaction& transaction, const std::vector<jobs::Report>& reports, Instant now);

/// Ends the attempts of running jobs whose lease ran out by `lease_until` (on PostgreSQL nothing: by the server's
/// clock), at most `limit`; returns how many.
int RescueJobs(Transaction& transaction, std::optional<Instant> lease_until, int limit, Instant now);

/// Ends the attempts whose lease's token is LIKE `tokens`, at most `limit`; returns how many.
int RescueClaimedBy(Transaction& transaction, const std::string& tokens, int limit, Instant now);

}  // namespace latchkey::storage
