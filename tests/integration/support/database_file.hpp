#pragma once

#include <map>
#include <string>
#include <vector>

namespace latchkey::integration {

/// The server's database file, read only, beside the running server or after it.
class DatabaseFile {
 public:
  explicit DatabaseFile(const std::string& path);
  ~DatabaseFile();
  DatabaseFile(const DatabaseFile&) = delete;
  DatabaseFile& operator=(const DatabaseFile&) = delete;

  /// Rows of text; NULL is empty.
  std::vector<std::vector<std::string>> Query(const std::string& sql);
  std::vector<std::string> Tables();
  /// Rows per table.
  std::map<std::string, long> RowCounts();
  /// "table.column" of every value that contains `text`.
  std::vector<std::string> FindEverywhere(const std::string& text);

 private:
  void* database_ = nullptr;
};

}  // namespace latchkey::integration
