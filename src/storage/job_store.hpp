#pragma once

#include "jobs/job_store.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// jobs::JobStore over the database. Loop thread.
class JobStore final : public jobs::JobStore {
 public:
  JobStore(Engine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}

  Task<Result<JobId>> Insert(const jobs::NewJob& job) override;
  Task<Result<std::vector<jobs::Job>>> Claim(const jobs::ClaimQuery& query) override;
  Task<Result<std::vector<jobs::Lease>>> Heartbeat(const std::vector<jobs::Lease>& leases,
                                                   std::chrono::milliseconds lease) override;
  Task<Result<void>> Finish(const jobs::Lease& lease, const jobs::Outcome& outcome, Instant next_run) override;
  Task<Result<std::vector<jobs::Lease>>> FinishAll(const std::vector<jobs::Report>& reports) override;
  Task<Result<int>> Rescue() override;
  Task<Result<int>> RescueWorker(std::string_view worker) override;
  Task<Result<std::optional<Instant>>> NextDue() override;
  Task<Result<jobs::Job>> Get(const JobId& id) override;
  Task<Result<jobs::JobPage>> List(const jobs::JobFilter& filter) override;
  Task<Result<void>> RetryNow(const JobId& id) override;
  Task<Result<void>> Cancel(const JobId& id) override;
  Task<Result<int>> Prune(Instant before, int limit) override;

 private:
  Result<std::vector<jobs::Job>> ClaimBesideOthers(Transaction& transaction, const jobs::ClaimQuery& query,
                                                   const std::string& token, Instant now) const;

  Engine& engine_;
  const Clock& clock_;
};

}  // namespace latchkey::storage
