#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"

/// SQL as the stores speak it, whichever engine listens.
namespace latchkey::storage {

enum class Dialect { kSqlite, kPostgres };

/// A failure of the database itself. Thrown inside a transaction body, caught once where the body was started, where it
/// becomes an Error; a body lets it pass, since on PostgreSQL the transaction is dead by then. The text names the
/// statement, never a value.
class DatabaseError : public std::runtime_error {
 public:
  DatabaseError(ErrorCode code, const std::string& what) : std::runtime_error(what), code_(code) {}
  /// kDiskFull, kStorageUnavailable, kTimeout, kOverloaded, kAlreadyExists, kConflict or kInternal.
  ErrorCode error_code() const { return code_; }

 private:
  ErrorCode code_;
};

/// A statement: one text that both engines understand, or one for each. Parameters are $1, $2, ... in both. Views of
/// constants; nothing is owned.
class Sql {
 public:
  constexpr Sql(const char* both) : sqlite_(both), postgres_(both) {}
  constexpr Sql(std::string_view both) : sqlite_(both), postgres_(both) {}
  Sql(const std::string& both) : sqlite_(both), postgres_(both) {}
  constexpr Sql(std::string_view sqlite, std::string_view postgres) : sqlite_(sqlite), postgres_(postgres) {}

  constexpr std::string_view In(Dialect dialect) const { return dialect == Dialect::kSqlite ? sqlite_ : postgres_; }

 private:
  std::string_view sqlite_;
  std::string_view postgres_;
};

/// Bytes, as a parameter: BLOB, bytea.
struct Blob {
  std::string_view bytes;
};

/// A parameter. Text and bytes are views: the caller's, alive until the call returns.
using Value = std::variant<std::nullptr_t, bool, std::int64_t, std::string_view, Blob, Instant>;

inline Value ToValue(std::nullptr_t) { return nullptr; }
inline Value ToValue(bool value) { return value; }
template <std::integral Number>
  requires(!std::same_as<Number, bool>)
Value ToValue(Number value) {
  return static_cast<std::int64_t>(value);
}
inline Value ToValue(std::string_view value) { return value; }
inline Value ToValue(const std::string& value) { return std::string_view(value); }
inline Value ToValue(const char* value) { return std::string_view(value); }
inline Value ToValue(Blob value) { return value; }
inline Value ToValue(Instant value) { return value; }
template <class Tag>
Value ToValue(const Id<Tag>& value) {
  return std::string_view(value.text());
}
template <class T>
Value ToValue(const std::optional<T>& value) {
  return value ? ToValue(*value) : Value(nullptr);
}

/// An id as a parameter: NULL when empty.
template <class Tag>
std::optional<std::string_view> OrNull(const Id<Tag>& id) {
  return id.empty() ? std::nullopt : std::optional<std::string_view>(id.text());
}
inline std::optional<std::string_view> OrNull(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

/// What an engine gives for a statement with rows. Columns count from 0; what Text and Bytes show is valid until the
/// next Step.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual bool Step() = 0;
  virtual bool IsNull(int column) const = 0;
  /// Any whole number or truth value; 0 for NULL.
  virtual std::int64_t Int(int column) const = 0;
  /// Text, or a UUID in its text form; empty for NULL.
  virtual std::string_view Text(int column) const = 0;
  virtual std::string_view Bytes(int column) const = 0;
  virtual Instant Time(int column) const = 0;
};

/// The rows of one execution of a statement.
class Rows {
 public:
  explicit Rows(std::unique_ptr<RowSource> cursor) : cursor_(std::move(cursor)) {}

  /// True while there is a row.
  bool Step() { return cursor_->Step(); }

  bool IsNull(int column) const { return cursor_->IsNull(column); }
  std::int64_t Int(int column) const { return cursor_->Int(column); }
  bool Bool(int column) const { return Int(column) != 0; }
  std::string_view Text(int column) const { return cursor_->Text(column); }
  std::string String(int column) const { return std::string(Text(column)); }
  std::string_view Bytes(int column) const { return cursor_->Bytes(column); }
  Instant Time(int column) const { return cursor_->Time(column); }
  std::optional<Instant> MaybeTime(int column) const {
    return IsNull(column) ? std::nullopt : std::optional(Time(column));
  }
  template <class AnyId>
  AnyId IdOf(int column) const {
    return AnyId(String(column));
  }

 private:
  std::unique_ptr<RowSource> cursor_;
};

/// One connection, used by one thread (or one fiber) at a time. Statements are prepared once and kept.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual Dialect dialect() const = 0;

  /// Runs a statement with rows. Values are copied: they may be gone when the rows are read.
  template <class... Values>
  Rows Query(const Sql& sql, const Values&... values) {
    const std::array<Value, sizeof...(Values)> bound{ToValue(values)...};
    return Rows(DoQuery(sql.In(dialect()), bound));
  }
  /// Runs a statement to its end; returns how many rows it changed.
  template <class... Values>
  std::int64_t Execute(const Sql& sql, const Values&... values) {
    const std::array<Value, sizeof...(Values)> bound{ToValue(values)...};
    return DoExecute(sql.In(dialect()), bound);
  }
  /// Runs a statement whose outcome nobody reads. Where every statement costs a round trip it is only put in line: it
  /// has run before the next Query or Execute and before the commit, and fails there.
  template <class... Values>
  void Send(const Sql& sql, const Values&... values) {
    const std::array<Value, sizeof...(Values)> bound{ToValue(values)...};
    DoSend(sql.In(dialect()), bound);
  }
  /// Query and Send with as many values as the statement turns out to have.
  Rows QueryAll(const Sql& sql, std::span<const Value> values) { return Rows(DoQuery(sql.In(dialect()), values)); }
  void SendAll(const Sql& sql, std::span<const Value> values) { DoSend(sql.In(dialect()), values); }
  /// Runs a text of any number of statements without parameters: migrations, settings.
  virtual void Run(const std::string& script) = 0;

 protected:
  virtual std::unique_ptr<RowSource> DoQuery(std::string_view sql, std::span<const Value> values) = 0;
  virtual std::int64_t DoExecute(std::string_view sql, std::span<const Value> values) = 0;
  virtual void DoSend(std::string_view sql, std::span<const Value> values) { DoExecute(sql, values); }
};

/// Whom to tell after a commit.
struct Wakes {
  bool jobs = false;
  std::set<UserId> users;

  bool Any() const { return jobs || !users.empty(); }
  void Merge(Wakes&& other) {
    jobs |= other.jobs;
    users.merge(other.users);
  }
};

/// A write transaction as its body sees it: the connection, and whom to wake after the commit.
class Transaction {
 public:
  explicit Transaction(Connection& connection) : connection_(connection) {}

  template <class... Values>
  Rows Query(const Sql& sql, const Values&... values) {
    return connection_.Query(sql, values...);
  }
  template <class... Values>
  std::int64_t Execute(const Sql& sql, const Values&... values) {
    return connection_.Execute(sql, values...);
  }
  template <class... Values>
  void Send(const Sql& sql, const Values&... values) {
    connection_.Send(sql, values...);
  }
  Connection& connection() { return connection_; }
  Dialect dialect() const { return connection_.dialect(); }

  void WakeJobs() { wakes_.jobs = true; }
  void WakeEvents(const UserId& user) { wakes_.users.insert(user); }
  Wakes TakeWakes() { return std::exchange(wakes_, {}); }

 private:
  Connection& connection_;
  Wakes wakes_;
};

}  // namespace latchkey::storage
