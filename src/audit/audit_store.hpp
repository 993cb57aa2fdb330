#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "mail/message_store.hpp"

namespace latchkey::audit {

/// What is compared: a service of an account is compared on its own.
enum class Service { kMail, kCalendar };
std::string_view ToString(Service service);  ///< "mail", "calendar"

/// How a service's comparison goes on; every step is stored, so that a killed audit resumes where it was.
///
///   listing -> finding_missing -> finding_surplus -> waiting -> confirming -> done
///
/// The list goes into the database page by page, is compared there with what is stored in chunks (memory stays flat),
/// and differences then wait for a pass of the live lane, because most of them are only on their way.
enum class Phase { kListing, kFindingMissing, kFindingSurplus, kWaiting, kConfirming, kDone };
std::string_view ToString(Phase phase);
std::optional<Phase> ParsePhase(std::string_view text);

struct Progress {
  Service service = Service::kMail;
  Phase phase = Phase::kListing;
  std::string cursor;
  std::int64_t epoch = 0;
  Instant listed_from{};
  std::optional<Instant> listed_until;
};

struct Finding {
  enum class Kind { kMissing, kSurplus };
  /// Suspected: the two lists differ. Checking: they still do after a pass of the live lane, and the provider is asked
  /// about this one item. Settled: it said so, and the item is fetched and stored, or removed. Failed: it has the item,
  /// and the item cannot be had. What turns out to be no difference is dismissed.
  enum class State { kSuspected, kChecking, kSettled, kFailed };
  std::string external_id;
  Kind kind = Kind::kMissing;
  State state = State::kSuspected;
  std::string error_code;
};

struct ServiceReport {
  std::int64_t provider_count = 0;   ///< Ids in the provider's list.
  std::int64_t stored_count = 0;     ///< Rows when they were compared.
  std::int64_t missing_count = 0;    ///< Still missing after fetching; confirmed by direct reads.
  std::int64_t surplus_count = 0;    ///< Rows that the provider said are gone; removed.
  std::int64_t fetched_count = 0;    ///< Were missing, and are stored now.
  std::vector<std::string> missing;  ///< Ids still missing, at most 100.
};

struct Report {
  enum class State { kNever, kRunning, kComplete, kIncomplete, kFailed };
  State state = State::kNever;
  /// Everything that the provider had at this instant, and still has, is stored (complete), or all but `missing`.
  std::optional<Instant> as_of;
  std::optional<Instant> started_at, finished_at;
  std::string error_code;
  std::map<Service, ServiceReport> services;
};
std::string_view ToString(Report::State state);

/// Audits in the database. Writes of the job carry its fence (kFenced, kLeaseLost). Loop thread.
class AuditStore {
 public:
  virtual ~AuditStore() = default;

  /// Queues the job of this owner's account and marks the audit as running, in one transaction; while one is at work
  /// nothing changes. kNotFound, kConflict when the account is paused or being removed.
  virtual Task<Result<void>> Request(const UserId& user, const ConnectedAccountId& account) = 0;
  /// kNotFound for another user's account.
  virtual Task<Result<Report>> Read(const UserId& user, const ConnectedAccountId& account) = 0;
  /// Queues the audits that are due and moves each on by `interval`. Returns how many were due.
  virtual Task<Result<int>> ScheduleDue(Instant now, std::chrono::microseconds interval, int limit) = 0;

  /// Where the running audit stands; empty before its first service has begun, nullopt when none is running.
  virtual Task<Result<std::optional<std::vector<Progress>>>> ReadProgress(const ConnectedAccountId& account) = 0;
  /// When the running audit began.
  virtual Task<Result<std::optional<Instant>>> StartedAt(const ConnectedAccountId& account) = 0;
  /// Starts a service's comparison (over). Call Clear to its end before.
  virtual Task<Result<void>> StartService(const mail::WriteFence& fence, const Progress& progress) = 0;
  /// Removes at most `limit` listed ids and findings of an earlier comparison; 0 when none is left.
  virtual Task<Result<std::int64_t>> Clear(const mail::WriteFence& fence, Service service, int limit) = 0;
  /// Removes at most `limit` listed ids alone, once they are compared.
  virtual Task<Result<std::int64_t>> ClearListed(const mail::WriteFence& fence, Service service, int limit) = 0;
  /// Adds a page of the provider's list and stores where the list goes on.
  virtual Task<Result<void>> AddListed(const mail::WriteFence& fence, const Progress& progress,
                                       const std::vector<std::string>& ids) = 0;
  /// Looks at the next `limit` ids of one side (listed ids for kMissing, rows for kSurplus) and stores the differences
  /// with the place to go on from. False when that side is through.
  virtual Task<Result<bool>> CompareSome(const mail::WriteFence& fence, Service service, Finding::Kind kind,
                                         int limit) = 0;
  virtual Task<Result<void>> SetPhase(const mail::WriteFence& fence, Service service, Phase phase) = 0;
  /// Which of these ids are stored now. Items of calendars are named "<calendar's id>\n<event's id>".
  virtual Task<Result<std::vector<std::string>>> FindStored(const ConnectedAccountId& account, Service service,
                                                            const std::vector<std::string>& ids) = 0;
  /// Suspected findings and those being checked, by id.
  virtual Task<Result<std::vector<Finding>>> OpenFindings(const ConnectedAccountId& account, Service service,
                                                          int limit) = 0;
  /// Stores new states, and forgets the dismissed.
  virtual Task<Result<void>> Settle(const mail::WriteFence& fence, Service service,
                                    const std::vector<Finding>& findings,
                                    const std::vector<std::string>& dismissed) = 0;
  /// Takes away the tombstones of these messages: the provider lists them, so what was once said of their deletion is
  /// tested again. A deletion that arrives later is written anew and wins.
  virtual Task<Result<void>> ForgetTombstones(const mail::WriteFence& fence, const std::vector<std::string>& ids) = 0;
  /// Ends the running audit with event audit.finished: complete or incomplete by its findings, or failed. Without a
  /// lease check when `fence.lease` is empty.
  virtual Task<Result<void>> Finish(const mail::WriteFence& fence, std::string_view error_code) = 0;
};

}  // namespace latchkey::audit
