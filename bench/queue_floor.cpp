// The least a queue in a database costs: one loop that claims a batch, does nothing, and completes it together with the
// next claim. No retries, no leases, no priorities. usage: bench_queue_floor DATABASE_URL COUNT; one line of JSON.
#include <libpq-fe.h>
#include <poll.h>
#include <sqlite3.h>

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Steady = std::chrono::steady_clock;
constexpr int kBatch = 256;
constexpr int kSamples = 200;

double Seconds(Steady::duration duration) { return std::chrono::duration<double>(duration).count(); }

[[noreturn]] void Die(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(1);
}

class Floor {
 public:
  virtual ~Floor() = default;
  virtual void Fill(int count) = 0;
  /// Completes `done` and claims the next batch in one round trip.
  virtual std::vector<std::string> Exchange(const std::vector<std::string>& done) = 0;
  /// Inserts one job and waits until it is known to be there.
  virtual void InsertOne() = 0;
};

class SqliteFloor final : public Floor {
 public:
  explicit SqliteFloor(const std::string& path) {
    if (sqlite3_open(path.c_str(), &database_) != SQLITE_OK) Die("cannot open the database");
    Run("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        "CREATE TABLE floor_jobs (id INTEGER PRIMARY KEY, state TEXT NOT NULL, args TEXT NOT NULL);"
        "CREATE INDEX floor_ready ON floor_jobs (id) WHERE state = 'available'");
    claim_ = Prepare(
        "UPDATE floor_jobs SET state = 'running' WHERE id IN (SELECT id FROM floor_jobs WHERE state = 'available' "
        "ORDER BY id LIMIT ?1) RETURNING id");
    complete_ = Prepare("UPDATE floor_jobs SET state = 'completed' WHERE id = ?1");
    insert_ = Prepare("INSERT INTO floor_jobs (state, args) VALUES ('available', '{}')");
  }
  ~SqliteFloor() override {
    for (auto* statement : {claim_, complete_, insert_}) sqlite3_finalize(statement);
    sqlite3_close(database_);
  }
  void Fill(int count) override {
    Run("BEGIN");
    for (int i = 0; i < count; ++i) InsertOne();
    Run("COMMIT");
  }
  std::vector<std::string> Exchange(const std::vector<std::string>& done) override {
    Run("BEGIN IMMEDIATE");
    for (const std::string& id : done) {
      sqlite3_bind_int64(complete_, 1, std::stoll(id));
      sqlite3_step(complete_);
      sqlite3_reset(complete_);
    }
    std::vector<std::string> claimed;
    sqlite3_bind_int(claim_, 1, kBatch);
    while (sqlite3_step(claim_) == SQLITE_ROW) {
      claimed.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(claim_, 0)));
    }
    sqlite3_reset(claim_);
    Run("COMMIT");
    return claimed;
  }
  void InsertOne() override {
    sqlite3_step(insert_);
    sqlite3_reset(insert_);
  }

 private:
  void Run(const char* sql) {
    if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) Die(sqlite3_errmsg(database_));
  }
  sqlite3_stmt* Prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr) != SQLITE_OK) Die(sqlite3_errmsg(database_));
    return statement;
  }
  sqlite3* database_ = nullptr;
  sqlite3_stmt* claim_ = nullptr;
  sqlite3_stmt* complete_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

class PostgresFloor final : public Floor {
 public:
  explicit PostgresFloor(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) Die(PQerrorMessage(connection_));
    Run("CREATE TABLE floor_jobs (id bigserial PRIMARY KEY, state text NOT NULL, args text NOT NULL)");
    Run("CREATE INDEX floor_ready ON floor_jobs (id) WHERE state = 'available'");
    Prepare("claim",
            "UPDATE floor_jobs SET state = 'running' WHERE id IN (SELECT id FROM floor_jobs WHERE state = 'available' "
            "ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id");
    Prepare("complete", "UPDATE floor_jobs SET state = 'completed' WHERE id = ANY($1::bigint[])");
  }
  ~PostgresFloor() override { PQfinish(connection_); }
  void Fill(int count) override {
    Run("INSERT INTO floor_jobs (state, args) SELECT 'available', '{}' FROM generate_series(1, " +
        std::to_string(count) + ")");
    Run("ANALYZE floor_jobs");
  }
  std::vector<std::string> Exchange(const std::vector<std::string>& done) override {
    std::string ids = "{";
    for (const std::string& id : done) ids += (ids.size() > 1 ? "," : "") + id;
    ids += '}';
    const std::string limit = std::to_string(kBatch);
    PQenterPipelineMode(connection_);
    Send("complete", ids);
    Send("claim", limit);
    PQpipelineSync(connection_);
    std::vector<std::string> claimed;
    for (bool synced = false; !synced;) {
      PGresult* result = PQgetResult(connection_);
      if (!result) continue;
      switch (PQresultStatus(result)) {
        case PGRES_PIPELINE_SYNC:
          synced = true;
          break;
        case PGRES_TUPLES_OK:
          for (int row = 0; row < PQntuples(result); ++row) claimed.emplace_back(PQgetvalue(result, row, 0));
          break;
        case PGRES_COMMAND_OK:
          break;
        default:
          Die(PQresultErrorMessage(result));
      }
      PQclear(result);
    }
    PQexitPipelineMode(connection_);
    return claimed;
  }
  void InsertOne() override { Run("INSERT INTO floor_jobs (state, args) VALUES ('available', '{}')"); }

 private:
  void Send(const char* statement, const std::string& value) {
    const char* values[] = {value.c_str()};
    if (!PQsendQueryPrepared(connection_, statement, 1, values, nullptr, nullptr, 0)) Die(PQerrorMessage(connection_));
  }
  void Prepare(const char* name, const char* sql) { Check(PQprepare(connection_, name, sql, 0, nullptr)); }
  void Run(const std::string& sql) { Check(PQexec(connection_, sql.c_str())); }
  void Check(PGresult* result) {
    const auto status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) Die(PQresultErrorMessage(result));
    PQclear(result);
  }
  PGconn* connection_;
};

}  // namespace

int main(int argc, char** argv) {
  int count = 0;
  const std::string_view number = argc == 3 ? argv[2] : "";
  if (std::from_chars(number.data(), number.data() + number.size(), count).ec != std::errc() || count < 1) {
    fmt::print(stderr, "usage: bench_queue_floor DATABASE_URL COUNT\n");
    return 2;
  }
  const std::string url = argv[1];
  std::unique_ptr<Floor> floor;
  if (url.starts_with("sqlite:")) {
    floor = std::make_unique<SqliteFloor>(url.substr(7));
  } else {
    floor = std::make_unique<PostgresFloor>(url);
  }
  floor->Fill(count);
  const auto began = Steady::now();
  std::vector<std::string> batch;
  for (int handled = 0;; handled += static_cast<int>(batch.size())) {
    batch = floor->Exchange(batch);
    if (batch.empty()) {
      if (handled != count) Die("jobs are missing");
      break;
    }
  }
  const double seconds = Seconds(Steady::now() - began);
  std::vector<double> waits;
  for (int i = 0; i < kSamples; ++i) {
    const auto inserted = Steady::now();
    floor->InsertOne();
    batch = floor->Exchange({});
    waits.push_back(Seconds(Steady::now() - inserted) * 1000);
    floor->Exchange(batch);
  }
  std::sort(waits.begin(), waits.end());
  fmt::print(R"({{"jobs":{},"seconds":{:.4f},"p50_ms":{:.3f},"p99_ms":{:.3f}}})"
             "\n",
             count, seconds, waits[waits.size() / 2], waits[waits.size() * 99 / 100]);
  return 0;
}
