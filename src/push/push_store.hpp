#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"

namespace latchkey::push {

/// Which lane a notification wakes.
enum class Service { kMail, kCalendar };
std::string_view ToString(Service service);  ///< "mail", "calendar"

/// One way in which a provider tells us of changes: Gmail's watch, a subscription of Graph, a channel of Google
/// Calendar. The secret that its notifications carry is kept as its hash alone.
///
///   creating --(provider agreed)--> active --> stopping --> (gone)
///      '------(provider refused)-----------------------------^
struct Channel {
  /// Ours; Google Calendar gets it as the channel's id.
  std::string id;
  ConnectedAccountId account_id;
  Service service = Service::kMail;
  /// The mailbox's address in lower case (Gmail), a calendar's id (Google), or empty.
  std::string resource;
  /// Graph: subscription id. Calendar: resource id. Gmail: empty.
  std::string external_id;
  /// SHA-256 in hex; empty where notifications carry no secret of ours (Gmail).
  std::string secret_hash;
  enum class State { kCreating, kActive, kStopping };
  State state = State::kCreating;
  Instant created_at{};
  std::optional<Instant> expires_at;
  std::optional<Instant> notified_at;
  // Of the account.
  std::string provider;
  std::int64_t generation = 0;
};

/// What the health page says of push for one account.
struct Standing {
  /// Channels that are active and have not expired.
  int active = 0;
  std::optional<Instant> notified_at;
};

/// Channels in the database. Loop thread.
class PushStore {
 public:
  virtual ~PushStore() = default;

  virtual Task<Result<std::vector<Channel>>> List(const ConnectedAccountId& account) = 0;
  /// Refused (kFenced) when the account is gone, paused or being erased, or of another generation.
  virtual Task<Result<void>> Insert(const Channel& channel) = 0;
  /// The provider agreed. kNotFound when the row is gone.
  virtual Task<Result<void>> Activate(const std::string& id, const std::string& external_id, Instant expires_at) = 0;
  virtual Task<Result<void>> Remove(const std::string& id) = 0;

  /// By our own id. nullopt when there is none.
  virtual Task<Result<std::optional<Channel>>> Find(std::string_view id) = 0;
  virtual Task<Result<std::optional<Channel>>> FindExternal(std::string_view provider,
                                                            std::string_view external_id) = 0;
  /// Active channels of this resource, of all accounts (several people may have connected one mailbox).
  virtual Task<Result<std::vector<Channel>>> FindByResource(std::string_view provider, Service service,
                                                            std::string_view resource) = 0;
  /// Whether a call of ours that creates a channel at this provider began after `since` and is not answered yet.
  virtual Task<Result<bool>> AnyCreating(std::string_view provider, Instant since) = 0;
  virtual Task<Result<void>> Notified(const std::string& id, Instant now) = 0;

  /// The provider's ids of the calendars that the account syncs.
  virtual Task<Result<std::vector<std::string>>> SelectedCalendars(const ConnectedAccountId& account) = 0;

  /// Queues `renew_push` for accounts whose turn it is, and moves each on by `interval` (in case nobody comes back to
  /// say better). Returns how many.
  virtual Task<Result<int>> ScheduleDue(Instant now, std::chrono::microseconds interval, int limit) = 0;
  /// When the account's channels are to be looked at again.
  virtual Task<Result<void>> LookAgain(const ConnectedAccountId& account, Instant at) = 0;
  virtual Task<Result<Standing>> Stand(const ConnectedAccountId& account, Instant now) = 0;
  /// LookAgain at the end of a look that began at `started`: what became due meanwhile (a pause, a choice of calendars,
  /// a subscription that was removed) stays due.
  virtual Task<Result<void>> Rest(const ConnectedAccountId& account, Instant started, Instant until) = 0;
};

}  // namespace latchkey::push
