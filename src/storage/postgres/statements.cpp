#include "storage/postgres/statements.hpp"

#include <fmt/format.h>

namespace latchkey::storage::postgres {

std::shared_ptr<Statement> Statements::Find(std::string_view text) {
  const auto found = index_.find(text);
  if (found == index_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second);
  return *found->second;
}

std::shared_ptr<Statement> Statements::Add(std::string_view text) {
  auto statement = std::make_shared<Statement>();
  statement->text = text;
  statement->name = fmt::format("s{}", ++names_);
  order_.push_front(statement);
  index_.insert_or_assign(statement->text, order_.begin());
  return statement;
}

std::shared_ptr<Statement> Statements::TakeExcess() {
  if (order_.size() <= limit_) return nullptr;
  auto last = order_.back();
  Remove(*last);
  return last;
}

void Statements::Remove(const Statement& statement) {
  const auto found = index_.find(statement.text);
  if (found == index_.end() || found->second->get() != &statement) return;
  const auto place = found->second;
  index_.erase(found);
  order_.erase(place);
}

void Statements::Clear() {
  index_.clear();
  order_.clear();
}

const std::vector<Oid>* TypeMemory::Find(std::string_view text) const {
  const auto found = types_.find(text);
  return found == types_.end() ? nullptr : &found->second;
}

void TypeMemory::Keep(std::string_view text, const std::vector<Oid>& types) {
  if (types_.size() >= kLimit) types_.clear();
  types_.insert_or_assign(std::string(text), types);
}

void TypeMemory::Forget(std::string_view text) {
  if (const auto found = types_.find(text); found != types_.end()) types_.erase(found);
}

}  // namespace latchkey::storage::postgres
