#include "storage/sqlite/connection.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <fmt/format.h>

namespace latchkey::storage::sqlite {
namespace {

// Another process (a migration, a backup) may hold the file for a moment.
constexpr int kBusyTimeoutMs = 5000;
// SQLite asks for the deadline every so many steps of its virtual machine: about every 50 microseconds.
constexpr int kProgressSteps = 2000;

[[noreturn]] void Throw(sqlite3* database, std::string_view doing) {
  const int code = database ? sqlite3_extended_errcode(database) : SQLITE_NOMEM;
  throw SqliteError(code, fmt::format("{} ({}) in: {}", database ? sqlite3_errmsg(database) : "out of memory", code,
                                      doing.substr(0, 120)));
}

/// Only the owner may read the mail; SQLite gives the journal files the same rights.
void CreatePrivately(const std::string& path) {
  // Only when it is not there yet: closing any descriptor of a file drops all POSIX locks that the process holds on it,
  // those of its other connections too. Another program that opens and closes the database then takes itself for the
  // last one, and deletes the log that we go on writing to.
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file >= 0) ::close(file);
}

ErrorCode MeaningOf(int extended_code) {
  switch (extended_code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return ErrorCode::kAlreadyExists;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return ErrorCode::kConflict;
    default:
      break;
  }
  switch (extended_code & 0xff) {
    case SQLITE_FULL:
      return ErrorCode::kDiskFull;
    case SQLITE_INTERRUPT:
      return ErrorCode::kTimeout;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kOverloaded;
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_NOMEM:
      return ErrorCode::kStorageUnavailable;
    default:
      return ErrorCode::kInternal;
  }
}

}  // namespace

SqliteError::SqliteError(int extended_code, const std::string& what)
    : DatabaseError(MeaningOf(extended_code), what), code_(extended_code) {}

/// One execution of a prepared statement: bound, stepped, and given back to the connection's cache at its end.
class Connection::Execution final : public RowSource {
 public:
  Execution(sqlite3* database, sqlite3_stmt* statement, bool* in_use)
      : database_(database), statement_(statement), in_use_(in_use) {}
  Execution(Execution&& other) noexcept
      : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)), in_use_(other.in_use_) {}
  Execution& operator=(Execution&&) = delete;
  ~Execution() override {
    if (!statement_) return;
    if (!in_use_) {
      sqlite3_finalize(statement_);
      return;
    }
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    *in_use_ = false;
  }

  /// `copy` when the values may be gone before the last Step.
  void Bind(std::span<const Value> values, bool copy) {
    const auto lifetime = copy ? SQLITE_TRANSIENT : SQLITE_STATIC;
    int index = 0;
    for (const Value& value : values) {
      const auto bind = [&, at = ++index]<class T>(const T& given) {
        if constexpr (std::is_same_v<T, std::nullptr_t>) {
          return sqlite3_bind_null(statement_, at);
        } else if constexpr (std::is_same_v<T, std::string_view>) {
          // A null pointer would bind NULL.
          return sqlite3_bind_text64(statement_, at, given.data() ? given.data() : "", given.size(), lifetime,
                                     SQLITE_UTF8);
        } else if constexpr (std::is_same_v<T, Blob>) {
          return sqlite3_bind_blob64(statement_, at, given.bytes.data() ? given.bytes.data() : "", given.bytes.size(),
                                     lifetime);
        } else if constexpr (std::is_same_v<T, Instant>) {
          return sqlite3_bind_int64(statement_, at, ToMicros(given));
        } else {
          return sqlite3_bind_int64(statement_, at, static_cast<std::int64_t>(given));
        }
      };
      if (std::visit(bind, value) != SQLITE_OK) Throw(database_, sqlite3_sql(statement_));
    }
  }

  bool Step() override {
    switch (sqlite3_step(statement_)) {
      case SQLITE_ROW:
        return true;
      case SQLITE_DONE:
        return false;
      default:
        Throw(database_, sqlite3_sql(statement_));
    }
  }
  bool IsNull(int column) const override { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::int64_t Int(int column) const override { return sqlite3_column_int64(statement_, column); }
  std::string_view Text(int column) const override {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return {text ? text : "", static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  std::string_view Bytes(int column) const override {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {bytes ? bytes : "", static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  Instant Time(int column) const override { return FromMicros(Int(column)); }

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_;
  bool* in_use_;  ///< Of the cache; null for a statement of this object's own.
};

namespace {

/// SQLite's own memory statistics take a process-wide lock at every allocation, and nobody reads them. Must come before
/// the library's first use; in a program that used it earlier the statistics simply stay on.
void ConfigureLibrary() { [[maybe_unused]] static const int configured = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

}  // namespace

Connection::Connection(const std::string& path, Mode mode) {
  ConfigureLibrary();
  CreatePrivately(path);
  // NOMUTEX: each connection belongs to one thread at a time.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(path.c_str(), &database_, flags, nullptr) != SQLITE_OK) {
    const int code = database_ ? sqlite3_extended_errcode(database_) : SQLITE_NOMEM;
    const std::string what = database_ ? sqlite3_errmsg(database_) : "out of memory";
    sqlite3_close(database_);
    throw SqliteError(code, what);
  }
  try {
    sqlite3_busy_timeout(database_, kBusyTimeoutMs);
    // No statement of ours writes the search index's own tables or the schema behind SQLite's back.
    sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    // The page size counts only when the file is new.
    Run("PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
        "PRAGMA temp_store=MEMORY");
    if (mode == Mode::kReadOnly) {
      Run("PRAGMA query_only=ON; PRAGMA cache_size=-4096");
      sqlite3_progress_handler(database_, kProgressSteps, &Connection::OnProgress, this);
    } else {
      // Checkpoints of 32 MB: large enough to write each hot page once, small enough not to hold a commit for long.
      Run("PRAGMA cache_size=-16384; PRAGMA wal_autocheckpoint=4096; PRAGMA journal_size_limit=67108864");
    }
  } catch (...) {
    sqlite3_close(database_);
    throw;
  }
}

Connection::~Connection() {
  for (auto& [sql, cached] : cache_) sqlite3_finalize(cached.statement);
  sqlite3_close_v2(database_);
}

int Connection::OnProgress(void* self) {
  const auto& deadline = static_cast<Connection*>(self)->deadline_;
  return deadline && std::chrono::steady_clock::now() > *deadline ? 1 : 0;
}

sqlite3_stmt* Connection::Compile(std::string_view text, unsigned flags) {
  // To SQLite "$2" is only a name, numbered by where it first occurs; "?2" is PostgreSQL's "$2".
  std::string sql(text);
  for (std::size_t at = 0; at + 1 < sql.size(); ++at) {
    if (sql[at] == '$' && sql[at + 1] >= '1' && sql[at + 1] <= '9') sql[at] = '?';
  }
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()), flags, &statement, nullptr) !=
      SQLITE_OK) {
    Throw(database_, sql);
  }
  return statement;
}

Connection::Execution Connection::Prepare(std::string_view sql) {
  auto found = cache_.find(sql);
  if (found == cache_.end()) {
    Cached fresh{.statement = Compile(sql, SQLITE_PREPARE_PERSISTENT)};
    found = cache_.emplace(std::string(sql), fresh).first;
  }
  // The same statement inside its own rows: a copy for this once.
  if (found->second.in_use) return Execution(database_, Compile(sql, 0), nullptr);
  found->second.in_use = true;
  return Execution(database_, found->second.statement, &found->second.in_use);
}

std::unique_ptr<RowSource> Connection::DoQuery(std::string_view sql, std::span<const Value> values) {
  auto execution = std::make_unique<Execution>(Prepare(sql));
  execution->Bind(values, true);
  return execution;
}

std::int64_t Connection::DoExecute(std::string_view sql, std::span<const Value> values) {
  Execution execution = Prepare(sql);
  execution.Bind(values, false);
  while (execution.Step()) {
  }
  return sqlite3_changes64(database_);
}

void Connection::Run(const std::string& script) {
  if (sqlite3_exec(database_, script.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) Throw(database_, script);
}

bool Connection::Idle() const { return sqlite3_get_autocommit(database_) != 0; }

}  // namespace latchkey::storage::sqlite
