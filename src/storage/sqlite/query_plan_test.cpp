#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/event_list.hpp"
#include "storage/message_list.hpp"
#include "storage/sqlite/migrations.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::storage::sqlite {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class QueryPlanTest : public ::testing::Test {
 protected:
  std::string Plan(std::string_view sql) {
    std::string plan;
    Rows rows = connection.Query("EXPLAIN QUERY PLAN " + std::string(sql));
    while (rows.Step()) plan += rows.String(3) + "\n";
    return plan;
  }
  storage::testing::ScratchStore store;
  Connection connection{store.directory() + "/latchkey.db", Connection::Mode::kReadOnly};
};

TEST_F(QueryPlanTest, AListPageIsAnIndexWalkWithoutSorting) {
  for (const Statement* statement : ListStatements()) {
    const auto sql = statement->In(Dialect::kSqlite);
    const std::string plan = Plan(sql);
    EXPECT_THAT(plan, AllOf(HasSubstr("SEARCH"), Not(HasSubstr("SCAN")), Not(HasSubstr("TEMP B-TREE")))) << sql;
    EXPECT_THAT(plan, AnyOf(HasSubstr("COVERING INDEX"), HasSubstr("PRIMARY KEY"))) << sql;
  }
}

TEST_F(QueryPlanTest, ARangeOfEventsIsFoundByItsIndexes) {
  for (const Statement* statement : EventListStatements()) {
    const auto sql = statement->In(Dialect::kSqlite);
    EXPECT_THAT(Plan(sql),
                AllOf(HasSubstr("SEARCH"), Not(HasSubstr("SCAN")), Not(HasSubstr("TEMP B-TREE FOR ORDER BY"))))
        << sql;
  }
}

TEST_F(QueryPlanTest, ASearchBeginsAtTheFullTextIndex) {
  for (const Statement* statement : SearchStatements()) {
    const auto sql = statement->In(Dialect::kSqlite);
    EXPECT_THAT(Plan(sql), ::testing::StartsWith("SCAN f VIRTUAL TABLE")) << sql;
  }
}

TEST_F(QueryPlanTest, WhatIsAskedOftenWalksItsOwnIndex) {
  struct Asked {
    std::string_view index, sql;
  };
  // As the stores write them; a statement that loses its index shows here before it shows in a large mailbox.
  for (const Asked& asked : {
           Asked{"idx_email_sync_status_due",
                 "SELECT s.connected_account_id, a.generation FROM email_sync_status s JOIN connected_accounts a "
                 "ON a.id = s.connected_account_id WHERE s.next_sync_at IS NOT NULL AND s.next_sync_at <= $1 "
                 "ORDER BY s.next_sync_at LIMIT $2"},
           Asked{"idx_connected_accounts_last_refresh",
                 "SELECT id, generation, fault_code FROM connected_accounts "
                 "WHERE coalesce(last_refresh_at, created_at) < $1 AND disconnecting = 0 AND refresh_token <> '' "
                 "ORDER BY coalesce(last_refresh_at, created_at)"},
           Asked{"idx_jobs_claim",
                 "SELECT j.row_id, j.priority, j.scheduled_at, j.connected_account_id FROM jobs j "
                 "WHERE j.state = 'available' AND j.kind = $1 AND (j.connected_account_id IS NULL OR NOT EXISTS "
                 "(SELECT 1 FROM jobs r WHERE r.state = 'running' AND r.connected_account_id = j.connected_account_id "
                 "AND r.kind = j.kind)) ORDER BY j.priority, j.scheduled_at, j.row_id LIMIT $2"},
           Asked{"idx_jobs_due",
                 "SELECT row_id FROM jobs INDEXED BY idx_jobs_due WHERE state IN ('scheduled', 'retryable') "
                 "AND scheduled_at <= $1 ORDER BY scheduled_at LIMIT $2"},
           Asked{
               "idx_jobs_due",
               "SELECT min(scheduled_at) FROM jobs INDEXED BY idx_jobs_due WHERE state IN ('scheduled', 'retryable')"},
           Asked{"idx_jobs_completed",
                 "SELECT j.id, j.kind, 'COMPLETED', '', j.attempted_at, j.finalized_at, j.finalized_at FROM jobs j "
                 "WHERE j.connected_account_id = $2 AND j.state = 'completed' ORDER BY j.finalized_at DESC LIMIT $3"},
           Asked{"idx_account_duties_due",
                 "SELECT d.connected_account_id, d.next_at, a.generation, a.is_active FROM account_duties d "
                 "JOIN connected_accounts a ON a.id = d.connected_account_id "
                 "WHERE d.duty = 'audit' AND d.next_at <= $1 ORDER BY d.next_at LIMIT $2"},
           Asked{"PRIMARY KEY",
                 "SELECT external_id FROM audit_ids WHERE connected_account_id = $1 AND service = $2 "
                 "AND external_id > $3 ORDER BY external_id LIMIT $4"},
           Asked{"autoindex_synced_messages",
                 "SELECT external_message_id FROM synced_messages WHERE connected_account_id = $1 "
                 "AND external_message_id > $2 ORDER BY external_message_id LIMIT $3"},
           Asked{"idx_events_user", "SELECT id, type FROM events WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3"},
           Asked{"autoindex_sessions", "SELECT id FROM sessions WHERE token_hash = $1"},
           Asked{"autoindex_synced_messages",
                 "SELECT version, epoch FROM synced_messages WHERE connected_account_id = $1 AND external_message_id = "
                 "$2"},
       }) {
    const std::string plan = Plan(asked.sql);
    EXPECT_THAT(plan, AllOf(HasSubstr(std::string(asked.index)), Not(HasSubstr("TEMP B-TREE")))) << asked.sql;
  }
}

}  // namespace
}  // namespace latchkey::storage::sqlite
