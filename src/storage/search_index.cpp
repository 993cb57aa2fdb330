// The part of the message store that keeps the search index: behind the sync, in transactions of its own.

#include <algorithm>

#include "storage/message_store.hpp"
#include "storage/message_writer.hpp"
#include "storage/search_text.hpp"

namespace latchkey::storage {
namespace {

constexpr std::string_view kTakePending =
    "SELECT message_row, stamp FROM search_pending WHERE message_row > $1 ORDER BY message_row LIMIT $2";
// Only while the message is the one that was read: else its new entry in the queue is served later.
constexpr std::string_view kClaimPending = "DELETE FROM search_pending WHERE message_row = $1 AND stamp = $2";
constexpr std::string_view kIndex =
    "INSERT INTO message_search (rowid, account, subject, people, body) VALUES ($1, $2, $3, $4, $5)";

// Large transactions make the index cheap (one segment each, see hashsize in the migration); this much text keeps the
// writer busy for about a twentieth of a second.
constexpr std::size_t kTextPerTransaction = 8 << 20;

struct Entry {
  std::int64_t row = 0;
  std::int64_t stamp = 0;
  SearchDocument document;
};

}  // namespace

Task<Result<std::int64_t>> MessageStore::IndexPending(int limit) {
  std::int64_t indexed = 0;
  std::int64_t last_row = 0;
  while (indexed < limit) {
    auto prepare = [&](Connection& connection) -> Result<std::vector<Entry>> {
      std::vector<Entry> entries;
      std::size_t text = 0;
      Rows rows = connection.Query(kTakePending, last_row, limit - indexed);
      while (text < kTextPerTransaction && rows.Step()) {
        Entry entry{.row = rows.Int(0), .stamp = rows.Int(1)};
        ConnectedAccountId account;
        mail::Message message;
        if (!LoadForSearch(connection, entry.row, account, message)) continue;
        entry.document = MakeSearchDocument(account, message);
        text += entry.document.subject.size() + entry.document.people.size() + entry.document.body.size();
        entries.push_back(std::move(entry));
      }
      return entries;
    };
    auto entries = co_await engine_.Read(prepare);
    if (!entries) co_return Fail(std::move(entries.error()));
    if (entries->empty()) break;
    last_row = entries->back().row;
    auto write = [&](Transaction& transaction) -> Result<std::int64_t> {
      std::int64_t written = 0;
      for (const Entry& entry : *entries) {
        if (transaction.Execute(kClaimPending, entry.row, entry.stamp) == 0) continue;
        const SearchDocument& document = entry.document;
        transaction.Execute(kIndex, entry.row, document.account, document.subject, document.people, document.body);
        ++written;
      }
      return written;
    };
    auto written = co_await engine_.Write(write);
    if (!written) co_return Fail(std::move(written.error()));
    indexed += *written;
  }
  co_return indexed;
}

}  // namespace latchkey::storage
