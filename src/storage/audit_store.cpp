#include "storage/audit_store.hpp"

#include <fmt/format.h>

namespace latchkey::storage {
namespace {

using audit::Finding;
using audit::Progress;
using audit::Report;
using audit::Service;

constexpr std::size_t kMaxMissingShown = 100;

const Statement kOwned(
    "SELECT generation, is_active, disconnecting FROM connected_accounts WHERE id = $1 AND user_id = $2");
const Statement kReadAudit(
    "SELECT state, error_code, as_of, started_at, finished_at FROM audits WHERE connected_account_id = $1");
// A new audit keeps what the last one proved until it knows better.
const Statement kBegin(R"sql(
INSERT INTO audits (connected_account_id, state, started_at) VALUES ($1, 'running', $2)
ON CONFLICT (connected_account_id)
DO UPDATE SET state = 'running', error_code = '', started_at = excluded.started_at, finished_at = NULL
WHERE audits.state <> 'running')sql");
const Statement kForgetServices("DELETE FROM audit_services WHERE connected_account_id = $1");

const Statement kDue(R"sql(
SELECT d.connected_account_id, d.next_at, a.generation, a.is_active
FROM account_duties d JOIN connected_accounts a ON a.id = d.connected_account_id
WHERE d.duty = 'audit' AND d.next_at <= $1 ORDER BY d.next_at LIMIT $2)sql");
// Of several processes each takes what no other is taking.
const Statement kTakeDue(R"sql(
SELECT d.connected_account_id, d.next_at, a.generation, a.is_active
FROM account_duties d JOIN connected_accounts a ON a.id = d.connected_account_id
WHERE d.duty = 'audit' AND d.next_at <= $1 ORDER BY d.next_at LIMIT $2)sql",
                         R"sql(
SELECT d.connected_account_id, d.next_at, a.generation, a.is_active
FROM account_duties d JOIN connected_accounts a ON a.id = d.connected_account_id
WHERE d.duty = 'audit' AND d.next_at <= $1 ORDER BY d.next_at LIMIT $2
FOR UPDATE OF d SKIP LOCKED)sql");
const Statement kMoveOn("UPDATE account_duties SET next_at = $2 WHERE connected_account_id = $1 AND duty = 'audit'");

const Statement kReadServices(R"sql(
SELECT service, phase, cursor, epoch, listed_from, listed_until, provider_count, stored_count
FROM audit_services WHERE connected_account_id = $1 ORDER BY service)sql");
const Statement kStartService(R"sql(
INSERT INTO audit_services (connected_account_id, service, phase, cursor, epoch, listed_from)
VALUES ($1, $2, $3, '', $4, $5)
ON CONFLICT (connected_account_id, service)
DO UPDATE SET phase = excluded.phase, cursor = '', epoch = excluded.epoch, listed_from = excluded.listed_from,
              listed_until = NULL, provider_count = 0, stored_count = 0)sql");
const Statement kListedOn(R"sql(
UPDATE audit_services SET phase = $3, cursor = $4, listed_until = $5, provider_count = provider_count + $6
WHERE connected_account_id = $1 AND service = $2)sql");
const Statement kComparedOn(R"sql(
UPDATE audit_services SET cursor = $3, stored_count = stored_count + $4
WHERE connected_account_id = $1 AND service = $2)sql");
const Statement kSetPhase(R"sql(
UPDATE audit_services SET phase = $3, cursor = '' WHERE connected_account_id = $1 AND service = $2)sql");
const Statement kReadCursor("SELECT cursor FROM audit_services WHERE connected_account_id = $1 AND service = $2");

const Statement kAddListed(R"sql(
INSERT INTO audit_ids (connected_account_id, service, external_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING)sql");
const Statement kClearListed(R"sql(
DELETE FROM audit_ids WHERE connected_account_id = $1 AND service = $2 AND external_id IN
  (SELECT external_id FROM audit_ids WHERE connected_account_id = $1 AND service = $2 LIMIT $3))sql");
const Statement kClearFindings(R"sql(
DELETE FROM audit_findings WHERE connected_account_id = $1 AND service = $2 AND external_id IN
  (SELECT external_id FROM audit_findings WHERE connected_account_id = $1 AND service = $2 LIMIT $3))sql");

const Statement kScanListed(R"sql(
SELECT external_id FROM audit_ids WHERE connected_account_id = $1 AND service = $2 AND external_id > $3
ORDER BY external_id LIMIT $4)sql");
const Statement kIsListed(
    "SELECT 1 FROM audit_ids WHERE connected_account_id = $1 AND service = $2 AND external_id = $3");
const Statement kScanMail(R"sql(
SELECT external_message_id FROM synced_messages WHERE connected_account_id = $1 AND external_message_id > $2
ORDER BY external_message_id LIMIT $3)sql");
const Statement kHasMail("SELECT 1 FROM synced_messages WHERE connected_account_id = $1 AND external_message_id = $2");

// Items of calendars are "<calendar>\n<event>", in the order of the calendars and then of their events: each chunk
// walks an index from where the last one ended. Occurrences that Graph sends come and go with their masters.
const Statement kCalendarsFrom(R"sql(
SELECT row_id, external_id FROM calendars
WHERE connected_account_id = $1 AND NOT removed AND selected AND external_id >= $2 ORDER BY external_id)sql");
const Statement kScanEvents(R"sql(
SELECT external_event_id FROM calendar_events
WHERE calendar_row = $1 AND external_event_id > $2
  AND kind IN ('single', 'master', 'exception')
ORDER BY external_event_id LIMIT $3)sql");
const Statement kHasEvent(R"sql(
SELECT 1 FROM calendars c JOIN calendar_events e ON e.calendar_row = c.row_id
WHERE c.connected_account_id = $1 AND c.external_id = $2 AND c.selected AND NOT c.removed
  AND e.external_event_id = $3)sql");

const Statement kSuspect(R"sql(
INSERT INTO audit_findings (connected_account_id, service, external_id, kind, state)
VALUES ($1, $2, $3, $4, 'suspected') ON CONFLICT DO NOTHING)sql");
const Statement kOpen(R"sql(
SELECT external_id, kind, state, error_code FROM audit_findings
WHERE connected_account_id = $1 AND service = $2 AND state IN ('suspected', 'checking')
ORDER BY external_id LIMIT $3)sql");
const Statement kSettle(R"sql(
UPDATE audit_findings SET state = $4, error_code = $5
WHERE connected_account_id = $1 AND service = $2 AND external_id = $3)sql");
const Statement kDismiss(
    "DELETE FROM audit_findings WHERE connected_account_id = $1 AND service = $2 AND external_id = $3");
const Statement kCountFindings(R"sql(
SELECT kind, state, count(*) FROM audit_findings
WHERE connected_account_id = $1 AND service = $2 AND state IN ('settled', 'failed') GROUP BY kind, state)sql");
const Statement kStillMissing(R"sql(
SELECT external_id FROM audit_findings
WHERE connected_account_id = $1 AND service = $2 AND kind = 'missing' AND state = 'failed'
ORDER BY external_id LIMIT $3)sql");
const Statement kForgetTombstone("DELETE FROM tombstones WHERE connected_account_id = $1 AND external_id = $2");

const Statement kAnyFailed(R"sql(
SELECT 1 FROM audit_findings WHERE connected_account_id = $1 AND state IN ('failed', 'suspected', 'checking')
LIMIT 1)sql");
const Statement kEnd(R"sql(
UPDATE audits
SET state = $2, error_code = $3, finished_at = $4,
    as_of = CASE WHEN $2 = 'failed' THEN as_of
            ELSE (SELECT min(listed_from) FROM audit_services WHERE connected_account_id = $1) END
WHERE connected_account_id = $1 AND state = 'running')sql");
const Statement kOwnerOf("SELECT user_id FROM connected_accounts WHERE id = $1 AND generation = $2");

/// "<calendar>\n<event>" in its two parts.
std::pair<std::string, std::string> SplitItem(const std::string& item) {
  const std::size_t at = item.find('\n');
  if (at == std::string::npos) return {item, {}};
  return {item.substr(0, at), item.substr(at + 1)};
}

/// The next stored items behind `after`, in order.
std::vector<std::string> ScanStored(Connection& connection, const ConnectedAccountId& account, Service service,
                                    const std::string& after, int limit) {
  std::vector<std::string> items;
  if (service == Service::kMail) {
    Rows rows = connection.Query(kScanMail, account, after, limit);
    while (rows.Step()) items.push_back(rows.String(0));
    return items;
  }
  struct Calendar {
    std::int64_t row = 0;
    std::string id;
  };
  std::vector<Calendar> calendars;
  const auto [first, begun] = SplitItem(after);
  {
    Rows rows = connection.Query(kCalendarsFrom, account, first);
    while (rows.Step()) calendars.push_back({.row = rows.Int(0), .id = rows.String(1)});
  }
  for (const Calendar& calendar : calendars) {
    const auto left = limit - static_cast<int>(items.size());
    if (left <= 0) break;
    const std::string& from = calendar.id == first ? begun : std::string();
    Rows rows = connection.Query(kScanEvents, calendar.row, from, left);
    while (rows.Step()) items.push_back(calendar.id + '\n' + rows.String(0));
  }
  return items;
}

bool IsStored(Connection& connection, const ConnectedAccountId& account, Service service, const std::string& item) {
  if (service == Service::kMail) return connection.Query(kHasMail, account, item).Step();
  const auto [calendar, event] = SplitItem(item);
  return connection.Query(kHasEvent, account, calendar, event).Step();
}

std::string_view KindText(Finding::Kind kind) { return kind == Finding::Kind::kMissing ? "missing" : "surplus"; }

std::string_view StateText(Finding::State state) {
  switch (state) {
    case Finding::State::kSuspected:
      return "suspected";
    case Finding::State::kChecking:
      return "checking";
    case Finding::State::kSettled:
      return "settled";
    case Finding::State::kFailed:
      break;
  }
  return "failed";
}

Report::State ParseReportState(std::string_view text) {
  for (const auto state : {Report::State::kRunning, Report::State::kComplete, Report::State::kIncomplete}) {
    if (audit::ToString(state) == text) return state;
  }
  return Report::State::kFailed;
}

Service ParseService(std::string_view text) {
  return text == audit::ToString(Service::kMail) ? Service::kMail : Service::kCalendar;
}

/// Begins the audit and its job inside the caller's transaction.
Result<void> Queue(Transaction& transaction, const ConnectedAccountId& account, std::int64_t generation, Instant now) {
  if (transaction.Execute(kBegin, account, now) > 0) transaction.Send(kForgetServices, account);
  const jobs::NewJob job{.kind = "audit_account",
                         .priority = jobs::Priority::kBackfill,
                         .unique_key = jobs::AccountKey("audit_account", account),
                         // A large one may meet many restarts, each of which counts as an attempt.
                         .max_attempts = 1000,
                         .account_id = account,
                         .generation = generation};
  auto inserted = InsertJob(transaction, job, now);
  if (!inserted) return Fail(std::move(inserted.error()));
  return {};
}

audit::ServiceReport ReadService(Connection& connection, const ConnectedAccountId& account, std::string_view service) {
  audit::ServiceReport report;
  Rows counts = connection.Query(kCountFindings, account, service);
  while (counts.Step()) {
    const bool missing = counts.Text(0) == "missing";
    const bool settled = counts.Text(1) == "settled";
    if (missing && !settled) report.missing_count += counts.Int(2);
    if (missing && settled) report.fetched_count += counts.Int(2);
    if (!missing && settled) report.surplus_count += counts.Int(2);
  }
  Rows missing = connection.Query(kStillMissing, account, service, kMaxMissingShown);
  while (missing.Step()) report.missing.push_back(missing.String(0));
  return report;
}

}  // namespace

Task<Result<void>> AuditStore::Request(const UserId& user, const ConnectedAccountId& account) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    std::int64_t generation = 0;
    {
      Rows rows = transaction.Query(kOwned, account, user);
      if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such account");
      if (!rows.Bool(1)) return Fail(ErrorCode::kConflict, "the account is paused or being removed");
      generation = rows.Int(0);
    }
    return Queue(transaction, account, generation, now);
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<Report>> AuditStore::Read(const UserId& user, const ConnectedAccountId& account) {
  auto read = [&](Connection& connection) -> Result<Report> {
    if (!connection.Query(kOwned, account, user).Step()) return Fail(ErrorCode::kNotFound, "no such account");
    Report report;
    {
      Rows rows = connection.Query(kReadAudit, account);
      if (!rows.Step()) return report;
      report.state = ParseReportState(rows.Text(0));
      report.error_code = rows.String(1);
      report.as_of = rows.MaybeTime(2);
      report.started_at = rows.MaybeTime(3);
      report.finished_at = rows.MaybeTime(4);
    }
    Rows services = connection.Query(kReadServices, account);
    while (services.Step()) {
      auto service = ReadService(connection, account, services.Text(0));
      service.provider_count = services.Int(6);
      service.stored_count = services.Int(7);
      report.services.emplace(ParseService(services.Text(0)), std::move(service));
    }
    return report;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<int>> AuditStore::ScheduleDue(Instant now, std::chrono::microseconds interval, int limit) {
  auto write = [&](Transaction& transaction) -> Result<int> {
    struct Due {
      ConnectedAccountId id;
      Instant at;
      std::int64_t generation = 0;
      bool active = false;
    };
    std::vector<Due> due;
    {
      Rows rows = transaction.Query(kTakeDue, now, limit);
      while (rows.Step())
        due.push_back({.id = rows.IdOf<ConnectedAccountId>(0),
                       .at = rows.Time(1),
                       .generation = rows.Int(2),
                       .active = rows.Bool(3)});
    }
    for (const Due& one : due) {
      // From when it was due, so that accounts stay spread; from now after a long stop.
      const Instant next = one.at + interval > now ? one.at + interval : now + interval;
      transaction.Send(kMoveOn, one.id, next);
      if (!one.active) continue;
      if (auto queued = Queue(transaction, one.id, one.generation, now); !queued)
        return Fail(std::move(queued.error()));
    }
    return static_cast<int>(due.size());
  };
  // A look that finds nothing costs no write.
  auto any = [&](Connection& connection) -> Result<bool> { return connection.Query(kDue, now, 1).Step(); };
  const auto found = co_await engine_.Read(any);
  if (!found) co_return Fail(found.error());
  if (!*found) co_return 0;
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<std::optional<std::vector<Progress>>>> AuditStore::ReadProgress(const ConnectedAccountId& account) {
  auto read = [&](Connection& connection) -> Result<std::optional<std::vector<Progress>>> {
    {
      Rows rows = connection.Query(kReadAudit, account);
      if (!rows.Step() || rows.Text(0) != "running") return std::nullopt;
    }
    std::vector<Progress> all;
    Rows rows = connection.Query(kReadServices, account);
    while (rows.Step()) {
      all.push_back({.service = ParseService(rows.Text(0)),
                     .phase = audit::ParsePhase(rows.Text(1)).value_or(audit::Phase::kListing),
                     .cursor = rows.String(2),
                     .epoch = rows.Int(3),
                     .listed_from = rows.Time(4),
                     .listed_until = rows.MaybeTime(5)});
    }
    return all;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<std::optional<Instant>>> AuditStore::StartedAt(const ConnectedAccountId& account) {
  auto read = [&](Connection& connection) -> Result<std::optional<Instant>> {
    Rows rows = connection.Query(kReadAudit, account);
    if (!rows.Step() || rows.Text(0) != "running") return std::nullopt;
    return rows.Time(3);
  };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> AuditStore::StartService(const mail::WriteFence& fence, const Progress& progress) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (auto fenced = CheckFence(transaction, fence); !fenced) return Fail(std::move(fenced.error()));
    transaction.Send(kStartService, fence.account_id, audit::ToString(progress.service),
                     audit::ToString(progress.phase), progress.epoch, progress.listed_from);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<std::int64_t>> AuditStore::Clear(const mail::WriteFence& fence, Service service, int limit) {
  auto write = [&](Transaction& transaction) -> Result<std::int64_t> {
    if (auto fenced = CheckFence(transaction, fence); !fenced) return Fail(std::move(fenced.error()));
    const auto name = audit::ToString(service);
    const auto listed = transaction.Execute(kClearListed, fence.account_id, name, limit);
    return listed + transaction.Execute(kClearFindings, fence.account_id, name, limit);
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<std::int64_t>> AuditStore::ClearListed(const mail::WriteFence& fence, Service service, int limit) {
  auto write = [&](Transaction& transaction) -> Result<std::int64_t> {
    if (auto fenced = CheckFence(transaction, fence); !fenced) return Fail(std::move(fenced.error()));
    return transaction.Execute(kClearListed, fence.account_id, audit::ToString(service), limit);
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<void>> AuditStore::AddListed(const mail::WriteFence& fence, const Progress& progress,
                                         const std::vector<std::string>& ids) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (auto fenced = CheckFence(transaction, fence); !fenced) return Fail(std::move(fenced.error()));
    const auto name = audit::ToString(progress.service);
    std::int64_t added = 0;
    for (const std::string& id : ids) added += transaction.Execute(kAddListed, fence.account_id, name, id);
    transaction.Send(kListedOn, fence.account_id, name, audit::ToString(progress.phase), progress.cursor,
                     progress.listed_until, added);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<bool>> AuditStore::CompareSome(const mail::WriteFence& fence, Service service, Finding::Kind kind,
                                           int limit) {
  const auto name = audit::ToString(service);
  const bool missing = kind == Finding::Kind::kMissing;
  struct Compared {
    std::vector<std::string> differing;
    std::string last;
    std::int64_t looked_at = 0;
  };
  auto read = [&](Connection& connection) -> Result<Compared> {
    Compared compared;
    {
      Rows rows = connection.Query(kReadCursor, fence.account_id, name);
      if (!rows.Step()) return Fail(ErrorCode::kFenced, "the audit is gone");
      compared.last = rows.String(0);
    }
    std::vector<std::string> items;
    if (missing) {
      Rows rows = connection.Query(kScanListed, fence.account_id, name, compared.last, limit);
      while (rows.Step()) items.push_back(rows.String(0));
    } else {
      items = ScanStored(connection, fence.account_id, service, compared.last, limit);
    }
    for (std::string& item : items) {
      ++compared.looked_at;
      const bool there = missing ? IsStored(connection, fence.account_id, service, item)
                                 : connection.Query(kIsListed, fence.account_id, name, item).Step();
      compared.last = item;
      if (!there) compared.differing.push_back(std::move(item));
    }
    return compared;
  };
  auto compared = co_await engine_.Read(read);
  if (!compared) co_return Fail(std::move(compared.error()));
  if (compared->looked_at == 0) co_return false;
  auto write = [&](Transaction& transaction) -> Result<bool> {
    if (auto fenced = CheckFence(transaction, fence); !fenced) return Fail(std::move(fenced.error()));
    for (const std::string& id : compared->differing) {
      transaction.Send(kSuspect, fence.account_id, name, id, KindText(kind));
    }
    transaction.Send(kComparedOn, fence.account_id, name, compared->last, missing ? 0 : compared->looked_at);
    return compared->looked_at == limit;
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<void>> AuditStore::SetPhase(const mail::WriteFence& fence, Service service, audit::Phase phase) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (auto fenced = CheckFence(transaction, fence); !fenced) return Fail(std::move(fenced.error()));
    transaction.Send(kSetPhase, fence.account_id, audit::ToString(service), audit::ToString(phase));
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<std::vector<std::string>>> AuditStore::FindStored(const ConnectedAccountId& account, Service service,
                                                              const std::vector<std::string>& ids) {
  auto read = [&](Connection& connection) -> Result<std::vector<std::string>> {
    std::vector<std::string> stored;
    for (const std::string& id : ids) {
      if (IsStored(connection, account, service, id)) stored.push_back(id);
    }
    return stored;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<std::vector<Finding>>> AuditStore::OpenFindings(const ConnectedAccountId& account, Service service,
                                                            int limit) {
  auto read = [&](Connection& connection) -> Result<std::vector<Finding>> {
    std::vector<Finding> findings;
    Rows rows = connection.Query(kOpen, account, audit::ToString(service), limit);
    while (rows.Step()) {
      findings.push_back({.external_id = rows.String(0),
                          .kind = rows.Text(1) == "missing" ? Finding::Kind::kMissing : Finding::Kind::kSurplus,
                          .state = rows.Text(2) == "checking" ? Finding::State::kChecking : Finding::State::kSuspected,
                          .error_code = rows.String(3)});
    }
    return findings;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> AuditStore::Settle(const mail::WriteFence& fence, Service service,
                                      const std::vector<Finding>& findings, const std::vector<std::string>& dismissed) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (auto fenced = CheckFence(transaction, fence); !fenced) return Fail(std::move(fenced.error()));
    const auto name = audit::ToString(service);
    for (const Finding& finding : findings) {
      transaction.Send(kSettle, fence.account_id, name, finding.external_id, StateText(finding.state),
                       finding.error_code);
    }
    for (const std::string& id : dismissed) transaction.Execute(kDismiss, fence.account_id, name, id);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<void>> AuditStore::ForgetTombstones(const mail::WriteFence& fence, const std::vector<std::string>& ids) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (auto fenced = CheckFence(transaction, fence); !fenced) return Fail(std::move(fenced.error()));
    for (const std::string& id : ids) transaction.Execute(kForgetTombstone, fence.account_id, id);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<void>> AuditStore::Finish(const mail::WriteFence& fence, std::string_view error_code) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (auto fenced = CheckFence(transaction, fence); !fenced) return Fail(std::move(fenced.error()));
    std::string_view state = "failed";
    if (error_code.empty()) {
      state = transaction.Query(kAnyFailed, fence.account_id).Step() ? "incomplete" : "complete";
    }
    if (transaction.Execute(kEnd, fence.account_id, state, error_code, now) == 0) return {};
    UserId user;
    {
      Rows rows = transaction.Query(kOwnerOf, fence.account_id, fence.generation);
      if (!rows.Step()) return Fail(ErrorCode::kFenced, "the account is gone");
      user = rows.IdOf<UserId>(0);
    }
    const events::NewEvent event{
        .type = "audit.finished",
        .user_id = user,
        .account_id = fence.account_id,
        .payload = fmt::format(R"({{"account_id":"{}","state":"{}"}})", fence.account_id, state)};
    WriteEvent(transaction, event, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

}  // namespace latchkey::storage
