#pragma once

#include <libpq-fe.h>

#include <array>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/sql.hpp"

/// Values in PostgreSQL's binary format, by the type the server names. What does not fit is a mistake in a store and
/// thrown as kInternal; integers, truth values, text, UUIDs, instants and bytes are all there is.
namespace latchkey::storage::postgres {

/// https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/catalog/pg_type.dat
enum TypeOid : Oid {
  kBool = 16,
  kBytea = 17,
  kChar = 18,
  kName = 19,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kJson = 114,
  kFloat8 = 701,
  kUnknown = 705,
  kBpchar = 1042,
  kVarchar = 1043,
  kDate = 1082,
  kTimestamp = 1114,
  kTimestamptz = 1184,
  kUuid = 2950,
  kJsonb = 3802,
  kXid8 = 5069,
};

/// The text as PostgreSQL takes it: no NUL, and valid UTF-8 (RFC 3629). What is not becomes U+FFFD. `kept` holds the
/// cleaned text when there was something to clean.
std::string_view CleanText(std::string_view text, std::string& kept);

/// The parameters of one execution. The values it was made of must outlive it.
class Parameters {
 public:
  Parameters(std::span<const Value> values, std::span<const Oid> types, std::string_view statement);
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;

  int count() const { return static_cast<int>(values_.size()); }
  const char* const* values() const { return values_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }
  /// Of all values together.
  std::size_t bytes() const;

 private:
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
  std::vector<std::array<char, 16>> fixed_;
  std::deque<std::string> texts_;
};

// A column's value that is not NULL.
std::int64_t ReadInt(Oid type, std::string_view bytes, std::string_view statement);
Instant ReadTime(Oid type, std::string_view bytes, std::string_view statement);
std::string_view ReadBytes(Oid type, std::string_view bytes, std::string_view statement);
/// A view of `bytes`; of `kept` for a UUID.
std::string_view ReadText(Oid type, std::string_view bytes, std::array<char, 36>& kept, std::string_view statement);

}  // namespace latchkey::storage::postgres
