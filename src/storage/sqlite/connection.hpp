#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace latchkey::storage::sqlite {

/// A failure of the database itself. Thrown inside a transaction body, caught once where the body was started, where it
/// becomes an Error. The text names the statement, never a value.
class SqliteError : public std::runtime_error {
 public:
  SqliteError(int extended_code, const std::string& what) : std::runtime_error(what), code_(extended_code) {}
  /// SQLite's extended result code.
  int code() const { return code_; }
  /// What the product makes of it: kDiskFull, kStorageUnavailable, kTimeout, kOverloaded, kAlreadyExists, kConflict or
  /// kInternal.
  ErrorCode error_code() const;

 private:
  int code_;
};

/// Bytes that are bound as BLOB.
struct Blob {
  std::string_view bytes;
};

/// One execution of a prepared statement: bound, stepped, and given back to the connection's cache when it goes out of
/// scope. Columns count from 0. Text and blobs are valid until the next Step.
class Rows {
 public:
  Rows(sqlite3* database, sqlite3_stmt* statement, bool* in_use);
  Rows(Rows&& other) noexcept;
  Rows& operator=(Rows&&) = delete;
  ~Rows();

  /// True while there is a row.
  bool Step();

  bool IsNull(int column) const;
  std::int64_t Int(int column) const;
  bool Bool(int column) const { return Int(column) != 0; }
  std::string_view Text(int column) const;
  std::string String(int column) const { return std::string(Text(column)); }
  std::string_view Bytes(int column) const;
  Instant Time(int column) const { return FromMicros(Int(column)); }
  std::optional<Instant> MaybeTime(int column) const {
    return IsNull(column) ? std::nullopt : std::optional(Time(column));
  }
  template <class AnyId>
  AnyId IdOf(int column) const {
    return AnyId(String(column));
  }

 private:
  friend class Connection;
  void BindAt(int index, std::int64_t value);
  void BindAt(int index, std::string_view value);
  void BindAt(int index, Blob value);
  void BindAt(int index, std::nullptr_t);
  template <std::integral Number>
  void BindAt(int index, Number value) {
    BindAt(index, static_cast<std::int64_t>(value));
  }
  void BindAt(int index, const std::string& value) { BindAt(index, std::string_view(value)); }
  void BindAt(int index, const char* value) { BindAt(index, std::string_view(value)); }
  void BindAt(int index, Instant value) { BindAt(index, ToMicros(value)); }
  template <class Tag>
  void BindAt(int index, const Id<Tag>& value) {
    BindAt(index, std::string_view(value.text()));
  }
  template <class T>
  void BindAt(int index, const std::optional<T>& value) {
    if (value) {
      BindAt(index, *value);
    } else {
      BindAt(index, nullptr);
    }
  }

  sqlite3* database_;
  sqlite3_stmt* statement_;
  bool* in_use_;  ///< Of the cache; null for a statement of this object's own.
  bool copy_values_ = false;
};

/// An id as a parameter: NULL when empty.
template <class Tag>
std::optional<std::string_view> OrNull(const Id<Tag>& id) {
  return id.empty() ? std::nullopt : std::optional<std::string_view>(id.text());
}
inline std::optional<std::string_view> OrNull(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

/// One connection, used by one thread at a time. Statements are prepared once and kept. Parameters are $1, $2, ... in
/// order, the form PostgreSQL shares.
class Connection {
 public:
  enum class Mode { kReadWrite, kReadOnly };
  /// Opens and configures (WAL, foreign keys, busy timeout). Creates the file with mode 0600. Throws SqliteError.
  Connection(const std::string& path, Mode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs a statement with rows. Values are copied: they may be gone when the rows are read.
  template <class... Values>
  Rows Query(std::string_view sql, const Values&... values) {
    Rows rows = Prepare(sql);
    rows.copy_values_ = true;
    int index = 0;
    (rows.BindAt(++index, values), ...);
    return rows;
  }
  /// Runs a statement to its end; returns how many rows it changed.
  template <class... Values>
  std::int64_t Execute(std::string_view sql, const Values&... values) {
    Rows rows = Prepare(sql);
    int index = 0;
    (rows.BindAt(++index, values), ...);
    while (rows.Step()) {
    }
    return Changes();
  }
  /// Runs a text of any number of statements without parameters: migrations, pragmas.
  void Run(const std::string& script);

  std::int64_t LastInsertRow() const;
  /// True when no transaction is open, also after SQLite itself rolled one back.
  bool Idle() const;
  /// Statements fail with kTimeout once this has passed; nullopt takes the limit away.
  void SetDeadline(std::optional<std::chrono::steady_clock::time_point> deadline) { deadline_ = deadline; }

 private:
  struct Cached {
    sqlite3_stmt* statement = nullptr;
    bool in_use = false;
  };
  Rows Prepare(std::string_view sql);
  sqlite3_stmt* Compile(std::string_view text, unsigned flags);
  std::int64_t Changes() const;
  static int OnProgress(void* self);

  sqlite3* database_ = nullptr;
  /// Nodes do not move, so that Rows can point at the flag.
  std::map<std::string, Cached, std::less<>> cache_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

}  // namespace latchkey::storage::sqlite
