// What many connected accounts cost when few of them are due.
// usage: bench_scale fill DATABASE_URL ACCOUNTS DUE    makes the schema and the rows
//        bench_scale measure DATABASE_URL DUE ROUNDS   one line of JSON: median of a scheduler tick, a claim, a finish
#include <libpq-fe.h>
#include <sqlite3.h>

#include <fmt/core.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "storage/database.hpp"

namespace {

using namespace latchkey;
using Steady = std::chrono::steady_clock;

// Accounts of nobody: numbered users and mailboxes; ids are numbers in the shape of a UUID. %N% is how many, %DUE% how
// many of them wait for the scheduler, evenly spread; the others wait for a year.
constexpr std::string_view kSqlite[] = {
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %N%) "
    "INSERT INTO users (id, email, auth_provider, created_at, updated_at) "
    "SELECT printf('%08x-0000-7000-8000-000000000001', i), 'user' || i || '@example.com', 'google', 1, 1 FROM n",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %N%) "
    "INSERT INTO connected_accounts (id, user_id, provider, provider_account_id, email, requested_capabilities, "
    "granted_capabilities, created_at, updated_at) "
    "SELECT printf('%08x-0000-7000-8000-000000000002', i), printf('%08x-0000-7000-8000-000000000001', i), 'google', "
    "'box' || i, 'box' || i || '@example.com', '[\"read_mail\"]', '[\"read_mail\"]', 1, 1 FROM n",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %N%) "
    "INSERT INTO email_sync_status (id, connected_account_id, sync_status, next_sync_at, backfill_complete, "
    "created_at, updated_at) "
    "SELECT printf('%08x-0000-7000-8000-000000000003', i), printf('%08x-0000-7000-8000-000000000002', i), "
    "'COMPLETED', CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER) + "
    "CASE WHEN i % max(%N% / %DUE%, 1) = 0 THEN 0 ELSE 31536000000000 END, 1, 1, 1 FROM n",
    "ANALYZE",
};
constexpr std::string_view kPostgres[] = {
    "INSERT INTO users (id, email, auth_provider, created_at, updated_at) "
    "SELECT (lpad(to_hex(i), 8, '0') || '-0000-7000-8000-000000000001')::uuid, 'user' || i || '@example.com', "
    "'google', now(), now() FROM generate_series(1, %N%) i",
    "INSERT INTO connected_accounts (id, user_id, provider, provider_account_id, email, requested_capabilities, "
    "granted_capabilities, created_at, updated_at) "
    "SELECT (lpad(to_hex(i), 8, '0') || '-0000-7000-8000-000000000002')::uuid, "
    "(lpad(to_hex(i), 8, '0') || '-0000-7000-8000-000000000001')::uuid, 'google', 'box' || i, "
    "'box' || i || '@example.com', '[\"read_mail\"]', '[\"read_mail\"]', now(), now() FROM generate_series(1, %N%) i",
    "INSERT INTO email_sync_status (id, connected_account_id, sync_status, next_sync_at, backfill_complete, "
    "created_at, updated_at) "
    "SELECT (lpad(to_hex(i), 8, '0') || '-0000-7000-8000-000000000003')::uuid, "
    "(lpad(to_hex(i), 8, '0') || '-0000-7000-8000-000000000002')::uuid, 'COMPLETED', now() + CASE WHEN i % "
    "greatest(%N% / %DUE%, 1) = 0 THEN interval '0' ELSE interval '1 year' END, TRUE, now(), now() "
    "FROM generate_series(1, %N%) i",
    "VACUUM ANALYZE",
};
// What a round queued is due again.
constexpr std::string_view kAgainSqlite =
    "UPDATE email_sync_status SET next_sync_at = 1 WHERE connected_account_id IN (SELECT connected_account_id FROM "
    "jobs "
    "WHERE finalized_at IS NOT NULL ORDER BY row_id DESC LIMIT %DUE%)";
constexpr std::string_view kAgainPostgres =
    "UPDATE email_sync_status SET next_sync_at = '2000-01-01' WHERE connected_account_id IN (SELECT "
    "connected_account_id FROM jobs WHERE finalized_at IS NOT NULL ORDER BY row_id DESC LIMIT %DUE%)";

std::string Fill(std::string_view text, long accounts, long due) {
  std::string out(text);
  for (const auto& [mark, number] : {std::pair{std::string_view("%N%"), accounts}, {std::string_view("%DUE%"), due}}) {
    for (auto at = out.find(mark); at != std::string::npos; at = out.find(mark)) {
      out.replace(at, mark.size(), std::to_string(number));
    }
  }
  return out;
}

bool IsSqlite(std::string_view url) { return url.starts_with("sqlite:"); }

/// Plain statements beside the server's own connections.
class Raw {
 public:
  explicit Raw(const std::string& url) {
    if (IsSqlite(url)) {
      if (sqlite3_open(url.substr(7).c_str(), &sqlite_) != SQLITE_OK) throw std::runtime_error("cannot open " + url);
      sqlite3_busy_timeout(sqlite_, 10'000);
    } else {
      postgres_ = PQconnectdb(url.c_str());
      if (PQstatus(postgres_) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(postgres_));
    }
  }
  ~Raw() {
    sqlite3_close(sqlite_);
    if (postgres_) PQfinish(postgres_);
  }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;
  void Run(const std::string& sql) {
    if (sqlite_) {
      if (sqlite3_exec(sqlite_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        throw std::runtime_error(sqlite3_errmsg(sqlite_));
      }
      return;
    }
    PGresult* result = PQexec(postgres_, sql.c_str());
    const bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    if (!done) throw std::runtime_error(PQerrorMessage(postgres_));
  }

 private:
  sqlite3* sqlite_ = nullptr;
  PGconn* postgres_ = nullptr;
};

double Micros(Steady::time_point since) {
  return std::chrono::duration<double, std::micro>(Steady::now() - since).count();
}

double Median(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

template <class T>
T Must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().detail);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

Task<void> Measure(storage::Database& database, const Clock& clock, Raw& raw, std::string again, int due, int rounds) {
  std::vector<double> ticks, idle_ticks, claims, finishes;
  for (int round = 0; round < rounds; ++round) {
    auto began = Steady::now();
    const int queued = Must(co_await database.accounts().ScheduleDue(clock.Now(), clock.Now() + std::chrono::days(365),
                                                                     1000, jobs::kFetchEmails));
    ticks.push_back(Micros(began));
    if (queued != due) throw std::runtime_error(fmt::format("{} accounts were due, {} queued", due, queued));
    began = Steady::now();
    Must(co_await database.accounts().ScheduleDue(clock.Now(), clock.Now() + std::chrono::days(365), 1000,
                                                  jobs::kFetchEmails));
    idle_ticks.push_back(Micros(began));
    jobs::ClaimQuery query;
    query.kinds = {std::string(jobs::kFetchEmails)};
    query.limit = due;
    began = Steady::now();
    const auto claimed = Must(co_await database.jobs().Claim(query));
    claims.push_back(Micros(began));
    if (static_cast<int>(claimed.size()) != due) throw std::runtime_error("not all were claimed");
    const jobs::Outcome done = jobs::Outcome::Completed();
    for (const auto& job : claimed) {
      const jobs::Lease lease{.job_id = job.id, .token = job.lease_token};
      began = Steady::now();
      Must(co_await database.jobs().Finish(lease, done, clock.Now()));
      finishes.push_back(Micros(began));
    }
    raw.Run(again);
  }
  fmt::print(R"({{"tick_us":{:.1f},"idle_tick_us":{:.1f},"claim_us":{:.1f},"finish_us":{:.1f}}})"
             "\n",
             Median(ticks), Median(idle_ticks), Median(claims), Median(finishes));
}

int Number(const char* text) {
  int number = 0;
  const std::string_view view(text);
  if (std::from_chars(view.data(), view.data() + view.size(), number).ec != std::errc() || number < 1) {
    throw std::runtime_error("not a number: " + std::string(view));
  }
  return number;
}

int Run(int argc, char** argv) {
  const std::string verb = argc == 5 ? argv[1] : "";
  if (verb != "fill" && verb != "measure") {
    fmt::print(stderr, "usage: bench_scale fill DATABASE_URL ACCOUNTS DUE | measure DATABASE_URL DUE ROUNDS\n");
    return 2;
  }
  const std::string url = argv[2];
  const int first = Number(argv[3]);
  const int second = Number(argv[4]);
  boost::asio::io_context loop;
  const SystemClock clock;
  const storage::DatabaseOptions options{.url = url};
  auto database = Must(storage::Database::Open(options, loop.get_executor(), clock));
  Raw raw(url);
  if (verb == "fill") {
    if (IsSqlite(url)) {
      for (const auto text : kSqlite) raw.Run(Fill(text, first, second));
    } else {
      for (const auto text : kPostgres) raw.Run(Fill(text, first, second));
    }
    return 0;
  }
  std::exception_ptr failure;
  const auto ended = [&](std::exception_ptr thrown) {
    failure = std::move(thrown);
    loop.stop();
  };
  const auto again = Fill(IsSqlite(url) ? kAgainSqlite : kAgainPostgres, 0, first);
  boost::asio::co_spawn(loop, Measure(*database, clock, raw, again, first, second), ended);
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& failure) {
    fmt::print(stderr, "{}\n", failure.what());
    return 1;
  }
}
