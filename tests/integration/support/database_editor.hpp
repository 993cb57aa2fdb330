#pragma once

#include <string>

namespace latchkey::integration {

/// Another program at the server's database file, for what only an accident or an attacker would do.
class DatabaseEditor {
 public:
  explicit DatabaseEditor(const std::string& path);
  ~DatabaseEditor();
  DatabaseEditor(const DatabaseEditor&) = delete;
  DatabaseEditor& operator=(const DatabaseEditor&) = delete;

  /// Waits for the file as long as it takes; fails the test when it cannot be done.
  void Execute(const std::string& sql);
  /// False when somebody else is writing.
  bool TryExecute(const std::string& sql);

 private:
  void* database_ = nullptr;
};

}  // namespace latchkey::integration
