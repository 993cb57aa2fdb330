#include "storage/copy/copy_database.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "storage/copy/table.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage::copy {
namespace {

constexpr Sql kHasProgress{"SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'copy_progress'",
                           "SELECT 1 WHERE to_regclass('copy_progress') IS NOT NULL"};
// Of both engines: text and numbers alone.
constexpr const char* kMakeProgress = R"sql(
CREATE TABLE copy_progress (
  table_name VARCHAR(100) NOT NULL PRIMARY KEY,
  last_key TEXT NOT NULL,
  done BIGINT NOT NULL,
  copied BIGINT NOT NULL
))sql";
constexpr const char* kDropProgress = "DROP TABLE copy_progress";
constexpr std::string_view kReadProgress = "SELECT table_name, last_key, done, copied FROM copy_progress";
constexpr std::string_view kWriteProgress = R"sql(
INSERT INTO copy_progress (table_name, last_key, done, copied) VALUES ($1, $2, $3, $4)
ON CONFLICT (table_name) DO UPDATE SET last_key = excluded.last_key, done = excluded.done, copied = excluded.copied)sql";

// What counts up by itself goes on above everything that was given out, also above what is gone again.
constexpr Sql kLastNumber{"SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = $1), 0)",
                          "SELECT coalesce(pg_sequence_last_value(to_regclass(pg_get_serial_sequence($1, $2))), 0)"};
constexpr std::string_view kForgetNumber = "DELETE FROM sqlite_sequence WHERE name = $1";
constexpr std::string_view kKeepNumber = "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)";
constexpr std::string_view kIdentities = R"sql(
SELECT table_name::text, column_name::text FROM information_schema.columns
WHERE table_schema = current_schema() AND is_identity = 'YES')sql";
constexpr std::string_view kSetNumber = "SELECT setval(to_regclass(pg_get_serial_sequence($1, $2)), $3)";
/// Counters that outlive their rows.
constexpr std::string_view kLasting[] = {"events", "audit_log"};

constexpr std::string_view kQueueSearch =
    "INSERT INTO search_pending (message_row, stamp) SELECT row_id, 1 FROM synced_messages WHERE TRUE ON CONFLICT DO "
    "NOTHING";

struct Progress {
  Row last_key;
  bool done = false;
  std::int64_t copied = 0;
};

struct Plan {
  std::vector<std::string> order;
  std::map<std::string, Table> source, target;
  /// Per table: what both have, with the kinds of the side that knows more.
  std::map<std::string, std::vector<Column>> columns;
  std::map<std::string, Progress> progress;
  bool resumed = false;
};

bool KnowsKinds(const std::map<std::string, Table>& tables) {
  return std::ranges::any_of(tables, [](const auto& entry) {
    return std::ranges::any_of(entry.second.columns, [](const Column& column) {
      return column.kind == Kind::kBool || column.kind == Kind::kTime;
    });
  });
}

/// Columns of both sides, in one order whichever side is which: adopted tables have theirs in another one, and the same
/// rows have the same checksum both ways. A column that only the source has must be empty there: it would be lost.
Result<std::vector<Column>> CommonColumns(Connection& source, const Table& from, const Table& to,
                                          bool kinds_of_target) {
  std::vector<Column> common;
  for (const Column& column : from.columns) {
    const auto there = std::ranges::find(to.columns, column.name, &Column::name);
    if (there != to.columns.end()) {
      common.push_back(kinds_of_target ? *there : column);
      continue;
    }
    const std::string sql =
        fmt::format("SELECT 1 FROM \"{}\" WHERE \"{}\" IS NOT NULL LIMIT 1", from.name, column.name);
    if (source.Query(sql).Step()) {
      return Fail(ErrorCode::kConflict,
                  fmt::format("{}.{} holds values that the target has no place for", from.name, column.name));
    }
  }
  std::ranges::sort(common, {}, &Column::name);
  return common;
}

/// What migrations put in themselves.
bool IsFilledByMigrations(std::string_view table) { return table == "event_horizon"; }

Result<void> ExpectEmpty(Connection& target, const Plan& plan) {
  for (const auto& [name, table] : plan.target) {
    if (IsFilledByMigrations(name)) continue;
    if (target.Query(fmt::format("SELECT 1 FROM \"{}\" LIMIT 1", name)).Step()) {
      return Fail(ErrorCode::kConflict,
                  fmt::format("the target is not empty (table {}): a copy goes into an empty database", name));
    }
  }
  return {};
}

std::string InsertSql(const Table& table, const std::vector<Column>& columns) {
  std::string names, places, updates;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string name = '"' + columns[i].name + '"';
    names += (i ? ", " : "") + name;
    places += fmt::format("{}${}", i ? ", " : "", i + 1);
    if (std::ranges::find(table.primary_key, columns[i].name) != table.primary_key.end()) continue;
    updates += fmt::format("{}{} = excluded.{}", updates.empty() ? "" : ", ", name, name);
  }
  std::string key;
  for (const auto& name : table.primary_key) key += (key.empty() ? "\"" : ", \"") + name + '"';
  // A trigger may have made the row already, beside the row it belongs to.
  return fmt::format("INSERT INTO \"{}\" ({}) VALUES ({}) ON CONFLICT ({}) DO {}", table.name, names, places, key,
                     updates.empty() ? "NOTHING" : "UPDATE SET " + updates);
}

class Copy {
 public:
  Copy(Engine& source, Engine& target, const CopyOptions& options)
      : source_(source), target_(target), options_(options) {}

  Task<Result<CopyReport>> Run() {
    if (source_.schema_version() != target_.schema_version())
      co_return Fail(ErrorCode::kConflict, "the two databases have different schema versions");
    if (auto prepared = co_await Prepare(); !prepared) co_return Fail(std::move(prepared.error()));
    for (const auto& name : plan_.order) {
      if (auto copied = co_await CopyTable(name); !copied) co_return Fail(std::move(copied.error()));
    }
    CopyReport report{.resumed = plan_.resumed};
    for (const auto& name : plan_.order) {
      auto compared = co_await Compare(name);
      if (!compared) co_return Fail(std::move(compared.error()));
      report.rows += compared->rows;
      report.tables.push_back(std::move(*compared));
    }
    if (auto finished = co_await Finish(); !finished) co_return Fail(std::move(finished.error()));
    co_return report;
  }

 private:
  void Tell(std::string_view step, std::string_view table, std::int64_t rows) const {
    if (options_.progress) options_.progress(step, table, rows);
  }

  Task<Result<void>> Prepare() {
    auto read_target = [&](Connection& connection) -> Result<void> {
      plan_.target = ReadTables(connection);
      plan_.resumed = HasUnfinishedCopy(connection);
      plan_.progress.clear();
      if (!plan_.resumed) return ExpectEmpty(connection, plan_);
      Rows rows = connection.Query(kReadProgress);
      while (rows.Step()) {
        plan_.progress[rows.String(0)] = {ParseKey(rows.Text(1)), rows.Int(2) != 0, rows.Int(3)};
      }
      return {};
    };
    if (auto read = co_await target_.Read(read_target); !read) co_return read;
    auto read_source = [&](Connection& connection) -> Result<void> {
      plan_.source = ReadTables(connection);
      if (HasUnfinishedCopy(connection)) return Fail(ErrorCode::kConflict, "the source is itself an unfinished copy");
      const bool kinds_of_target = KnowsKinds(plan_.target);
      for (const auto& [name, table] : plan_.source) {
        const auto there = plan_.target.find(name);
        if (there == plan_.target.end() || table.primary_key.empty())
          return Fail(ErrorCode::kConflict, fmt::format("the target has no place for the table {}", name));
        auto columns = CommonColumns(connection, table, there->second, kinds_of_target);
        if (!columns) return Fail(std::move(columns.error()));
        plan_.columns[name] = std::move(*columns);
      }
      plan_.order = InOrder(plan_.source);
      // Triggers of accounts and calendars write this one: what they wrote is replaced when both are there.
      const auto duties = std::ranges::find(plan_.order, "account_duties");
      if (duties != plan_.order.end()) std::rotate(duties, duties + 1, plan_.order.end());
      return {};
    };
    if (auto read = co_await source_.Read(read_source); !read) co_return read;
    if (plan_.resumed) co_return Result<void>();
    auto begin = [&](Transaction& transaction) -> Result<void> {
      transaction.Execute(kMakeProgress);
      return {};
    };
    co_return co_await target_.Write(begin, Durability::kPower);
  }

  Task<Result<void>> CopyTable(const std::string& name) {
    Progress& progress = plan_.progress[name];
    const Table& from = plan_.source.at(name);
    const auto& columns = plan_.columns.at(name);
    const std::string insert = InsertSql(plan_.target.at(name), columns);
    while (!progress.done) {
      auto read = [&](Connection& connection) -> Result<Page> {
        return ReadPage(connection, from, columns, progress.last_key, options_.page_rows, options_.page_bytes);
      };
      const auto page = co_await source_.Read(read);
      if (!page) co_return Fail(page.error());
      const Row& last_key = page->rows.empty() ? progress.last_key : page->last_key;
      const auto copied = progress.copied + static_cast<std::int64_t>(page->rows.size());
      const std::string position = PrintKey(last_key);
      auto write = [&](Transaction& transaction) -> Result<void> {
        for (const Row& row : page->rows) {
          const auto values = AsValues(row);
          transaction.connection().SendAll(insert, values);
        }
        transaction.Execute(kWriteProgress, name, position, page->end ? 1 : 0, copied);
        return {};
      };
      if (auto written = co_await target_.Write(write); !written) {
        co_return Fail(written.error().code, fmt::format("table {}: {}", name, written.error().detail));
      }
      progress = {last_key, page->end, copied};
      Tell("copying", name, copied);
    }
    co_return Result<void>();
  }

  Task<Result<Checksum>> Sum(Engine& engine, const Table& table, const std::vector<Column>& columns) {
    Checksum sum;
    Row after;
    for (;;) {
      auto read = [&](Connection& connection) -> Result<Page> {
        return ReadPage(connection, table, columns, after, options_.page_rows, options_.page_bytes);
      };
      const auto page = co_await engine.Read(read);
      if (!page) co_return Fail(page.error());
      for (const Row& row : page->rows) sum.Add(row);
      if (page->end) co_return sum;
      after = page->last_key;
      Tell("comparing", table.name, sum.rows());
    }
  }

  Task<Result<CopiedTable>> Compare(const std::string& name) {
    const auto& columns = plan_.columns.at(name);
    const auto here = co_await Sum(source_, plan_.source.at(name), columns);
    if (!here) co_return Fail(here.error());
    const auto there = co_await Sum(target_, plan_.target.at(name), columns);
    if (!there) co_return Fail(there.error());
    if (*here != *there) {
      co_return Fail(
          ErrorCode::kInternal,
          fmt::format("table {} differs: {} rows with checksum {} in the source, {} rows with checksum {} in "
                      "the target. Was the source changed since the copy began? Begin again with an empty "
                      "target",
                      name, here->rows(), here->Hex(), there->rows(), there->Hex()));
    }
    co_return CopiedTable{.name = name, .rows = here->rows(), .checksum = here->Hex()};
  }

  Task<Result<void>> Finish() {
    std::map<std::string_view, std::int64_t> lasting;
    auto read = [&](Connection& connection) -> Result<void> {
      lasting.clear();
      for (const auto table : kLasting) {
        Rows rows = connection.dialect() == Dialect::kSqlite ? connection.Query(kLastNumber, table)
                                                             : connection.Query(kLastNumber, table, "id");
        lasting[table] = rows.Step() ? rows.Int(0) : 0;
      }
      return {};
    };
    if (auto known = co_await source_.Read(read); !known) co_return known;
    auto write = [&](Transaction& transaction) -> Result<void> {
      if (transaction.dialect() == Dialect::kSqlite) {
        for (const auto& [table, last] : lasting) {
          transaction.Execute(kForgetNumber, table);
          transaction.Execute(kKeepNumber, table, last);
        }
      } else {
        SetIdentities(transaction, lasting);
      }
      transaction.Execute(kQueueSearch);
      const jobs::NewJob index{.kind = "index_messages", .unique_key = "index_messages"};
      if (auto queued = InsertJob(transaction, index, options_.now); !queued) return Fail(std::move(queued.error()));
      transaction.Execute(kDropProgress);
      return {};
    };
    co_return co_await target_.Write(write, Durability::kPower);
  }

  static void SetIdentities(Transaction& transaction, const std::map<std::string_view, std::int64_t>& lasting) {
    std::vector<std::pair<std::string, std::string>> identities;
    {
      Rows rows = transaction.Query(kIdentities);
      while (rows.Step()) identities.emplace_back(rows.String(0), rows.String(1));
    }
    for (const auto& [table, column] : identities) {
      std::int64_t last = 0;
      {
        Rows rows = transaction.Query(fmt::format("SELECT max(\"{}\") FROM \"{}\"", column, table));
        if (rows.Step() && !rows.IsNull(0)) last = rows.Int(0);
      }
      if (const auto found = lasting.find(table); found != lasting.end()) last = std::max(last, found->second);
      if (last > 0) transaction.Query(kSetNumber, table, column, last).Step();
    }
  }

  Engine& source_;
  Engine& target_;
  const CopyOptions& options_;
  Plan plan_;
};

}  // namespace

Task<Result<CopyReport>> CopyDatabase(Engine& source, Engine& target, const CopyOptions& options) {
  Copy copy(source, target, options);
  co_return co_await copy.Run();
}

bool HasUnfinishedCopy(Connection& connection) { return connection.Query(kHasProgress).Step(); }

}  // namespace latchkey::storage::copy
