// A database of the older program, with its dual OAuth schema, becomes ours where it is.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "storage/message_content.hpp"
#include "storage/testing/scratch_postgres.hpp"
#include "storage/testing/statement_killer.hpp"

namespace latchkey::storage {
namespace {

using storage::testing::ScratchPostgres;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// As it left them: instants without a zone, one account per person and provider, tokens beside the account.
constexpr const char* kOlderSchema = R"sql(
CREATE TABLE oauth_connections (
  org_name TEXT, provider TEXT, state TEXT, state_created_at BIGINT, access_token TEXT, refresh_token TEXT,
  expires_at BIGINT, token_type TEXT, scope TEXT, last_login_at BIGINT, last_refresh_at BIGINT, updated_at BIGINT,
  PRIMARY KEY (org_name, provider));
ALTER TABLE oauth_connections ADD COLUMN migrated_at TIMESTAMP;
CREATE TABLE users (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(), email VARCHAR(255) UNIQUE NOT NULL, password_hash VARCHAR(255),
  first_name VARCHAR(100), last_name VARCHAR(100), auth_provider VARCHAR(50) NOT NULL,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  is_email_verified BOOLEAN DEFAULT FALSE, email_verified_at TIMESTAMP,
  CONSTRAINT valid_provider CHECK (auth_provider IN ('password', 'google', 'microsoft', 'sso')));
CREATE TABLE connected_accounts (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(), user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  provider VARCHAR(50) NOT NULL, email VARCHAR(255) NOT NULL, access_token TEXT NOT NULL, refresh_token TEXT,
  token_expires_at TIMESTAMP, scope TEXT, is_active BOOLEAN DEFAULT TRUE,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  last_refresh_at TIMESTAMP, UNIQUE(user_id, provider),
  CONSTRAINT valid_provider CHECK (provider IN ('google', 'microsoft')));
CREATE TABLE email_sync_status (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  connected_account_id UUID NOT NULL UNIQUE REFERENCES connected_accounts(id) ON DELETE CASCADE,
  sync_status VARCHAR(50) DEFAULT 'PENDING', sync_stage VARCHAR(50), last_sync_at TIMESTAMP, next_sync_at TIMESTAMP,
  error_message TEXT, synced_messages_count INT DEFAULT 0, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT valid_status CHECK (sync_status IN ('PENDING', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'PAUSED')));
CREATE TABLE synced_messages (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  connected_account_id UUID NOT NULL REFERENCES connected_accounts(id) ON DELETE CASCADE,
  external_message_id VARCHAR(500) NOT NULL, subject TEXT, body TEXT, from_email VARCHAR(255), to_email VARCHAR(255),
  cc TEXT, bcc TEXT, received_at TIMESTAMP, is_read BOOLEAN DEFAULT FALSE, labels TEXT,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  UNIQUE(connected_account_id, external_message_id));
CREATE TABLE calendar_events (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  connected_account_id UUID NOT NULL REFERENCES connected_accounts(id) ON DELETE CASCADE,
  external_event_id VARCHAR(500) NOT NULL, title TEXT NOT NULL, description TEXT, start_time TIMESTAMP,
  end_time TIMESTAMP, attendees TEXT, is_all_day BOOLEAN DEFAULT FALSE,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  UNIQUE(connected_account_id, external_event_id));
CREATE TABLE oauth_refresh_tokens (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(), user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  token_type VARCHAR(50), jwt_token TEXT NOT NULL, family VARCHAR(255), refresh_counter INT DEFAULT 0,
  is_revoked BOOLEAN DEFAULT FALSE, is_rotated BOOLEAN DEFAULT FALSE, expires_at TIMESTAMP NOT NULL,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE job_logs (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(), job_type VARCHAR(100),
  connected_account_id UUID REFERENCES connected_accounts(id) ON DELETE SET NULL, status VARCHAR(50),
  error_message TEXT, started_at TIMESTAMP, completed_at TIMESTAMP, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
CREATE INDEX idx_users_email ON users(email);
CREATE INDEX idx_users_auth_provider ON users(auth_provider);
CREATE INDEX idx_connected_accounts_user_id ON connected_accounts(user_id);
CREATE INDEX idx_connected_accounts_provider ON connected_accounts(provider);
CREATE INDEX idx_synced_messages_account ON synced_messages(connected_account_id);
CREATE INDEX idx_synced_messages_received ON synced_messages(received_at);
CREATE INDEX idx_calendar_events_account ON calendar_events(connected_account_id);
CREATE INDEX idx_calendar_events_time ON calendar_events(start_time);
CREATE INDEX idx_oauth_tokens_user ON oauth_refresh_tokens(user_id);
CREATE INDEX idx_email_sync_status_account ON email_sync_status(connected_account_id);
CREATE FUNCTION update_updated_at_column() RETURNS TRIGGER AS $$
BEGIN
  NEW.updated_at = CURRENT_TIMESTAMP;
  RETURN NEW;
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER update_users_updated_at BEFORE UPDATE ON users
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE TRIGGER update_synced_messages_updated_at BEFORE UPDATE ON synced_messages
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
)sql";

// Whatever its columns allow: absent values, odd words, lists that are none.
constexpr const char* kOlderRows = R"sql(
INSERT INTO users (email, auth_provider, first_name)
SELECT 'person' || i || '@example.com', (ARRAY['password', 'google', 'microsoft', 'sso'])[1 + i % 4],
       CASE WHEN i % 3 = 0 THEN 'Ada' END FROM generate_series(1, 8) i;
INSERT INTO users (email, auth_provider, created_at, is_email_verified) VALUES ('nobody@example.org', 'password', NULL, NULL);
INSERT INTO connected_accounts (user_id, provider, email, access_token, refresh_token, scope, is_active, created_at)
SELECT id, p, email, 'sealed-' || email, CASE WHEN p = 'google' THEN 'sealed-too' END,
       CASE WHEN p = 'google' THEN 'https://www.googleapis.com/auth/gmail.send https://www.googleapis.com/auth/calendar'
            ELSE 'Mail.Read Mail.Send' END, email <> 'person7@example.com', '2026-01-02 03:04:05.678901'
FROM users, (VALUES ('google'), ('microsoft')) v (p);
INSERT INTO email_sync_status (connected_account_id, sync_status, sync_stage, synced_messages_count, last_sync_at)
SELECT id, 'IN_PROGRESS', 'INITIAL', 3, '2026-01-01 12:00:00' FROM connected_accounts WHERE provider = 'google';
INSERT INTO synced_messages (connected_account_id, external_message_id, subject, body, from_email, to_email, received_at,
                             is_read, labels)
SELECT a.id, 'm' || i, CASE WHEN i % 5 <> 0 THEN 'Subject ' || i END,
       CASE WHEN i = 6 THEN repeat('long ', 60000) WHEN i % 4 = 0 THEN NULL WHEN i % 4 = 1 THEN '<p>Grüße</p>' ELSE 'Hello' END,
       'sender@example.com', 'a@example.com, b@example.com',
       CASE WHEN i % 7 <> 0 THEN timestamp '2026-01-01 00:00:00' + i * interval '1 hour' END, i % 2 = 0,
       CASE i % 4 WHEN 0 THEN '["UNREAD", "INBOX", "STARRED"]' WHEN 1 THEN NULL WHEN 2 THEN 'INBOX,UNREAD' ELSE '["SENT"]' END
FROM connected_accounts a, generate_series(1, 12) i;
INSERT INTO calendar_events (connected_account_id, external_event_id, title, start_time, end_time, is_all_day, attendees)
SELECT a.id, 'e' || i, 'Event ' || i,
       CASE WHEN i % 5 <> 0 THEN timestamp '2026-02-01 09:00:00' + i * interval '1 day' END,
       CASE WHEN i % 3 <> 0 THEN timestamp '2026-02-01 10:00:00' + i * interval '1 day' END,
       CASE WHEN i % 4 = 0 THEN TRUE WHEN i % 4 = 1 THEN NULL ELSE FALSE END,
       CASE i % 3 WHEN 0 THEN '[{"email": "guest@example.com"}]' WHEN 1 THEN '["x"]' ELSE 'nonsense' END
FROM connected_accounts a, generate_series(1, 12) i;
INSERT INTO oauth_refresh_tokens (user_id, token_type, jwt_token, family, expires_at)
SELECT id, 'login', 'not.a.token', 'one family', '2026-12-01' FROM users;
INSERT INTO job_logs (job_type, connected_account_id, status) SELECT 'fetch_emails', id, 'ODD' FROM connected_accounts;
INSERT INTO job_logs (job_type, status, started_at, created_at) VALUES (NULL, NULL, '2026-01-01', NULL);
INSERT INTO oauth_connections (org_name, provider, access_token, expires_at) VALUES ('Example Org', 'google', 'sealed', 1767225600);
)sql";

// Everything about the tables that matters, but for the order of columns and the names of rules.
constexpr const char* kShape = R"sql(
SELECT line FROM (
  SELECT 'column ' || concat_ws('|', table_name, column_name, data_type, collation_name, is_nullable, column_default,
                                character_maximum_length, is_identity) AS line
  FROM information_schema.columns WHERE table_schema = 'public'
  UNION ALL SELECT 'rule ' || conrelid::regclass || contype::text || pg_get_constraintdef(oid) FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'storage ' || relname || coalesce(reloptions::text, '') FROM pg_class
  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
  UNION ALL SELECT 'kept ' || attrelid::regclass || attname || attstorage::text || attcompression::text FROM pg_attribute
  WHERE attnum > 0 AND NOT attisdropped AND attrelid IN (SELECT oid FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')) shape ORDER BY line COLLATE "C")sql";

class AdoptionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!storage::testing::PostgresServer()) GTEST_SKIP() << "LATCHKEY_TEST_POSTGRES names no server";
    database = std::make_unique<ScratchPostgres>();
  }
  void Adopt() { storage::testing::MigratePostgres(database->url()); }
  std::map<std::string, std::int64_t> Counts() const {
    std::map<std::string, std::int64_t> counts;
    for (const auto* table : {"users", "connected_accounts", "synced_messages", "calendar_events",
                              "oauth_refresh_tokens", "job_logs", "oauth_connections"}) {
      counts[table] = database->Number("SELECT count(*) FROM " + std::string(table));
    }
    return counts;
  }
  std::unique_ptr<ScratchPostgres> database;
};

TEST_F(AdoptionTest, NoRowIsLostAndTheSchemaEndsTheSame) {
  database->Run(std::string(kOlderSchema) + kOlderRows);
  const auto before = Counts();
  const auto ids = database->Run("SELECT id, external_message_id FROM synced_messages ORDER BY id");
  Adopt();
  EXPECT_EQ(Counts(), before);
  EXPECT_EQ(database->Run("SELECT id, external_message_id FROM synced_messages ORDER BY id"), ids);
  EXPECT_EQ(database->Number("SELECT count(*) FROM email_sync_status"), before.at("connected_accounts"));
  const ScratchPostgres fresh(ScratchPostgres::Schema::kMigrated);
  EXPECT_EQ(database->Run(kShape), fresh.Run(kShape));
}

TEST_F(AdoptionTest, AFormWithoutNamedRulesAndWithRepeatedStatusRowsIsAdoptedToo) {
  database->Run(std::string(kOlderSchema) + kOlderRows + R"sql(
    ALTER TABLE users DROP CONSTRAINT valid_provider;
    ALTER TABLE connected_accounts DROP CONSTRAINT valid_provider, DROP CONSTRAINT connected_accounts_user_id_provider_key,
      ADD CONSTRAINT uq_connected_accounts_1 UNIQUE (provider, user_id);
    ALTER TABLE users DROP CONSTRAINT users_email_key;
    CREATE UNIQUE INDEX ix_users_email ON users (email);
    ALTER TABLE email_sync_status DROP CONSTRAINT valid_status, DROP CONSTRAINT email_sync_status_connected_account_id_key;
    ALTER TABLE oauth_refresh_tokens DROP COLUMN is_rotated;
    INSERT INTO email_sync_status (connected_account_id, updated_at)
      SELECT connected_account_id, updated_at FROM email_sync_status;)sql");
  Adopt();
  const ScratchPostgres fresh(ScratchPostgres::Schema::kMigrated);
  EXPECT_EQ(database->Run(kShape), fresh.Run(kShape));
}

TEST_F(AdoptionTest, BodiesBecomeOurContentAndLabelsPlacements) {
  database->Run(std::string(kOlderSchema) + kOlderRows);
  Adopt();
  const auto decoded = [&](const std::string& id) {
    const std::string hex = database->One(
        "SELECT encode(body, 'hex') FROM message_bodies JOIN synced_messages ON row_id = message_row "
        "WHERE external_message_id = '" +
        id + "' LIMIT 1");
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2)
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    mail::Message message;
    EXPECT_TRUE(DecodeContent(bytes, message)) << id;
    return message;
  };
  EXPECT_EQ(decoded("m1").html, "<p>Grüße</p>");
  EXPECT_EQ(decoded("m2").text, "Hello");
  EXPECT_EQ(decoded("m6").text.size(), 300'000u);
  EXPECT_EQ(decoded("m4").text + decoded("m4").html, "");
  const auto message = decoded("m2");
  ASSERT_EQ(message.to.size(), 2u);
  EXPECT_EQ(message.from.at(0).address, "sender@example.com");
  EXPECT_EQ(message.to.at(1).address, "b@example.com");
  EXPECT_THAT(
      database->Run("SELECT DISTINCT labels FROM synced_messages WHERE external_message_id IN ('m4', 'm2') ORDER BY 1"),
      ElementsAre(ElementsAre("[\"INBOX\",\"STARRED\",\"UNREAD\"]"), ElementsAre("[]")));
  // Counters are what is placed.
  EXPECT_THAT(database->Run("SELECT l.row_id FROM labels l LEFT JOIN message_labels p ON p.label_row = l.row_id "
                            "GROUP BY l.row_id HAVING l.total <> count(p.message_row)"),
              IsEmpty());
  EXPECT_EQ(database->Number("SELECT count(*) FROM search_pending"),
            database->Number("SELECT count(*) FROM synced_messages"));
}

TEST_F(AdoptionTest, InstantsAreThoseOfUtcWhateverTheServersZone) {
  database->Run(std::string(kOlderSchema) + kOlderRows);
  database->Run(
      "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET TimeZone = ''Asia/Tokyo''', current_database()); END $$");
  Adopt();
  EXPECT_EQ(database->One("SELECT DISTINCT created_at AT TIME ZONE 'UTC' FROM connected_accounts"),
            "2026-01-02 03:04:05.678901");
  EXPECT_EQ(database->One(
                "SELECT DISTINCT start_time AT TIME ZONE 'UTC' FROM calendar_events WHERE external_event_id = 'e1'"),
            "2026-02-02 09:00:00");
  EXPECT_EQ(
      database->One("SELECT DISTINCT start_date || sort_start FROM calendar_events WHERE external_event_id = 'e4'"),
      "2026-02-051770249600000000");
}

TEST_F(AdoptionTest, AccountsWaitForTheirPersonWithTheirTokensPutAside) {
  database->Run(std::string(kOlderSchema) + kOlderRows);
  Adopt();
  EXPECT_EQ(database->Number("SELECT count(*) FROM connected_accounts WHERE access_token <> '' OR refresh_token <> '' "
                             "OR fault_code IS DISTINCT FROM 'reauth_invalid_grant' OR adopted_access_token IS NULL"),
            0);
  EXPECT_EQ(database->Number("SELECT count(*) FROM email_sync_status WHERE next_sync_at IS NOT NULL"), 0);
  EXPECT_EQ(database->Number("SELECT count(*) FROM connected_accounts WHERE is_active = (paused_at IS NOT NULL)"), 0);
  EXPECT_THAT(database->Run("SELECT DISTINCT provider, granted_capabilities::text FROM connected_accounts ORDER BY 1"),
              ElementsAre(ElementsAre("google", "[\"send_mail\",\"read_calendar\"]"),
                          ElementsAre("microsoft", "[\"read_mail\",\"send_mail\"]")));
  EXPECT_EQ(database->Number("SELECT count(*) FROM oauth_refresh_tokens WHERE NOT is_revoked"), 0);
}

TEST_F(AdoptionTest, KilledAtAnyStatementItEndsTheSameWhenRunAgain) {
  const ScratchPostgres fresh(ScratchPostgres::Schema::kMigrated);
  constexpr const char* kTables =
      "SELECT table_name || column_name || data_type || is_nullable FROM information_schema.columns "
      "WHERE table_schema = 'public' ORDER BY 1";
  database->Run(testing::kStatementKiller);
  // Each try gets further than the one before, until one is left alone: every version is met, begun and half done.
  int killed = 0;
  for (int at = 2;; at += 13) {
    database->Run("UPDATE killer.wish SET at = " + std::to_string(at) + "; SELECT setval('killer.done', 1, FALSE)");
    try {
      Adopt();
      break;
    } catch (const std::runtime_error&) {
      ++killed;
    }
  }
  EXPECT_GT(killed, 5);
  EXPECT_EQ(database->Run(kTables), fresh.Run(kTables));
}

}  // namespace
}  // namespace latchkey::storage
