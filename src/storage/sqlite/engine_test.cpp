#include "storage/sqlite/engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <latch>

#include "async/testing.hpp"
#include "storage/sqlite/connection.hpp"

namespace latchkey::storage::sqlite {
namespace {

using latchkey::testing::RunTask;
using ::testing::HasSubstr;

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "latchkey-engine-XXXXXX").string();
    directory = ::mkdtemp(pattern.data());
  }
  ~EngineTest() override {
    engine.reset();
    std::filesystem::remove_all(directory);
  }
  std::string Path() const { return directory + "/db"; }
  void Open(EngineOptions options = {}) {
    engine.reset();
    options.path = Path();
    auto opened = Engine::Open(options, loop.get_executor(), Instant());
    ASSERT_TRUE(opened) << opened.error().detail;
    engine = std::move(*opened);
    ASSERT_TRUE(Write("CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY, b BLOB)"));
  }
  Result<void> Write(const std::string& sql) {
    auto body = [&](Transaction& transaction) -> Result<void> {
      transaction.Execute(sql);
      return {};
    };
    return RunTask(loop, engine->Write(body));
  }
  Result<std::int64_t> Count() {
    auto body = [](auto& connection) -> Result<std::int64_t> {
      Rows rows = connection.Query("SELECT count(*) FROM t");
      rows.Step();
      return rows.Int(0);
    };
    return RunTask(loop, engine->Read(body));
  }

  boost::asio::io_context loop;
  std::string directory;
  std::unique_ptr<Engine> engine;
};

TEST_F(EngineTest, AFailingBodyUndoesItselfAlone) {
  Open();
  int good = 0, refused = 0, thrown = 0;
  auto insert = [&](bool fail, bool raise) -> Task<void> {
    auto body = [&](Transaction& transaction) -> Result<void> {
      transaction.Execute("INSERT INTO t (b) VALUES ($1)", "x");
      if (fail) return Fail(ErrorCode::kConflict);
      if (raise) transaction.Execute("INSERT INTO t (a) SELECT a FROM t");
      return {};
    };
    const auto result = co_await engine->Write(body);
    if (result)
      ++good;
    else if (result.error().code == ErrorCode::kConflict)
      ++refused;
    else if (result.error().code == ErrorCode::kAlreadyExists)
      ++thrown;
  };
  for (int i = 0; i < 30; ++i) boost::asio::co_spawn(loop, insert(i % 3 == 1, i % 3 == 2), boost::asio::detached);
  loop.restart();
  loop.run();
  EXPECT_EQ(good, 10);
  EXPECT_EQ(refused, 10);
  EXPECT_EQ(thrown, 10);
  EXPECT_EQ(*Count(), 10);
}

TEST_F(EngineTest, AFullQueueRefusesInsteadOfGrowing) {
  Open({.write_queue = 2});
  std::latch writing(1), release(1);
  int overloaded = 0, served = 0;
  auto hold = [&]() -> Task<void> {
    auto body = [&](Transaction&) -> Result<void> {
      writing.count_down();
      release.wait();
      return {};
    };
    (void)co_await engine->Write(body);
  };
  auto ask = [&]() -> Task<void> {
    auto body = [](Transaction&) -> Result<void> { return {}; };
    const auto result = co_await engine->Write(body);
    if (result)
      ++served;
    else if (result.error().code == ErrorCode::kOverloaded)
      ++overloaded;
    if (overloaded == 3) release.count_down();
  };
  auto ask_when_held = [&]() -> Task<void> {
    writing.wait();
    for (int i = 0; i < 5; ++i) boost::asio::co_spawn(loop, ask, boost::asio::detached);
    co_return;
  };
  boost::asio::co_spawn(loop, hold, boost::asio::detached);
  boost::asio::co_spawn(loop, ask_when_held, boost::asio::detached);
  loop.restart();
  loop.run();
  EXPECT_EQ(overloaded, 3);
  EXPECT_EQ(served, 2);
}

TEST_F(EngineTest, AReadEndsAtItsDeadline) {
  Open({.read_deadline = std::chrono::milliseconds(1)});
  auto endless = [](auto& connection) -> Result<std::int64_t> {
    Rows rows =
        connection.Query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");
    rows.Step();
    return rows.Int(0);
  };
  const auto result = RunTask(loop, engine->Read(endless));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kTimeout);
  EXPECT_EQ(*Count(), 0) << "the reader goes on";
}

TEST_F(EngineTest, AReadSeesOneMomentWhileOthersWrite) {
  Open();
  auto read = [&](auto& connection) -> Result<bool> {
    Rows first = connection.Query("SELECT count(*) FROM t");
    first.Step();
    Connection other(Path(), Connection::Mode::kReadWrite);
    other.Execute("INSERT INTO t (b) VALUES ('x')");
    Rows second = connection.Query("SELECT count(*) FROM t");
    second.Step();
    return first.Int(0) == second.Int(0);
  };
  EXPECT_TRUE(*RunTask(loop, engine->Read(read)));
  EXPECT_EQ(*Count(), 1);
}

TEST_F(EngineTest, AReaderCannotWrite) {
  Open();
  auto write = [](auto& connection) -> Result<void> {
    connection.Execute("INSERT INTO t (b) VALUES ('x')");
    return {};
  };
  EXPECT_FALSE(RunTask(loop, engine->Read(write)));
  EXPECT_EQ(*Count(), 0);
}

TEST_F(EngineTest, AFullDiskIsNamedKeepsWhatWasAcknowledgedAndHealsBySpace) {
  Open();
  ASSERT_TRUE(Write("INSERT INTO t (b) VALUES ('before')"));
  // SQLite's own limit stands for the volume's.
  auto limit = [](int pages) {
    return [pages](Transaction& transaction) -> Result<void> {
      Rows rows = transaction.Query("PRAGMA max_page_count=" + std::to_string(pages));
      rows.Step();
      return {};
    };
  };
  auto small = limit(1);  // it cannot go below what there is
  ASSERT_TRUE(RunTask(loop, engine->Write(small)));
  auto fill = [](Transaction& transaction) -> Result<void> {
    transaction.Execute("INSERT INTO t (b) VALUES (zeroblob(10000000))");
    return {};
  };
  const auto full = RunTask(loop, engine->Write(fill));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(*Count(), 1);
  auto large = limit(1000000);
  ASSERT_TRUE(RunTask(loop, engine->Write(large)));
  ASSERT_TRUE(Write("INSERT INTO t (b) VALUES ('after')"));
  EXPECT_EQ(engine->WriteFault(), std::nullopt);
  EXPECT_EQ(*Count(), 2);
}

TEST_F(EngineTest, AFileThatIsNoDatabaseIsRefusedAndLeftAlone) {
  const std::string text = std::string(10000, 'x');
  std::ofstream(Path()) << text;
  const auto opened = Engine::Open({.path = Path()}, loop.get_executor(), Instant());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kStorageUnavailable);
  std::ifstream file(Path());
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text);
}

TEST_F(EngineTest, AMissingDirectoryIsAnErrorInWords) {
  const auto opened = Engine::Open({.path = directory + "/nowhere/db"}, loop.get_executor(), Instant());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kStorageUnavailable);
  EXPECT_THAT(opened.error().detail, HasSubstr("unable to open"));
}

TEST_F(EngineTest, OnlyTheOwnerMayReadTheFiles) {
  Open();
  ASSERT_TRUE(Write("INSERT INTO t (b) VALUES ('x')"));
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    EXPECT_EQ(entry.status().permissions() & (std::filesystem::perms::group_all | std::filesystem::perms::others_all),
              std::filesystem::perms::none)
        << entry.path();
  }
}

TEST_F(EngineTest, ErrorsNameTheStatementNeverItsValues) {
  Open();
  auto body = [](Transaction& transaction) -> Result<void> {
    transaction.Execute("INSERT INTO t (a, b) VALUES (1, $1), (1, $1)", "a-secret-value");
    return {};
  };
  const auto result = RunTask(loop, engine->Write(body));
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().detail, HasSubstr("INSERT INTO t"));
  EXPECT_THAT(result.error().detail, ::testing::Not(HasSubstr("secret")));
}

TEST_F(EngineTest, DrainWaitsForBothLines) {
  Open();
  std::string ended;
  auto body = [](Transaction&) -> Result<void> { return {}; };
  auto bulk = [&]() -> Task<void> {
    (void)co_await engine->Write(body, Durability::kProcess, Isolation::kSerializable, Urgency::kBulk);
    ended += 'B';
  };
  auto usual = [&]() -> Task<void> {
    (void)co_await engine->Write(body);
    ended += 'u';
  };
  auto drain = [&]() -> Task<void> {
    co_await engine->Drain();
    ended += '.';
  };
  for (int i = 0; i < 20; ++i) {
    boost::asio::co_spawn(loop, bulk, boost::asio::detached);
    boost::asio::co_spawn(loop, usual, boost::asio::detached);
  }
  boost::asio::co_spawn(loop, drain, boost::asio::detached);
  loop.restart();
  loop.run();
  EXPECT_EQ(ended.size(), 41U);
  EXPECT_EQ(ended.back(), '.');
}

TEST_F(EngineTest, HooksComeAfterTheCommitAndBeforeTheWriter) {
  Open();
  std::vector<std::string> order;
  Engine::Open({.path = Path()}, loop.get_executor(), Instant());
  engine->SetHooks({.jobs_inserted = [&] { order.push_back("jobs"); },
                    .events_written = [&](const UserId& user) { order.push_back(user.text()); }});
  auto ask = [&]() -> Task<void> {
    auto body = [](Transaction& transaction) -> Result<void> {
      transaction.WakeJobs();
      transaction.WakeEvents(UserId("u"));
      return {};
    };
    (void)co_await engine->Write(body);
    order.push_back("writer");
  };
  RunTask(loop, ask());
  EXPECT_THAT(order, ::testing::ElementsAre("jobs", "u", "writer"));
}

}  // namespace
}  // namespace latchkey::storage::sqlite
