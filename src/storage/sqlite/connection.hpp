#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "storage/sql.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace latchkey::storage::sqlite {

/// SQLite's own account of a failure.
class SqliteError : public DatabaseError {
 public:
  SqliteError(int extended_code, const std::string& what);
  /// SQLite's extended result code.
  int code() const { return code_; }

 private:
  int code_;
};

/// A connection to one file; see storage::Connection.
class Connection final : public storage::Connection {
 public:
  enum class Mode { kReadWrite, kReadOnly };
  /// Opens and configures (WAL, foreign keys, busy timeout). Creates the file with mode 0600. Throws SqliteError.
  Connection(const std::string& path, Mode mode);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Dialect dialect() const override { return Dialect::kSqlite; }
  void Run(const std::string& script) override;

  /// True when no transaction is open, also after SQLite itself rolled one back.
  bool Idle() const;
  /// Statements fail with kTimeout once this has passed; nullopt takes the limit away.
  void SetDeadline(std::optional<std::chrono::steady_clock::time_point> deadline) { deadline_ = deadline; }

 protected:
  std::unique_ptr<RowSource> DoQuery(std::string_view sql, std::span<const Value> values) override;
  std::int64_t DoExecute(std::string_view sql, std::span<const Value> values) override;

 private:
  class Execution;
  struct Cached {
    sqlite3_stmt* statement = nullptr;
    bool in_use = false;
  };
  Execution Prepare(std::string_view sql);
  sqlite3_stmt* Compile(std::string_view text, unsigned flags);
  static int OnProgress(void* self);

  sqlite3* database_ = nullptr;
  /// Nodes do not move, so that an execution can point at the flag.
  std::map<std::string, Cached, std::less<>> cache_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

}  // namespace latchkey::storage::sqlite
