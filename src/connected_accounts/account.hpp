#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"

namespace latchkey::connected_accounts {

/// What a connection may be used for; scopes are asked and granted per capability.
enum class Capability { kReadMail, kSendMail, kReadCalendar };
std::string_view ToString(Capability capability);  ///< "read_mail", "send_mail", "read_calendar"
std::optional<Capability> ParseCapability(std::string_view text);

/// The states of UX.md. Decided here and nowhere else (law seven).
enum class Status {
  kPending,
  kAuthorizing,
  kImporting,
  kHealthy,
  kSyncing,
  kDelayed,
  kRateLimited,
  kNeedsReauth,
  kMissingScope,
  kAdminBlocked,
  kProviderDown,
  kError,
  kPaused,
  kDisconnecting,
  kDisconnected
};
std::string_view ToString(Status status);

/// What the person can do about a status; "none" when nothing.
enum class Action { kNone, kReconnect, kGrant, kResume, kSyncNow, kRetry, kPause, kContinue, kCopyAdminLink };
std::string_view ToString(Action action);

struct Progress {
  std::string stage;  ///< "initial" or "resync"
  std::int64_t done = 0;
  std::int64_t total = 0;
  double rate = 0;  ///< Messages a second over the last stretch.
  std::optional<std::chrono::seconds> eta;
};

/// The stored facts about one connected account, without its tokens.
struct ConnectedAccount {
  ConnectedAccountId id;
  UserId user_id;
  std::string provider;             ///< "google", "microsoft"
  std::string provider_account_id;  ///< The provider's own id of the person (Google: sub).
  std::string email;
  std::string display_name;
  std::vector<Capability> requested;
  std::vector<std::string> granted_scopes;
  std::vector<Capability> granted;
  std::int64_t generation = 0;
  bool paused = false;
  bool disconnecting = false;
  std::optional<Instant> paused_at;
  std::optional<Instant> disconnecting_since;
  /// The fault that holds the account now; kind and time are kept until a success clears them.
  std::optional<ErrorCode> fault;
  std::optional<Instant> fault_since;
  std::optional<Instant> next_attempt_at;
  std::optional<Instant> last_success_at;
  std::optional<Instant> token_expires_at;
  /// When the refresh token was used last, if ever.
  std::optional<Instant> last_refresh_at;
  /// What the provider wants to be told with the person's next sign-in; empty when nothing.
  std::string claims_challenge;
  Instant created_at{};
  // From email_sync_status and the running jobs.
  bool sync_running = false;
  bool backfill_complete = false;
  std::int64_t backfill_done = 0, backfill_total = 0;
  std::int64_t epoch = 0;
  std::optional<Instant> backfill_started_at;
  std::int64_t message_count = 0;
  /// From calendar_sync_status: how the calendars fare, apart from the mail.
  struct CalendarFacts {
    std::optional<Instant> last_sync_at;
    std::optional<ErrorCode> fault;
    std::optional<Instant> fault_since, next_attempt_at;
  };
  CalendarFacts calendar;
  /// From the outbox: what the mail that was worked on last met; nothing when it went out.
  struct SendFacts {
    std::optional<ErrorCode> fault;
    std::optional<Instant> next_attempt_at;
  };
  SendFacts send;
};

/// How one part of an account fares; nullopt as status: the person did not ask for it.
struct ServiceHealth {
  std::optional<Status> status;
  std::string reason;
  Action action = Action::kNone;
  /// When it is tried again by itself.
  std::optional<Instant> next_attempt_at = {};
};

/// What the person is shown, computed from the facts alone.
struct AccountHealth {
  Status status = Status::kPending;
  std::string reason;  ///< A stable code: an ErrorCode's name or a state's own word, such as "paused_by_user".
  Action action = Action::kNone;
  Instant since{};
  std::optional<Instant> last_success_at;
  std::optional<Instant> next_attempt_at;
  std::optional<Progress> progress;
  ServiceHealth mail, calendar, send;
};

/// True for a fault that only a new sign-in of the person ends: without one the provider is not asked again.
bool NeedsSignIn(ErrorCode fault);
/// True for a fault of the grant itself, which ends when a refresh or a new sign-in brings tokens, and not because some
/// call still got through with an old one.
bool EndsWithNewTokens(ErrorCode fault);

/// Pure: the same facts and time give the same answer.
AccountHealth HealthOf(const ConnectedAccount& account, Instant now);

}  // namespace latchkey::connected_accounts
