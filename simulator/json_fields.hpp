#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

namespace latchkey::simulator {

/// Reads the fields of a control request and gathers the first complaint: a wrong type, a value out of range or, at
/// Finish, a field nobody asked for. Typing mistakes in a test would otherwise make it test nothing.
class JsonFields {
 public:
  explicit JsonFields(const boost::json::object& object) : object_(object) {}

  std::optional<std::string> Text(std::string_view name);
  std::optional<bool> Flag(std::string_view name);
  /// Any JSON number, not negative.
  std::optional<double> Number(std::string_view name);
  std::optional<std::uint64_t> Count(std::string_view name);
  std::optional<std::vector<std::string>> Texts(std::string_view name);
  const boost::json::object* Object(std::string_view name);
  const boost::json::array* Array(std::string_view name);
  /// Of any type, null included; nullptr when absent.
  const boost::json::value* Value(std::string_view name) { return Find(name); }

  void Complain(std::string complaint);
  /// The first complaint, unknown fields included; nullopt when all is well.
  std::optional<std::string> Finish();

 private:
  const boost::json::value* Find(std::string_view name);

  const boost::json::object& object_;
  std::set<std::string, std::less<>> known_;
  std::optional<std::string> complaint_;
};

}  // namespace latchkey::simulator
