#include "storage/statement.hpp"

#include <utility>
#include <vector>

namespace latchkey::storage {
namespace {

/// Made by the first statement: files are set up in no order.
std::vector<const Statement*>& List() {
  static std::vector<const Statement*> list;
  return list;
}

}  // namespace

Statement::Statement(std::string both)
    : StatementTexts{.sqlite = std::move(both), .postgres = {}}, Sql(std::string_view(StatementTexts::sqlite)) {
  List().push_back(this);
}

Statement::Statement(std::string sqlite, std::string postgres)
    : StatementTexts{.sqlite = std::move(sqlite), .postgres = std::move(postgres)},
      Sql(StatementTexts::sqlite, StatementTexts::postgres) {
  List().push_back(this);
}

std::span<const Statement* const> Statement::All() { return List(); }

}  // namespace latchkey::storage
