#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "storage/sql.hpp"

/// Rows of any table of ours, the same whichever engine keeps them.
namespace latchkey::storage::copy {

/// What a column means; SQLite keeps truth values and instants as numbers.
enum class Kind { kBool, kInt, kTime, kText, kBytes };

struct Column {
  std::string name;
  Kind kind = Kind::kText;
};

struct Table {
  std::string name;
  std::vector<Column> columns;
  /// In the order of the key.
  std::vector<std::string> primary_key;
  /// Tables its rows refer to.
  std::vector<std::string> parents;
};

struct Bytes {
  std::string value;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};
using Cell = std::variant<std::nullptr_t, bool, std::int64_t, Instant, std::string, Bytes>;
using Row = std::vector<Cell>;

/// All tables that hold data, by name. Left out: what every database makes for itself (schema_migrations, the search
/// index, the record of a copy). PostgreSQL tells the kinds of columns; SQLite knows numbers, text and bytes alone.
std::map<std::string, Table> ReadTables(Connection& connection);

/// Parents before their children. Both engines have the same tables without cycles.
std::vector<std::string> InOrder(const std::map<std::string, Table>& tables);

/// Values of one row as parameters; views of `row`.
std::vector<Value> AsValues(const Row& row);

/// A position in a table: the primary key's values, as text that can be stored. Parse trusts what Print wrote.
std::string PrintKey(const Row& key);
Row ParseKey(std::string_view text);

/// Reads rows by primary key, page by page.
struct Page {
  std::vector<Row> rows;
  /// Of the last row; what the next page begins after.
  Row last_key;
  bool end = false;
};
/// At most `max_rows` rows, fewer when they hold more than `max_bytes`. `columns`: with the kinds they are to be read
/// as.
Page ReadPage(Connection& connection, const Table& table, const std::vector<Column>& columns, const Row& after,
              int max_rows, std::size_t max_bytes);

/// Counts rows and sums their digests. The order of the rows does not matter, which differs between engines.
class Checksum {
 public:
  void Add(const Row& row);
  std::int64_t rows() const { return rows_; }
  std::string Hex() const;
  friend bool operator==(const Checksum&, const Checksum&) = default;

 private:
  std::int64_t rows_ = 0;
  std::uint64_t sum_[4] = {};
};

}  // namespace latchkey::storage::copy
