#pragma once

#include <optional>
#include <string>

namespace latchkey::integration {

/// A PostgreSQL database for one server under test, gone with this object.
class ScratchDatabase {
 public:
  /// LATCHKEY_TEST_ENGINE=postgresql asks for PostgreSQL in place of a file: the same tests, as CMakeLists.txt
  /// registers some of them twice.
  static bool Wanted();
  /// Wanted, and LATCHKEY_TEST_POSTGRES names a server that can be asked for one.
  static bool Possible();

  ScratchDatabase();
  ~ScratchDatabase();
  ScratchDatabase(const ScratchDatabase&) = delete;
  ScratchDatabase& operator=(const ScratchDatabase&) = delete;
  const std::string& url() const { return url_; }

 private:
  std::string name_;
  std::string url_;
};

}  // namespace latchkey::integration
