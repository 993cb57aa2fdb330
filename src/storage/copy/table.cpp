#include "storage/copy/table.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <set>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/encoding.hpp"
#include "crypto/hash.hpp"
#include "storage/postgres/values.hpp"

namespace latchkey::storage::copy {
namespace {

constexpr Sql kTables{
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    "SELECT c.relname::text FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace "
    "ORDER BY c.relname"};
constexpr Sql kColumns{"SELECT name, type FROM pragma_table_info($1) ORDER BY cid",
                       "SELECT a.attname::text, format_type(a.atttypid, NULL) FROM pg_attribute a "
                       "WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"};
constexpr Sql kPrimaryKey{"SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk",
                          "SELECT a.attname::text FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int[]) WITH "
                          "ORDINALITY AS k (attnum, at) "
                          "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum "
                          "WHERE i.indrelid = to_regclass($1) AND i.indisprimary ORDER BY k.at"};
constexpr Sql kParents{"SELECT DISTINCT \"table\" FROM pragma_foreign_key_list($1)",
                       "SELECT DISTINCT p.relname::text FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid "
                       "WHERE f.contype = 'f' AND f.conrelid = to_regclass($1)"};

bool IsData(std::string_view table) {
  return !table.starts_with("message_search") && table != "schema_migrations" && table != "copy_progress";
}

Kind KindOf(std::string_view type) {
  if (type == "boolean") return Kind::kBool;
  if (type == "timestamp with time zone") return Kind::kTime;
  if (type == "bytea" || type == "BLOB") return Kind::kBytes;
  if (type == "bigint" || type == "integer" || type == "smallint" || type == "INTEGER") return Kind::kInt;
  return Kind::kText;
}

std::vector<std::string> Names(Connection& connection, const Sql& sql, const std::string& table) {
  std::vector<std::string> names;
  Rows rows = connection.Query(sql, table);
  while (rows.Step()) names.push_back(rows.String(0));
  return names;
}

Cell ReadCell(const Rows& rows, int column, Kind kind) {
  if (rows.IsNull(column)) return nullptr;
  switch (kind) {
    case Kind::kBool:
      return rows.Bool(column);
    case Kind::kInt:
      return rows.Int(column);
    case Kind::kTime:
      return rows.Time(column);
    case Kind::kText: {
      // As PostgreSQL takes it, from either side: what it would mend must not look like a difference.
      std::string mended;
      return std::string(postgres::CleanText(rows.Text(column), mended));
    }
    case Kind::kBytes:
      return Bytes{std::string(rows.Bytes(column))};
  }
  return nullptr;
}

std::size_t SizeOf(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return text->size();
  if (const auto* bytes = std::get_if<Bytes>(&cell)) return bytes->value.size();
  return sizeof(std::int64_t);
}

void AppendNumber(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}

/// Kind, length and content: no two rows have the same text.
void AppendCanonical(std::string& out, const Cell& cell) {
  out += static_cast<char>('0' + cell.index());
  const auto append_bytes = [&](const std::string& bytes) {
    AppendNumber(out, bytes.size());
    out += bytes;
  };
  if (const auto* flag = std::get_if<bool>(&cell)) {
    out += *flag ? '1' : '0';
  } else if (const auto* number = std::get_if<std::int64_t>(&cell)) {
    AppendNumber(out, static_cast<std::uint64_t>(*number));
  } else if (const auto* time = std::get_if<Instant>(&cell)) {
    AppendNumber(out, static_cast<std::uint64_t>(ToMicros(*time)));
  } else if (const auto* text = std::get_if<std::string>(&cell)) {
    append_bytes(*text);
  } else if (const auto* bytes = std::get_if<Bytes>(&cell)) {
    append_bytes(bytes->value);
  }
}

std::string Placeholders(std::size_t count) {
  std::string text;
  for (std::size_t i = 1; i <= count; ++i) text += fmt::format("{}${}", i > 1 ? ", " : "", i);
  return text;
}

}  // namespace

std::map<std::string, Table> ReadTables(Connection& connection) {
  std::map<std::string, Table> tables;
  std::vector<std::string> names;
  {
    Rows rows = connection.Query(kTables);
    while (rows.Step()) names.push_back(rows.String(0));
  }
  for (const auto& name : names) {
    if (!IsData(name)) continue;
    Table table{.name = name};
    {
      Rows rows = connection.Query(kColumns, name);
      while (rows.Step()) table.columns.push_back({rows.String(0), KindOf(rows.Text(1))});
    }
    table.primary_key = Names(connection, kPrimaryKey, name);
    table.parents = Names(connection, kParents, name);
    tables.emplace(name, std::move(table));
  }
  return tables;
}

std::vector<std::string> InOrder(const std::map<std::string, Table>& tables) {
  std::vector<std::string> order;
  std::set<std::string> placed;
  while (order.size() < tables.size()) {
    const auto before = order.size();
    for (const auto& [name, table] : tables) {
      const auto ready = [&](const std::string& parent) {
        return parent == name || placed.contains(parent) || !tables.contains(parent);
      };
      if (placed.contains(name) || !std::ranges::all_of(table.parents, ready)) continue;
      placed.insert(name);
      order.push_back(name);
    }
    if (order.size() == before) throw std::logic_error("the tables refer to each other in a circle");
  }
  return order;
}

std::vector<Value> AsValues(const Row& row) {
  std::vector<Value> values;
  values.reserve(row.size());
  for (const Cell& cell : row) {
    if (const auto* flag = std::get_if<bool>(&cell)) {
      values.emplace_back(*flag);
    } else if (const auto* number = std::get_if<std::int64_t>(&cell)) {
      values.emplace_back(*number);
    } else if (const auto* time = std::get_if<Instant>(&cell)) {
      values.emplace_back(*time);
    } else if (const auto* text = std::get_if<std::string>(&cell)) {
      values.emplace_back(std::string_view(*text));
    } else if (const auto* bytes = std::get_if<Bytes>(&cell)) {
      values.emplace_back(Blob{bytes->value});
    } else {
      values.emplace_back(nullptr);
    }
  }
  return values;
}

std::string PrintKey(const Row& key) {
  std::string text;
  for (const Cell& cell : key) {
    if (!text.empty()) text += ' ';
    if (const auto* number = std::get_if<std::int64_t>(&cell)) {
      text += fmt::format("i{}", *number);
    } else if (const auto* time = std::get_if<Instant>(&cell)) {
      text += fmt::format("t{}", ToMicros(*time));
    } else if (const auto* word = std::get_if<std::string>(&cell)) {
      text += "s" + HexEncode(*word);
    } else {
      throw std::logic_error("a key of a kind that no table has");
    }
  }
  return text;
}

Row ParseKey(std::string_view text) {
  Row key;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.starts_with('s')) {
      key.emplace_back(HexDecode(part.substr(1)).value_or(""));
      continue;
    }
    std::int64_t number = 0;
    std::from_chars(part.data() + 1, part.data() + part.size(), number);
    if (part.starts_with('t')) {
      key.emplace_back(FromMicros(number));
    } else {
      key.emplace_back(number);
    }
  }
  return key;
}

Page ReadPage(Connection& connection, const Table& table, const std::vector<Column>& columns, const Row& after,
              int max_rows, std::size_t max_bytes) {
  std::vector<std::string> names;
  std::vector<std::size_t> key_at;
  for (const auto& column : columns) names.push_back('"' + column.name + '"');
  std::vector<std::string> key;
  for (const auto& name : table.primary_key) {
    key.push_back('"' + name + '"');
    const auto at = std::ranges::find(columns, name, &Column::name);
    if (at == columns.end()) throw std::logic_error("a key column is not read");
    key_at.push_back(static_cast<std::size_t>(at - columns.begin()));
  }
  const std::string sql =
      fmt::format("SELECT {} FROM \"{}\"{} ORDER BY {} LIMIT {}", fmt::join(names, ", "), table.name,
                  after.empty() ? std::string()
                                : fmt::format(" WHERE ({}) > ({})", fmt::join(key, ", "), Placeholders(after.size())),
                  fmt::join(key, ", "), max_rows);
  Page page;
  std::size_t bytes = 0;
  const auto bound = AsValues(after);
  Rows rows = connection.QueryAll(sql, bound);
  while (bytes < max_bytes) {
    if (!rows.Step()) {
      page.end = static_cast<int>(page.rows.size()) < max_rows;
      break;
    }
    Row& row = page.rows.emplace_back();
    row.reserve(columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      row.push_back(ReadCell(rows, static_cast<int>(i), columns[i].kind));
      bytes += SizeOf(row.back());
    }
  }
  if (!page.rows.empty()) {
    for (const auto at : key_at) page.last_key.push_back(page.rows.back()[at]);
  }
  return page;
}

void Checksum::Add(const Row& row) {
  std::string canonical;
  for (const Cell& cell : row) AppendCanonical(canonical, cell);
  const std::string digest = crypto::Sha256(canonical);
  std::uint64_t parts[4];
  std::memcpy(parts, digest.data(), sizeof parts);
  for (int i = 0; i < 4; ++i) sum_[i] += parts[i];
  ++rows_;
}

std::string Checksum::Hex() const {
  return fmt::format("{:016x}{:016x}{:016x}{:016x}", sum_[0], sum_[1], sum_[2], sum_[3]);
}

}  // namespace latchkey::storage::copy
