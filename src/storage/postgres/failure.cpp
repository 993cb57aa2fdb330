#include "storage/postgres/failure.hpp"

#include <fmt/format.h>

namespace latchkey::storage::postgres {
namespace {

using Fate = PostgresError::Fate;

struct Meaning {
  std::string_view sqlstate;  ///< A whole code or a class of two characters.
  ErrorCode code;
  Fate fate = Fate::kFinal;
};

// https://www.postgresql.org/docs/15/errcodes-appendix.html; the first that fits.
constexpr Meaning kMeanings[] = {
    {"23505", ErrorCode::kAlreadyExists},
    {"23503", ErrorCode::kConflict},
    {"23001", ErrorCode::kConflict},
    {"53100", ErrorCode::kDiskFull},
    {"53", ErrorCode::kOverloaded},
    {"57014", ErrorCode::kTimeout},     // statement_timeout, or somebody cancelled it
    {"55P03", ErrorCode::kOverloaded},  // lock_timeout
    {"40003", ErrorCode::kStorageUnavailable, Fate::kLost},
    {"40", ErrorCode::kOverloaded, Fate::kRetry},  // serialization failure, deadlock
    // A plan that a migration of a newer program has overtaken, or a statement that somebody deallocated.
    {"0A000", ErrorCode::kStorageUnavailable, Fate::kLost},
    {"26000", ErrorCode::kStorageUnavailable, Fate::kLost},
    // A server that became a standby: a new connection may find the one that took over.
    {"25006", ErrorCode::kStorageUnavailable, Fate::kLost},
    {"25P03", ErrorCode::kTimeout, Fate::kLost},  // idle_in_transaction_session_timeout
    {"57P", ErrorCode::kStorageUnavailable, Fate::kLost},
    {"08", ErrorCode::kStorageUnavailable, Fate::kLost},
    {"58", ErrorCode::kStorageUnavailable},
    {"28", ErrorCode::kStorageUnavailable, Fate::kLost},
    {"3D000", ErrorCode::kStorageUnavailable, Fate::kLost},
    {"XX", ErrorCode::kStorageUnavailable},
};

std::string Shortened(std::string_view statement) {
  std::string text;
  for (const char c : statement.substr(0, 120)) {
    const bool space = c == ' ' || c == '\n' || c == '\t';
    if (!space) {
      text += c;
    } else if (!text.empty() && text.back() != ' ') {
      text += ' ';
    }
  }
  return text;
}

std::string_view Field(const PGresult& result, int field) {
  const char* text = PQresultErrorField(&result, field);
  return text ? text : "";
}

std::string_view Trimmed(const char* text) {
  std::string_view words = text ? text : "";
  while (!words.empty() && (words.back() == '\n' || words.back() == ' ')) words.remove_suffix(1);
  return words;
}

}  // namespace

PostgresError FailureOf(const PGresult& result, std::string_view statement) {
  const std::string_view sqlstate = Field(result, PG_DIAG_SQLSTATE);
  Meaning meaning{.sqlstate = sqlstate, .code = ErrorCode::kInternal};
  for (const Meaning& known : kMeanings) {
    if (!sqlstate.starts_with(known.sqlstate)) continue;
    meaning = known;
    break;
  }
  // libpq itself, about a connection that broke.
  if (sqlstate.empty()) meaning = {.sqlstate = {}, .code = ErrorCode::kStorageUnavailable, .fate = Fate::kLost};
  // Data exceptions quote the value.
  const std::string_view said = sqlstate.empty()             ? Trimmed(PQresultErrorMessage(&result))
                                : sqlstate.starts_with("22") ? "a value does not fit its type"
                                                             : Field(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string_view severity = Field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity == "FATAL" || severity == "PANIC") meaning.fate = Fate::kLost;
  return PostgresError(meaning.code, meaning.fate, sqlstate,
                       fmt::format("{} ({}) in: {}", said, sqlstate, Shortened(statement)));
}

PostgresError LostConnection(PGconn* connection, std::string_view doing) {
  return PostgresError(ErrorCode::kStorageUnavailable, Fate::kLost, {},
                       fmt::format("the connection to the database was lost ({}) in: {}",
                                   connection ? Trimmed(PQerrorMessage(connection)) : "closed", Shortened(doing)));
}

PostgresError TimedOut(std::string_view doing) {
  return PostgresError(ErrorCode::kTimeout, Fate::kTimeout, {},
                       fmt::format("the database did not answer in time in: {}", Shortened(doing)));
}

DatabaseError Mismatch(const std::string& what, std::string_view statement) {
  return DatabaseError(ErrorCode::kInternal, fmt::format("{} in: {}", what, Shortened(statement)));
}

}  // namespace latchkey::storage::postgres
