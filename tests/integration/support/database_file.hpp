#pragma once

#include <map>
#include <string>
#include <vector>

namespace latchkey::integration {

/// The server's database, read only, beside the running server or after it: a file, or one at PostgreSQL (Server's
/// database() says which).
class DatabaseFile {
 public:
  explicit DatabaseFile(const std::string& path);
  ~DatabaseFile();
  DatabaseFile(const DatabaseFile&) = delete;
  DatabaseFile& operator=(const DatabaseFile&) = delete;

  /// Statements that age what a stopped server left behind.
  static void Change(const std::string& path, const std::string& sql);

  /// Rows of text; NULL is empty.
  std::vector<std::vector<std::string>> Query(const std::string& sql);
  std::vector<std::string> Tables();
  /// Rows per table. Of files only, as is what follows.
  std::map<std::string, long> RowCounts();
  /// "table.column" of every value that contains `text`.
  std::vector<std::string> FindEverywhere(const std::string& text);

 private:
  void* database_ = nullptr;
  void* postgres_ = nullptr;
};

}  // namespace latchkey::integration
