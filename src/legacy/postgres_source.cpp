#include "legacy/postgres_source.hpp"

#include <libpq-fe.h>

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace latchkey::legacy {
namespace {

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Finish>;
using Rows = std::unique_ptr<PGresult, Clear>;

// The first table of that name on the search path, as the older program found it.
constexpr const char* kHasColumn =
    "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('oauth_connections') AND attname = $1 "
    "AND NOT attisdropped";
constexpr const char* kList =
    "SELECT coalesce(org_name, ''), coalesce(provider, ''), access_token, refresh_token, expires_at::text, "
    "last_refresh_at::text, coalesce(scope, ''), {} FROM oauth_connections "
    "ORDER BY org_name COLLATE \"C\", provider COLLATE \"C\", ctid LIMIT $1::int OFFSET $2::int";
constexpr const char* kAddColumn = "ALTER TABLE oauth_connections ADD COLUMN IF NOT EXISTS migrated_at TIMESTAMP";
// A timestamp without a zone means UTC there: the session's zone decides what now() becomes.
constexpr const char* kMark =
    "UPDATE oauth_connections SET migrated_at = CURRENT_TIMESTAMP WHERE org_name = $1 AND provider = $2 "
    "AND migrated_at IS NULL";

class PostgresSource final : public Source {
 public:
  explicit PostgresSource(Connection connection) : connection_(std::move(connection)) {}

  Result<std::vector<OrgConnection>> List(int offset, int limit) override {
    auto table = HasColumn("org_name");
    if (!table) return Fail(std::move(table.error()));
    if (!*table) return Fail(ErrorCode::kNotFound, "there is no table oauth_connections");
    auto marked = HasColumn("migrated_at");
    if (!marked) return Fail(std::move(marked.error()));
    const std::string sql = fmt::format(fmt::runtime(kList), *marked ? "migrated_at IS NOT NULL" : "FALSE");
    auto rows = Run(sql.c_str(), {std::to_string(limit), std::to_string(offset)});
    if (!rows) return Fail(std::move(rows.error()));
    std::vector<OrgConnection> out;
    for (int i = 0; i < PQntuples(rows->get()); ++i) {
      OrgConnection& row = out.emplace_back();
      row.org_name = Text(*rows, i, 0);
      row.provider = Text(*rows, i, 1);
      row.access_token = SecretString(Text(*rows, i, 2));
      row.refresh_token = SecretString(Text(*rows, i, 3));
      row.expires_at = Number(Text(*rows, i, 4));
      row.last_refresh_at = Number(Text(*rows, i, 5));
      row.scope = Text(*rows, i, 6);
      row.migrated = Text(*rows, i, 7) == "t";
    }
    return out;
  }

  Result<void> MarkMigrated(const OrgConnection& row, Instant) override {
    auto marked = HasColumn("migrated_at");
    if (!marked) return Fail(std::move(marked.error()));
    if (!*marked) {
      if (auto added = Run(kAddColumn, {}); !added) return Fail(std::move(added.error()));
    }
    if (auto updated = Run(kMark, {row.org_name, row.provider}); !updated) return Fail(std::move(updated.error()));
    return {};
  }

  Result<Rows> Run(const char* sql, const std::vector<std::string>& values) {
    std::vector<const char*> texts;
    for (const auto& value : values) texts.push_back(value.c_str());
    Rows rows(PQexecParams(connection_.get(), sql, static_cast<int>(texts.size()), nullptr, texts.data(), nullptr,
                           nullptr, 0));
    const auto status = PQresultStatus(rows.get());
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return rows;
    // The primary message alone: details may repeat values.
    const char* message = rows ? PQresultErrorField(rows.get(), PG_DIAG_MESSAGE_PRIMARY) : nullptr;
    return Fail(ErrorCode::kStorageUnavailable, message ? message : "the database does not answer");
  }

 private:
  Result<bool> HasColumn(const std::string& name) {
    auto rows = Run(kHasColumn, {name});
    if (!rows) return Fail(std::move(rows.error()));
    return Text(*rows, 0, 0) != "0";
  }
  static std::string Text(const Rows& rows, int row, int column) {
    return {PQgetvalue(rows.get(), row, column), static_cast<std::size_t>(PQgetlength(rows.get(), row, column))};
  }
  static std::optional<std::int64_t> Number(const std::string& text) {
    std::int64_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    return parsed.ec == std::errc() && !text.empty() ? std::optional(value) : std::nullopt;
  }

  Connection connection_;
};

}  // namespace

Result<std::unique_ptr<Source>> OpenPostgresSource(const std::string& url) {
  const std::array<const char*, 6> names = {"dbname",          "connect_timeout",  "options",
                                            "client_encoding", "application_name", nullptr};
  const std::array<const char*, 6> values = {
      url.c_str(), "10", "-c statement_timeout=30000 -c TimeZone=UTC", "UTF8", "latchkey import-legacy", nullptr};
  Connection connection(PQconnectdbParams(names.data(), values.data(), 1));
  if (!connection || PQstatus(connection.get()) != CONNECTION_OK) {
    // libpq names host, port, user and database, not the password.
    std::string why = connection ? PQerrorMessage(connection.get()) : "out of memory";
    while (!why.empty() && why.back() == '\n') why.pop_back();
    return Fail(ErrorCode::kStorageUnavailable, fmt::format("the database cannot be reached: {}", why));
  }
  return std::make_unique<PostgresSource>(std::move(connection));
}

}  // namespace latchkey::legacy
