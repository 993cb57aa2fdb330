#include "storage/push_store.hpp"

namespace latchkey::storage {
namespace {

using push::Channel;

const std::string kChannel = R"sql(
SELECT c.id, c.connected_account_id, c.service, c.resource, c.external_id, c.secret_hash, c.state, c.created_at,
       c.expires_at, c.notified_at, a.provider, a.generation
FROM push_channels c JOIN connected_accounts a ON a.id = c.connected_account_id)sql";
const Statement kOfAccount(kChannel + " WHERE c.connected_account_id = $1 ORDER BY c.created_at");
const Statement kById(kChannel + " WHERE c.id = $1");
const Statement kByExternal(kChannel + " WHERE c.external_id = $1 AND c.external_id <> '' AND a.provider = $2");
const Statement kByResource(kChannel +
                            " WHERE c.service = $1 AND c.resource = $2 AND c.resource <> '' AND a.provider = $3");
const Statement kInsert(R"sql(
INSERT INTO push_channels (id, connected_account_id, service, resource, secret_hash, state, created_at)
SELECT $1, id, $3, $4, $5, 'creating', CAST($6 AS timestamptz) FROM connected_accounts
WHERE id = $2 AND generation = $7 AND is_active = TRUE)sql");
const Statement kActivate("UPDATE push_channels SET state = 'active', external_id = $2, expires_at = $3 WHERE id = $1");
const Statement kRemove("DELETE FROM push_channels WHERE id = $1");
const Statement kCreating(R"sql(
SELECT 1 FROM push_channels c JOIN connected_accounts a ON a.id = c.connected_account_id
WHERE c.state = 'creating' AND c.created_at > $1 AND a.provider = $2 LIMIT 1)sql");
const Statement kNotified("UPDATE push_channels SET notified_at = $2 WHERE id = $1");
const Statement kCalendars(R"sql(
SELECT external_id FROM calendars WHERE connected_account_id = $1 AND selected = TRUE AND removed = FALSE
ORDER BY external_id)sql");
const Statement kDue(R"sql(
SELECT d.connected_account_id, a.generation, a.disconnecting
FROM account_duties d JOIN connected_accounts a ON a.id = d.connected_account_id
WHERE d.duty = 'push' AND d.next_at <= $1 ORDER BY d.next_at LIMIT $2)sql");
// Of several processes each takes what no other is taking.
const Statement kTakeDue(R"sql(
SELECT d.connected_account_id, a.generation, a.disconnecting
FROM account_duties d JOIN connected_accounts a ON a.id = d.connected_account_id
WHERE d.duty = 'push' AND d.next_at <= $1 ORDER BY d.next_at LIMIT $2)sql",
                         R"sql(
SELECT d.connected_account_id, a.generation, a.disconnecting
FROM account_duties d JOIN connected_accounts a ON a.id = d.connected_account_id
WHERE d.duty = 'push' AND d.next_at <= $1 ORDER BY d.next_at LIMIT $2
FOR UPDATE OF d SKIP LOCKED)sql");
const Statement kLookAgain("UPDATE account_duties SET next_at = $2 WHERE connected_account_id = $1 AND duty = 'push'");
const Statement kRest(R"sql(
UPDATE account_duties SET next_at = $2 WHERE connected_account_id = $1 AND duty = 'push' AND next_at > $3)sql");
const Statement kStand(R"sql(
SELECT count(*) FILTER (WHERE state = 'active' AND expires_at > $2), max(notified_at)
FROM push_channels WHERE connected_account_id = $1)sql");

Channel ReadChannel(const Rows& rows) {
  Channel channel;
  channel.id = rows.String(0);
  channel.account_id = rows.IdOf<ConnectedAccountId>(1);
  channel.service = rows.Text(2) == "mail" ? push::Service::kMail : push::Service::kCalendar;
  channel.resource = rows.String(3);
  channel.external_id = rows.String(4);
  channel.secret_hash = rows.String(5);
  const auto state = rows.Text(6);
  channel.state = state == "active"     ? Channel::State::kActive
                  : state == "stopping" ? Channel::State::kStopping
                                        : Channel::State::kCreating;
  channel.created_at = rows.Time(7);
  channel.expires_at = rows.MaybeTime(8);
  channel.notified_at = rows.MaybeTime(9);
  channel.provider = rows.String(10);
  channel.generation = rows.Int(11);
  return channel;
}

std::vector<Channel> ReadAll(Rows rows) {
  std::vector<Channel> channels;
  while (rows.Step()) channels.push_back(ReadChannel(rows));
  return channels;
}

std::optional<Channel> ReadOne(Rows rows) {
  if (!rows.Step()) return std::nullopt;
  return ReadChannel(rows);
}

}  // namespace

Task<Result<std::vector<Channel>>> PushStore::List(const ConnectedAccountId& account) {
  auto read = [&](Connection& connection) -> Result<std::vector<Channel>> {
    return ReadAll(connection.Query(kOfAccount, account));
  };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> PushStore::Insert(const Channel& channel) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    const auto inserted =
        transaction.Execute(kInsert, channel.id, channel.account_id, push::ToString(channel.service), channel.resource,
                            channel.secret_hash, channel.created_at, channel.generation);
    if (inserted == 0) return Fail(ErrorCode::kFenced, "the account is gone or does not work now");
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<void>> PushStore::Activate(const std::string& id, const std::string& external_id, Instant expires_at) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (transaction.Execute(kActivate, id, external_id, expires_at) == 0) {
      return Fail(ErrorCode::kNotFound, "no such channel");
    }
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<void>> PushStore::Remove(const std::string& id) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (transaction.Execute(kRemove, id) == 0) return Fail(ErrorCode::kNotFound, "no such channel");
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<std::optional<Channel>>> PushStore::Find(std::string_view id) {
  auto read = [&](Connection& connection) -> Result<std::optional<Channel>> {
    return ReadOne(connection.Query(kById, id));
  };
  co_return co_await engine_.Read(read);
}

Task<Result<std::optional<Channel>>> PushStore::FindExternal(std::string_view provider, std::string_view external_id) {
  auto read = [&](Connection& connection) -> Result<std::optional<Channel>> {
    return ReadOne(connection.Query(kByExternal, external_id, provider));
  };
  co_return co_await engine_.Read(read);
}

Task<Result<std::vector<Channel>>> PushStore::FindByResource(std::string_view provider, push::Service service,
                                                             std::string_view resource) {
  auto read = [&](Connection& connection) -> Result<std::vector<Channel>> {
    return ReadAll(connection.Query(kByResource, push::ToString(service), resource, provider));
  };
  co_return co_await engine_.Read(read);
}

Task<Result<bool>> PushStore::AnyCreating(std::string_view provider, Instant since) {
  auto read = [&](Connection& connection) -> Result<bool> {
    return connection.Query(kCreating, since, provider).Step();
  };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> PushStore::Notified(const std::string& id, Instant now) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    transaction.Send(kNotified, id, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<std::vector<std::string>>> PushStore::SelectedCalendars(const ConnectedAccountId& account) {
  auto read = [&](Connection& connection) -> Result<std::vector<std::string>> {
    std::vector<std::string> ids;
    Rows rows = connection.Query(kCalendars, account);
    while (rows.Step()) ids.push_back(rows.String(0));
    return ids;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<int>> PushStore::ScheduleDue(Instant now, std::chrono::microseconds interval, int limit) {
  // A look that finds nothing costs no write.
  auto any = [&](Connection& connection) -> Result<bool> { return connection.Query(kDue, now, 1).Step(); };
  const auto found = co_await engine_.Read(any);
  if (!found) co_return Fail(found.error());
  if (!*found) co_return 0;
  auto write = [&](Transaction& transaction) -> Result<int> {
    struct Due {
      ConnectedAccountId id;
      std::int64_t generation = 0;
      bool disconnecting = false;
    };
    std::vector<Due> due;
    {
      Rows rows = transaction.Query(kTakeDue, now, limit);
      while (rows.Step())
        due.push_back(
            {.id = rows.IdOf<ConnectedAccountId>(0), .generation = rows.Int(1), .disconnecting = rows.Bool(2)});
    }
    for (const Due& one : due) {
      transaction.Send(kLookAgain, one.id, now + interval);
      // The erase stops its channels itself.
      if (one.disconnecting) continue;
      const jobs::NewJob job{.kind = "renew_push",
                             .priority = jobs::Priority::kNormal,
                             .unique_key = jobs::AccountKey("renew_push", one.id),
                             .max_attempts = 5,
                             .account_id = one.id,
                             .generation = one.generation};
      auto inserted = InsertJob(transaction, job, now);
      if (!inserted) return Fail(std::move(inserted.error()));
    }
    return static_cast<int>(due.size());
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<void>> PushStore::LookAgain(const ConnectedAccountId& account, Instant at) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    transaction.Send(kLookAgain, account, at);
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<void>> PushStore::Rest(const ConnectedAccountId& account, Instant started, Instant until) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    transaction.Send(kRest, account, until, started);
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<push::Standing>> PushStore::Stand(const ConnectedAccountId& account, Instant now) {
  auto read = [&](Connection& connection) -> Result<push::Standing> {
    push::Standing standing;
    Rows rows = connection.Query(kStand, account, now);
    if (rows.Step()) {
      standing.active = static_cast<int>(rows.Int(0));
      standing.notified_at = rows.MaybeTime(1);
    }
    return standing;
  };
  co_return co_await engine_.Read(read);
}

}  // namespace latchkey::storage
