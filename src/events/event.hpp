#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"

namespace latchkey::events {

/// What a browser is told. Rows of the `events` table are the truth (written in the transaction of the change they tell
/// of); waking a stream is only a hint.
struct NewEvent {
  /// "account.updated", "message.upserted", "message.deleted", "sync.progress", "connect.finished", "session.ended".
  std::string type;
  UserId user_id;
  ConnectedAccountId account_id;
  /// JSON object without tokens or personal data beyond ids and counts.
  std::string payload = "{}";
};

struct Event {
  /// Rises within the database, has gaps; the SSE id.
  std::int64_t id = 0;
  std::string type;
  UserId user_id;
  ConnectedAccountId account_id;
  std::string payload;
  Instant created_at{};
};

class EventStore {
 public:
  virtual ~EventStore() = default;
  /// Events of the user after `after`, oldest first. kGone when `after` is older than what is kept: the page must
  /// reload.
  virtual Task<Result<std::vector<Event>>> ListAfter(const UserId& user, std::int64_t after, int limit) = 0;
  /// Where a reader of this user's events begins who knows the present: nothing that is written later has an id up to
  /// this one. At least as high as every id ListAfter has given for the user, unless they were erased.
  virtual Task<Result<std::int64_t>> LatestId(const UserId& user) = 0;
  virtual Task<Result<int>> Prune(Instant before, int limit) = 0;
};

}  // namespace latchkey::events
