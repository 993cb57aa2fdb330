#pragma once

#include <span>
#include <string>

#include "storage/sql.hpp"

namespace latchkey::storage {

/// Where a statement keeps its texts; a base of it, so that they are there before the views of them.
struct StatementTexts {
  std::string sqlite;
  std::string postgres;
};

/// A statement that a store keeps: a constant of its file, known by name to a list, so that a test can have every
/// engine prepare all of them. Made before main, by one thread.
class Statement : private StatementTexts, public Sql {
 public:
  /// The texts are those of Sql: one for both engines, or one for each; empty where only the other has use for it.
  Statement(const char* both) : Statement(std::string(both)) {}
  explicit Statement(std::string both);
  Statement(std::string sqlite, std::string postgres);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// All of the program, in no order. A store's statements are there when its file is linked in.
  static std::span<const Statement* const> All();
};

}  // namespace latchkey::storage
