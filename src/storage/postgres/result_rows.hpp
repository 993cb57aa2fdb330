#pragma once

#include <libpq-fe.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "storage/sql.hpp"

namespace latchkey::storage::postgres {

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ClearResult>;

/// All rows of an answer in binary format, read one after the other. Needs the connection no more.
class ResultRows final : public RowSource {
 public:
  /// `statement` is for the words of a mismatch.
  ResultRows(ResultPtr result, std::string statement);

  bool Step() override;
  bool IsNull(int column) const override;
  std::int64_t Int(int column) const override;
  std::string_view Text(int column) const override;
  std::string_view Bytes(int column) const override;
  Instant Time(int column) const override;

 private:
  std::string_view Raw(int column) const;

  ResultPtr result_;
  std::string statement_;
  int row_ = -1;
  int rows_;
  mutable std::vector<std::array<char, 36>> uuids_;  ///< By column, valid until the next Step.
};

}  // namespace latchkey::storage::postgres
