#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <libpq-fe.h>

namespace latchkey::storage::postgres {

/// One statement as one connection has prepared it.
struct Statement {
  std::string text;
  std::string name;
  /// Of the parameters.
  std::vector<Oid> types;
};

/// What a connection has prepared, the least recently used forgotten first.
class Statements {
 public:
  explicit Statements(std::size_t limit) : limit_(limit) {}

  /// Null when it is not prepared. The newest from here on.
  std::shared_ptr<Statement> Find(std::string_view text);
  /// A new one, with a name nobody had.
  std::shared_ptr<Statement> Add(std::string_view text);
  /// The one to give up, when there are too many.
  std::shared_ptr<Statement> TakeExcess();
  void Remove(const Statement& statement);
  void Clear();
  std::size_t size() const { return index_.size(); }

 private:
  using List = std::list<std::shared_ptr<Statement>>;
  const std::size_t limit_;
  List order_;
  std::unordered_map<std::string_view, List::iterator> index_;  ///< Keys are the statements' own texts.
  std::uint64_t names_ = 0;
};

/// The parameter types of statements that some connection has asked the server for: others need not ask again. Bounded;
/// belongs to the thread of the database.
class TypeMemory {
 public:
  const std::vector<Oid>* Find(std::string_view text) const;
  void Keep(std::string_view text, const std::vector<Oid>& types);
  void Forget(std::string_view text);

 private:
  static constexpr std::size_t kLimit = 2000;
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, std::vector<Oid>, Hash, std::equal_to<>> types_;
};

}  // namespace latchkey::storage::postgres
