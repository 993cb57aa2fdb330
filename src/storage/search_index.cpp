// The part of the message store that keeps the search index: behind the sync, in transactions of its own.

#include <algorithm>

#include "storage/message_content.hpp"
#include "storage/message_store.hpp"
#include "storage/message_writer.hpp"
#include "storage/search_text.hpp"
#include "storage/search_words.hpp"

namespace latchkey::storage {
namespace {

const Statement kTakePending(R"sql(
SELECT p.message_row, p.stamp, m.connected_account_id, m.subject, b.body
FROM search_pending p JOIN synced_messages m ON m.row_id = p.message_row JOIN message_bodies b ON b.message_row = m.row_id
WHERE p.message_row > $1 ORDER BY p.message_row LIMIT $2)sql");
// Only while the message is the one that was read: else its new entry in the queue is served later.
const Statement kClaimPending("DELETE FROM search_pending WHERE message_row = $1 AND stamp = $2", "");
const Statement kIndex("INSERT INTO message_search (rowid, account, subject, people, body) VALUES ($1, $2, $3, $4, $5)",
                       "");
// Both in one; and nothing for a message that is being deleted just now.
const Statement kClaimAndIndex("", R"sql(
WITH claimed AS (DELETE FROM search_pending WHERE message_row = $1 AND stamp = $2 RETURNING message_row)
INSERT INTO message_search (message_row, words)
SELECT m.row_id, CAST(CAST($3 AS text) AS tsvector) FROM claimed JOIN synced_messages m ON m.row_id = claimed.message_row
FOR KEY SHARE OF m
ON CONFLICT (message_row) DO UPDATE SET words = excluded.words)sql");

// A transaction is one segment of SQLite's index (see hashsize in the migration). So much of stored content, three or
// four times as much text, keeps the writer busy for about a twentieth of a second, however few rows hold it.
constexpr std::size_t kContentPerTransaction = 2 << 20;
// Where a whole answer is held in memory before its first row is seen.
constexpr std::int64_t kRowsPerAnswer = 250;

struct Entry {
  std::int64_t row = 0;
  std::int64_t stamp = 0;
  ConnectedAccountId account;
  std::string subject;
  std::string content;
  SearchDocument document;  ///< On SQLite.
  std::string words;        ///< On PostgreSQL.
};

}  // namespace

Task<Result<std::int64_t>> MessageStore::IndexPending(int limit) {
  std::int64_t indexed = 0;
  std::int64_t last_row = 0;
  while (indexed < limit) {
    Dialect dialect = Dialect::kSqlite;
    auto read = [&](Connection& connection) -> Result<std::vector<Entry>> {
      dialect = connection.dialect();
      const std::int64_t rest = limit - indexed;
      std::vector<Entry> entries;
      std::size_t content = 0;
      Rows rows =
          connection.Query(kTakePending, last_row, dialect == Dialect::kSqlite ? rest : std::min(rest, kRowsPerAnswer));
      while (content < kContentPerTransaction && rows.Step()) {
        entries.push_back({.row = rows.Int(0),
                           .stamp = rows.Int(1),
                           .account = rows.IdOf<ConnectedAccountId>(2),
                           .subject = rows.String(3),
                           .content = std::string(rows.Bytes(4))});
        content += entries.back().content.size();
      }
      return entries;
    };
    auto entries = co_await engine_.Read(read);
    if (!entries) co_return Fail(std::move(entries.error()));
    if (entries->empty()) break;
    last_row = entries->back().row;
    auto prepare = [&]() -> Result<void> {
      for (Entry& entry : *entries) {
        const auto message = SearchableMessage(std::move(entry.subject), std::exchange(entry.content, {}));
        entry.document = MakeSearchDocument(entry.account, message);
        if (dialect == Dialect::kPostgres) entry.words = TsVectorText(std::exchange(entry.document, {}));
      }
      return {};
    };
    if (auto prepared = co_await engine_.Compute(prepare, Urgency::kBulk); !prepared)
      co_return Fail(std::move(prepared.error()));
    auto write = [&](Transaction& transaction) -> Result<std::int64_t> {
      std::int64_t written = 0;
      for (const Entry& entry : *entries) {
        if (dialect == Dialect::kPostgres) {
          transaction.Send(kClaimAndIndex, entry.row, entry.stamp, entry.words);
        } else {
          if (transaction.Execute(kClaimPending, entry.row, entry.stamp) == 0) continue;
          const SearchDocument& document = entry.document;
          transaction.Send(kIndex, entry.row, document.account, document.subject, document.people, document.body);
        }
        ++written;
      }
      return written;
    };
    auto written = co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted, Urgency::kBulk);
    if (!written) co_return Fail(std::move(written.error()));
    indexed += *written;
  }
  co_return indexed;
}

}  // namespace latchkey::storage
