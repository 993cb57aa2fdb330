#include "storage/postgres/result_rows.hpp"

#include <fmt/format.h>

#include "storage/postgres/failure.hpp"
#include "storage/postgres/values.hpp"

namespace latchkey::storage::postgres {

ResultRows::ResultRows(ResultPtr result, std::string statement)
    : result_(std::move(result)),
      statement_(std::move(statement)),
      rows_(PQntuples(result_.get())),
      uuids_(static_cast<std::size_t>(PQnfields(result_.get()))) {}

bool ResultRows::Step() {
  if (row_ < rows_) ++row_;
  return row_ < rows_;
}

bool ResultRows::IsNull(int column) const {
  if (row_ < 0 || row_ >= rows_ || column < 0 || column >= PQnfields(result_.get())) {
    throw Mismatch(fmt::format("there is no column {} of a row {}", column, row_), statement_);
  }
  return PQgetisnull(result_.get(), row_, column) != 0;
}

std::string_view ResultRows::Raw(int column) const {
  return {PQgetvalue(result_.get(), row_, column), static_cast<std::size_t>(PQgetlength(result_.get(), row_, column))};
}

std::int64_t ResultRows::Int(int column) const {
  return IsNull(column) ? 0 : ReadInt(PQftype(result_.get(), column), Raw(column), statement_);
}

std::string_view ResultRows::Text(int column) const {
  if (IsNull(column)) return {};
  auto& kept = uuids_[static_cast<std::size_t>(column)];
  return ReadText(PQftype(result_.get(), column), Raw(column), kept, statement_);
}

std::string_view ResultRows::Bytes(int column) const {
  return IsNull(column) ? std::string_view() : ReadBytes(PQftype(result_.get(), column), Raw(column), statement_);
}

Instant ResultRows::Time(int column) const {
  return IsNull(column) ? Instant() : ReadTime(PQftype(result_.get(), column), Raw(column), statement_);
}

}  // namespace latchkey::storage::postgres
