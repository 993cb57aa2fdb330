// A new program meets a database of its past, of its future, or one that others bring up to date just then.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <thread>

#include <fmt/format.h>

#include "tests/integration/support/database_file.hpp"
#include "tests/integration/support/fixture.hpp"
#include "tests/integration/support/scratch_database.hpp"

namespace latchkey::integration {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Upgrade : public IntegrationTest {
 protected:
  Upgrade() { start_server_ = false; }

  void ExpectNewerIsRefused(const std::string& database, const std::function<void(const std::string&)>& change) {
    server_.Start();
    EXPECT_EQ(server_.Stop(), 0);
    change(
        "INSERT INTO schema_migrations (version, name, applied_at) "
        "SELECT 9999, 'of_tomorrow', max(applied_at) FROM schema_migrations");
    const auto known = DatabaseFile(database).Query("SELECT version FROM schema_migrations ORDER BY version");
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"serve"}, {"keys", "status"}, {"restored"}}) {
      const auto refused = RunServer(server_.environment(), arguments);
      EXPECT_EQ(refused.exit_code, 3) << arguments[0] << "\n" << refused.output;
      EXPECT_THAT(refused.output, HasSubstr("schema version 9999")) << arguments[0];
      EXPECT_THAT(refused.output, HasSubstr("start the newer program")) << arguments[0];
    }
    EXPECT_EQ(DatabaseFile(database).Query("SELECT version FROM schema_migrations ORDER BY version"), known);
    change("DELETE FROM schema_migrations WHERE version = 9999");
    server_.Start();
    EXPECT_EQ(server_.Stop(), 0);
  }
};

TEST_F(Upgrade, AFileOfANewerProgramIsRefusedAndLeftAlone) {
  const std::string path = server_.data_directory() + "/latchkey.db";
  if (ScratchDatabase::Wanted()) GTEST_SKIP() << "about files";
  ExpectNewerIsRefused(path, [&](const std::string& sql) { DatabaseFile::Change(path, sql); });
}

TEST_F(Upgrade, APostgresqlDatabaseOfANewerProgramIsRefusedAndLeftAlone) {
  if (std::getenv("LATCHKEY_TEST_POSTGRES") == nullptr) GTEST_SKIP() << "LATCHKEY_TEST_POSTGRES names no server";
  const ScratchDatabase postgres;
  server_.environment()["DATABASE_URL"] = postgres.url();
  ExpectNewerIsRefused(postgres.url(),
                       [&](const std::string& sql) { DatabaseFile(postgres.url()).Query(sql + "; SELECT 1"); });
}

// Makes whoever changes the schema wait at the wished for command, for as long as somebody holds the lock.
constexpr const char* kHold = R"sql(
CREATE SCHEMA hold;
CREATE SEQUENCE hold.done;
CREATE TABLE hold.wish (at bigint);
CREATE FUNCTION hold.wait() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  IF nextval('hold.done') = (SELECT at FROM hold.wish) THEN
    PERFORM pg_advisory_xact_lock(77);
  END IF;
END $$;
CREATE EVENT TRIGGER hold_commands ON ddl_command_end EXECUTE FUNCTION hold.wait();
SELECT setval('hold.done', 1, FALSE))sql";

TEST_F(Upgrade, OfServersThatStartAtOnceOneMigratesAndWhenItIsKilledTheOtherDoes) {
  if (std::getenv("LATCHKEY_TEST_POSTGRES") == nullptr) GTEST_SKIP() << "LATCHKEY_TEST_POSTGRES names no server";
  const auto waiting = [](DatabaseFile& database, bool at_our_lock) {
    return database.Query(
        fmt::format("SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
                    "WHERE d.datname = current_database() AND l.locktype = 'advisory' "
                    "AND NOT l.granted AND (l.classid = 0 AND l.objid = 77) = {}",
                    at_our_lock));
  };
  long commands = 0;
  {
    const ScratchDatabase postgres;
    DatabaseFile counter(postgres.url());
    counter.Query(kHold);
    Server alone(simulator_, {{"DATABASE_URL", postgres.url()}});
    alone.Start();
    EXPECT_EQ(alone.Stop(), 0);
    commands = std::stol(counter.Query("SELECT last_value FROM hold.done").at(0).at(0));
    ASSERT_GT(commands, 50);
  }
  // At the very first command, in the first step, in later ones, and where the last command of all is done and nothing
  // is committed.
  for (const long at : {1L, commands / 3, commands * 2 / 3, commands * 9 / 10, commands}) {
    SCOPED_TRACE(at);
    const ScratchDatabase postgres;
    DatabaseFile holder(postgres.url());
    holder.Query(kHold);
    holder.Query(fmt::format("INSERT INTO hold.wish VALUES ({}); SELECT pg_advisory_lock(77)", at));

    const TempDirectory directory;
    Server dying(simulator_, {{"DATABASE_URL", postgres.url()}});
    Process::Options options;
    options.arguments = {LATCHKEY_SERVER_PATH, "serve"};
    options.environment = dying.environment();
    options.output_path = directory.Sub("dying.log");
    options.working_directory = directory.path();
    Process first(options);
    ASSERT_TRUE(WaitUntil([&] { return !waiting(holder, true).empty() || first.Poll(); }));
    ASSERT_FALSE(first.Poll()) << ReadFile(directory.Sub("dying.log"));

    Server second(simulator_, {{"DATABASE_URL", postgres.url()}});
    std::string problem;
    {
      const std::jthread starting([&] {
        try {
          second.Start();
        } catch (const std::exception& error) {
          problem = error.what();
        }
      });
      EXPECT_TRUE(WaitUntil([&] { return !waiting(holder, false).empty(); })) << "it waits for its turn";
      first.Kill();
      holder.Query("DROP EVENT TRIGGER IF EXISTS hold_commands; SELECT pg_advisory_unlock(77)");
    }
    ASSERT_EQ(problem, "");
    EXPECT_THAT(holder.Query("SELECT count(*) = max(version) FROM schema_migrations"), ElementsAre(ElementsAre("1")));
    EXPECT_EQ(Fetch({.url = second.url() + "/readyz"}).status, 200);
    EXPECT_EQ(second.Stop(), 0);
  }
}

}  // namespace
}  // namespace latchkey::integration
