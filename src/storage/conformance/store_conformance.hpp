#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/testing/scratch_postgres.hpp"
#include "storage/testing/scratch_store.hpp"

/// The laws of the ports, written once: every engine runs every test. A new engine is one more value below.
namespace latchkey::storage {

class StoreConformance : public ::testing::TestWithParam<testing::OpenScratch> {
 protected:
  StoreConformance() : store(GetParam()) {}

  Database& db() { return store.database(); }
  mail::MessageStore& messages() { return db().messages(); }
  mail::MessageReader& reader() { return db().message_reader(); }
  mail::OutboxStore& outbox() { return db().outbox(); }
  connected_accounts::AccountStore& accounts() { return db().accounts(); }
  identity::IdentityStore& identity() { return db().identity(); }
  jobs::JobStore& jobs() { return db().jobs(); }
  events::EventStore& events() { return db().events(); }

  /// External ids of a list, in its order.
  std::vector<std::string> Listed(const mail::MessageQuery& query) {
    std::vector<std::string> ids;
    for (const auto& item : store.Get(reader().List(query)).items) ids.push_back(item.external_id);
    return ids;
  }
  /// The whole stored message with this external id.
  mail::StoredMessage Stored(const connected_accounts::ConnectedAccount& account, const std::string& external_id) {
    const mail::MessageQuery query{.user_id = account.user_id, .account_id = account.id, .limit = 500};
    for (const auto& item : store.Get(reader().List(query)).items) {
      if (item.external_id == external_id) return store.Get(reader().Get(account.user_id, item.id));
    }
    throw std::runtime_error("not stored: " + external_id);
  }
  mail::LabelCount LabelOf(const connected_accounts::ConnectedAccount& account, const std::string& label) {
    for (auto& count : store.Get(reader().ListLabels(account.user_id, account.id))) {
      if (count.label.external_id == label) return count;
    }
    return {};
  }
  std::vector<std::string> EventTypes(const UserId& user, std::int64_t after = 0) {
    std::vector<std::string> types;
    for (const auto& event : store.Get(events().ListAfter(user, after, 1000))) types.push_back(event.type);
    return types;
  }

  testing::ScratchStore store;
};

/// Those that can be had here: PostgreSQL where LATCHKEY_TEST_POSTGRES names a server (statements_test.cpp says when
/// not).
inline std::vector<testing::OpenScratch> Engines() {
  std::vector<testing::OpenScratch> engines{&testing::SqliteUrl};
  if (testing::PostgresServer()) engines.push_back(&testing::PostgresUrl);
  return engines;
}
inline std::string EngineName(const ::testing::TestParamInfo<testing::OpenScratch>& info) {
  return info.param == &testing::SqliteUrl ? "Sqlite" : "Postgres";
}

/// Once in each file of tests: GoogleTest lets a suite be instantiated where its tests are.
#define LATCHKEY_ON_EVERY_ENGINE(suite)                                                       \
  INSTANTIATE_TEST_SUITE_P(Engines, suite, ::testing::ValuesIn(latchkey::storage::Engines()), \
                           latchkey::storage::EngineName)

}  // namespace latchkey::storage
