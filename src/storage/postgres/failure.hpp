#pragma once

#include <libpq-fe.h>

#include <string>
#include <string_view>

#include "storage/sql.hpp"

namespace latchkey::storage::postgres {

/// PostgreSQL's account of a failure, and what it leaves to do.
class PostgresError : public DatabaseError {
 public:
  enum class Fate {
    /// The same statement would fail again.
    kFinal,
    /// Another transaction stood in the way: the body may run again at once.
    kRetry,
    /// The connection is of no use any more: the body may run again on another one.
    kLost,
    /// No answer came in time. The connection is closed; what became of the statement nobody knows.
    kTimeout,
  };
  PostgresError(ErrorCode code, Fate fate, std::string_view sqlstate, const std::string& what)
      : DatabaseError(code, what), fate_(fate), sqlstate_(sqlstate) {}

  Fate fate() const { return fate_; }
  /// Five characters; empty when it was not the server who spoke.
  const std::string& sqlstate() const { return sqlstate_; }

 private:
  Fate fate_;
  std::string sqlstate_;
};

/// The failure that a result reports. Names the statement by its first 120 characters, no value: what the server says
/// of data is left out.
PostgresError FailureOf(const PGresult& result, std::string_view statement);
/// The connection broke. libpq's words, which hold no password.
PostgresError LostConnection(PGconn* connection, std::string_view doing);
PostgresError TimedOut(std::string_view doing);
/// A value and its column do not fit together: a mistake in a store.
DatabaseError Mismatch(const std::string& what, std::string_view statement);

}  // namespace latchkey::storage::postgres
