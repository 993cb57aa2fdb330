#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace latchkey::storage::postgres {

/// Where the server is and how to get in, as libpq reads it. Holds the password: never printed as a whole.
class Address {
 public:
  /// postgresql://... or postgres://..., with libpq's parameters behind it. kInvalidArgument names what is wrong,
  /// without a password.
  static Result<Address> Parse(const std::string& url);
  /// True for what Parse may take: a URL of these schemes.
  static bool Is(const std::string& url);

  /// Keyword and value, with our defaults where nothing was said: application_name, timeouts of the transport.
  const std::vector<std::pair<std::string, std::string>>& parameters() const { return parameters_; }
  /// "host:port/database", for errors.
  const std::string& name() const { return name_; }
  /// False when finding the host may ask a name server, which blocks.
  bool numeric() const { return numeric_; }
  /// The same server, another database: for tests.
  Address WithDatabase(const std::string& database) const;

 private:
  void Describe();

  std::vector<std::pair<std::string, std::string>> parameters_;
  std::string name_;
  bool numeric_ = false;
};

}  // namespace latchkey::storage::postgres
