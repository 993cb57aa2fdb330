#include "storage/message_list.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <set>
#include <tuple>

#include "base/encoding.hpp"
#include "storage/search_text.hpp"
#include "storage/search_words.hpp"

namespace latchkey::storage {
namespace {

const Statement kAccounts("SELECT id FROM connected_accounts WHERE user_id = $1 AND disconnecting = FALSE");
const Statement kOneAccount(
    "SELECT id FROM connected_accounts WHERE user_id = $1 AND disconnecting = FALSE AND id = $2");
const Statement kLabelRows(R"sql(
SELECT row_id FROM labels WHERE connected_account_id = $1 AND removed = FALSE AND (external_id = $2 OR role = $2))sql");
const Statement kRemovedLabels("SELECT external_id FROM labels WHERE connected_account_id = $1 AND removed = TRUE");

// Where a page begins is (received_at, row_id) < ($, $): both indexes are in that order.
const Statement kByAccount(R"sql(
SELECT received_at, row_id FROM synced_messages
WHERE connected_account_id = $1 AND (received_at, row_id) < ($2, $3)
ORDER BY received_at DESC, row_id DESC LIMIT $4)sql");
const Statement kByLabel(R"sql(
SELECT received_at, message_row FROM message_labels
WHERE label_row = $1 AND (received_at, message_row) < ($2, $3)
ORDER BY received_at DESC, message_row DESC LIMIT $4)sql");
const Statement kByThread(R"sql(
SELECT received_at, row_id FROM synced_messages
WHERE connected_account_id = $1 AND thread_id = $5 AND (received_at, row_id) < ($2, $3)
ORDER BY received_at DESC, row_id DESC LIMIT $4)sql");
// The index gives rows in the order of their storing, which is not that of their dates: all matches are looked at.
// CROSS, and MATERIALIZED, keep the index first: asked the other way round, it is searched anew for every message.
const Statement kBySearch(R"sql(
SELECT m.received_at, m.row_id FROM message_search f CROSS JOIN synced_messages m ON m.row_id = f.rowid
WHERE f.message_search MATCH $5 AND m.connected_account_id = $1 AND (m.received_at, m.row_id) < ($2, $3)
ORDER BY m.received_at DESC, m.row_id DESC LIMIT $4)sql",
                          R"sql(
WITH found AS MATERIALIZED (SELECT message_row FROM message_search WHERE words @@ CAST(CAST($5 AS text) AS tsquery))
SELECT m.received_at, m.row_id FROM found JOIN synced_messages m ON m.row_id = found.message_row
WHERE m.connected_account_id = $1 AND (m.received_at, m.row_id) < ($2, $3)
ORDER BY m.received_at DESC, m.row_id DESC LIMIT $4)sql");
const Statement kBySearchInLabel(R"sql(
SELECT m.received_at, m.row_id FROM message_search f CROSS JOIN synced_messages m ON m.row_id = f.rowid
WHERE f.message_search MATCH $5 AND (m.received_at, m.row_id) < ($2, $3)
  AND EXISTS (SELECT 1 FROM message_labels p
              WHERE p.label_row = $1 AND p.received_at = m.received_at AND p.message_row = m.row_id)
ORDER BY m.received_at DESC, m.row_id DESC LIMIT $4)sql",
                                 R"sql(
WITH found AS MATERIALIZED (SELECT message_row FROM message_search WHERE words @@ CAST(CAST($5 AS text) AS tsquery))
SELECT m.received_at, m.row_id FROM found JOIN synced_messages m ON m.row_id = found.message_row
WHERE (m.received_at, m.row_id) < ($2, $3)
  AND EXISTS (SELECT 1 FROM message_labels p
              WHERE p.label_row = $1 AND p.received_at = m.received_at AND p.message_row = m.row_id)
ORDER BY m.received_at DESC, m.row_id DESC LIMIT $4)sql");
// One statement for the whole page: $1 is the JSON array of its row ids. A row says its place in it, so that nothing
// needs to be sorted.
const Statement kSummaries(R"sql(
SELECT m.id, m.connected_account_id, m.external_message_id, m.thread_id, m.subject, m.snippet, m.from_name, m.from_email,
       m.to_count, m.received_at, m.is_read, m.is_starred, m.has_attachments, m.labels, k.key
FROM json_each($1) k CROSS JOIN synced_messages m ON m.row_id = k.value)sql",
                           R"sql(
SELECT m.id, m.connected_account_id, m.external_message_id, m.thread_id, m.subject, m.snippet, m.from_name, m.from_email,
       m.to_count, m.received_at, m.is_read, m.is_starred, m.has_attachments, m.labels, k.place - 1
FROM json_array_elements_text($1) WITH ORDINALITY AS k (row_id, place)
JOIN synced_messages m ON m.row_id = CAST(k.row_id AS bigint))sql");

const std::array<const Statement*, 3> kHotStatements{&kByAccount, &kByLabel, &kByThread};
const std::array<const Statement*, 2> kSearchStatements{&kBySearch, &kBySearchInLabel};

struct Key {
  Instant received_at = Instant::max();
  std::int64_t row = std::numeric_limits<std::int64_t>::max();
  friend auto operator<=>(const Key&, const Key&) = default;
};

std::string EncodeCursor(const Key& key) {
  return Base64UrlEncode(std::to_string(ToMicros(key.received_at)) + ":" + std::to_string(key.row));
}

std::optional<Key> DecodeCursor(const std::string& cursor) {
  const auto text = Base64UrlDecode(cursor);
  if (!text) return std::nullopt;
  Key key;
  std::int64_t received_at = 0;
  const char* end = text->data() + text->size();
  const auto first = std::from_chars(text->data(), end, received_at);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ':') return std::nullopt;
  key.received_at = FromMicros(received_at);
  const auto second = std::from_chars(first.ptr + 1, end, key.row);
  if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
  return key;
}

std::vector<std::string> AccountsOf(Connection& connection, const mail::MessageQuery& query) {
  std::vector<std::string> accounts;
  Rows rows = query.account_id.empty() ? connection.Query(kAccounts, query.user_id)
                                       : connection.Query(kOneAccount, query.user_id, query.account_id);
  while (rows.Step()) accounts.push_back(rows.String(0));
  return accounts;
}

/// Adds the keys of one walk.
template <class... Values>
void Collect(Connection& connection, std::vector<Key>& keys, const Sql& sql, const Values&... values) {
  Rows rows = connection.Query(sql, values...);
  while (rows.Step()) keys.push_back({.received_at = rows.Time(0), .row = rows.Int(1)});
}

/// What the engine's index is asked; empty when there is nothing to look for.
std::string SearchExpression(Dialect dialect, const ConnectedAccountId& account, std::string_view typed) {
  if (dialect == Dialect::kPostgres) return TsQueryText(account, typed);
  const std::string match = MatchExpression(typed);
  if (match.empty()) return match;
  // The account's own term first: the index then follows this account's matches only.
  return "account : " + AccountTerm(account) + " AND ({subject people body} : (" + match + "))";
}

void CollectAccount(Connection& connection, const mail::MessageQuery& query, const std::string& account,
                    const Key& from, int count, std::vector<Key>& keys) {
  std::string match;
  if (!query.search.empty()) {
    match = SearchExpression(connection.dialect(), ConnectedAccountId(account), query.search);
    if (match.empty()) return;
  }
  if (!query.label_id.empty()) {
    std::vector<std::int64_t> labels;
    Rows rows = connection.Query(kLabelRows, account, query.label_id);
    while (rows.Step()) labels.push_back(rows.Int(0));
    for (const std::int64_t label : labels) {
      if (match.empty()) {
        Collect(connection, keys, kByLabel, label, from.received_at, from.row, count);
      } else {
        Collect(connection, keys, kBySearchInLabel, label, from.received_at, from.row, count, match);
      }
    }
  } else if (!match.empty()) {
    Collect(connection, keys, kBySearch, account, from.received_at, from.row, count, match);
  } else if (!query.thread_id.empty()) {
    Collect(connection, keys, kByThread, account, from.received_at, from.row, count, query.thread_id);
  } else {
    Collect(connection, keys, kByAccount, account, from.received_at, from.row, count);
  }
}

}  // namespace

Result<mail::MessageList> ListMessages(Connection& connection, const mail::MessageQuery& query) {
  Key from;
  if (!query.cursor.empty()) {
    const auto decoded = DecodeCursor(query.cursor);
    if (!decoded) return Fail(ErrorCode::kInvalidArgument, "not a cursor of ours");
    from = *decoded;
  }
  const int limit = std::clamp(query.limit, 1, 500);
  const auto accounts = AccountsOf(connection, query);
  if (!query.account_id.empty() && accounts.empty()) return Fail(ErrorCode::kNotFound, "no such account");

  std::vector<Key> keys;
  for (const auto& account : accounts) CollectAccount(connection, query, account, from, limit + 1, keys);
  std::sort(keys.begin(), keys.end(), std::greater<>());
  // A message may carry two labels of one role.
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());

  mail::MessageList list;
  if (static_cast<int>(keys.size()) > limit) {
    keys.resize(static_cast<std::size_t>(limit));
    list.next_cursor = EncodeCursor(keys.back());
  }
  std::set<std::string> removed;
  for (const auto& account : accounts) {
    Rows rows = connection.Query(kRemovedLabels, account);
    while (rows.Step()) removed.insert(account + rows.String(0));
  }
  std::string page = "[";
  for (const Key& key : keys) {
    if (page.size() > 1) page += ',';
    page += std::to_string(key.row);
  }
  page += ']';
  list.items.resize(keys.size());
  Rows rows = connection.Query(kSummaries, page);
  while (rows.Step()) {
    mail::MessageSummary item{.id = rows.IdOf<MessageId>(0),
                              .account_id = rows.IdOf<ConnectedAccountId>(1),
                              .external_id = rows.String(2),
                              .thread_id = rows.String(3),
                              .subject = rows.String(4),
                              .snippet = rows.String(5),
                              .from = {.name = rows.String(6), .address = rows.String(7)},
                              .to_count = rows.Int(8),
                              .received_at = rows.Time(9),
                              .is_read = rows.Bool(10),
                              .is_starred = rows.Bool(11),
                              .has_attachments = rows.Bool(12),
                              .label_ids = ParseJsonArray(rows.Text(13))};
    if (!removed.empty()) {
      std::erase_if(item.label_ids,
                    [&](const std::string& label) { return removed.contains(item.account_id.text() + label); });
    }
    list.items[static_cast<std::size_t>(rows.Int(14))] = std::move(item);
  }
  return list;
}

std::span<const Statement* const> ListStatements() { return kHotStatements; }
std::span<const Statement* const> SearchStatements() { return kSearchStatements; }

}  // namespace latchkey::storage
