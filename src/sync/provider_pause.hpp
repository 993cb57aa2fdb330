#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"

namespace latchkey::sync {

/// What a provider counts requests for, one name per quota of an account.
inline constexpr std::string_view kGmailService = "gmail";
inline constexpr std::string_view kGoogleCalendarService = "google_calendar";
inline constexpr std::string_view kGraphService = "graph";
inline constexpr std::string_view kTokenService = "token";

/// Until when a provider asked not to be called on behalf of an account.
struct Pause {
  ConnectedAccountId account_id;
  std::string service;
  Instant until{};
};

/// The pauses as rows (table provider_pauses), implemented in storage/. An erased account takes its own along.
class PauseStore {
 public:
  virtual ~PauseStore() = default;
  /// Inserts or prolongs; never shortens. Nothing happens for an account that is gone or being erased.
  virtual Task<Result<void>> KeepPause(const Pause& pause) = 0;
  /// One account's, those that are over included.
  virtual Task<Result<std::vector<Pause>>> ListPauses(const ConnectedAccountId& account) = 0;
  /// Deletes those that ended before `before`; at most `limit`. Returns how many.
  virtual Task<Result<int>> PrunePauses(Instant before, int limit) = 0;
};

/// The waits that providers asked for (Retry-After), kept over restarts and shared by the processes of one database: a
/// call made inside one counts against the mailbox and is refused anyway. Every API client asks Remaining() before a
/// call leaves and tells Hold() before it hands a throttled answer on. Loop thread only.
class ProviderPauses {
 public:
  /// Both must outlive it.
  ProviderPauses(PauseStore& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// How long from now nothing may be sent for this account to this service; 0 when it may. Reads the rows when it has
  /// not looked at them for a second (another process may have been told), else answers from memory. A database that
  /// does not answer leaves what memory knows.
  Task<std::chrono::milliseconds> Remaining(const ConnectedAccountId& account, std::string_view service);

  /// The provider asked to wait this long. On return it survives the process, unless the database failed (logged;
  /// memory holds it all the same). At most a day.
  Task<void> Hold(const ConnectedAccountId& account, std::string_view service, std::chrono::milliseconds wait);

 private:
  struct Known {
    Instant read_at{};
    std::map<std::string, Instant, std::less<>> until;
  };
  Known& Find(const ConnectedAccountId& account);

  PauseStore& store_;
  const Clock& clock_;
  std::map<std::string, Known> known_;
};

}  // namespace latchkey::sync
