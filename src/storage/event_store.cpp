#include "storage/event_store.hpp"

namespace latchkey::storage {
namespace {

const Statement kListAfter(R"sql(
SELECT id, type, user_id, connected_account_id, payload, created_at FROM events
WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3)sql");
const Statement kHorizon("SELECT pruned_through FROM event_horizon WHERE only_row = 1");
// Kept by AUTOINCREMENT also when the newest rows are gone; missing before the first event.
// The highest id that was given out. On SQLite it is visible, since there is one writer.
const Statement kLatest("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)",
                        "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_id_seq");
// Other users' writers may still hold lower ids; a user's own have their order.
const Statement kLatestOf("", R"sql(
SELECT greatest((SELECT max(id) FROM events WHERE user_id = $1), (SELECT pruned_through FROM event_horizon)))sql");
const Statement kLastOld(R"sql(
SELECT max(id) FROM (SELECT id FROM events WHERE created_at < $1 ORDER BY created_at, id LIMIT $2) AS oldest)sql");
const Statement kPrune(R"sql(
DELETE FROM events WHERE id IN (SELECT id FROM events WHERE created_at < $1 ORDER BY created_at, id LIMIT $2))sql");
const Statement kMoveHorizon("UPDATE event_horizon SET pruned_through = $1 WHERE only_row = 1 AND pruned_through < $1");

std::int64_t ReadOne(Connection& connection, const Sql& sql) {
  Rows rows = connection.Query(sql);
  return rows.Step() ? rows.Int(0) : 0;
}

}  // namespace

Task<Result<std::vector<events::Event>>> EventStore::ListAfter(const UserId& user, std::int64_t after, int limit) {
  auto read = [&](Connection& connection) -> Result<std::vector<events::Event>> {
    if (after < ReadOne(connection, kHorizon)) return Fail(ErrorCode::kGone, "older events are pruned");
    std::vector<events::Event> events;
    Rows rows = connection.Query(kListAfter, user, after, limit);
    while (rows.Step()) {
      events.push_back({.id = rows.Int(0),
                        .type = rows.String(1),
                        .user_id = rows.IdOf<UserId>(2),
                        .account_id = rows.IdOf<ConnectedAccountId>(3),
                        .payload = rows.String(4),
                        .created_at = rows.Time(5)});
    }
    // An id that was never given out: from before a backup was restored.
    if (events.empty() && after > ReadOne(connection, kLatest)) return Fail(ErrorCode::kGone, "unknown event id");
    return events;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<std::int64_t>> EventStore::LatestId(const UserId& user) {
  auto read = [&](Connection& connection) -> Result<std::int64_t> {
    if (connection.dialect() == Dialect::kSqlite) return ReadOne(connection, kLatest);
    Rows rows = connection.Query(kLatestOf, user);
    return rows.Step() ? rows.Int(0) : 0;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<int>> EventStore::Prune(Instant before, int limit) {
  auto write = [&](Transaction& transaction) -> Result<int> {
    Rows last = transaction.Query(kLastOld, before, limit);
    if (!last.Step() || last.IsNull(0)) return 0;
    const std::int64_t through = last.Int(0);
    const auto deleted = transaction.Execute(kPrune, before, limit);
    transaction.Send(kMoveHorizon, through);
    return static_cast<int>(deleted);
  };
  co_return co_await engine_.Write(write);
}

}  // namespace latchkey::storage
