#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace latchkey::json {

/// Objects and arrays inside each other; deeper documents are refused.
inline constexpr std::size_t kMaxDepth = 32;

/// Reads one whole RFC 8259 document from outside. Refused with kInvalidArgument: anything but strict JSON, invalid
/// UTF-8, lone surrogates, duplicate members (after unescaping), more than kMaxDepth levels, numbers beyond double. The
/// error's detail names the kind of fault and never quotes the input. Any thread.
Result<boost::json::value> Parse(std::string_view text);

/// Reads the members of one object with strict types: a string is a string, an integer has no fraction, null is
/// absence only where a function says so. Every asked name counts as documented; RefuseOthers() then refuses the rest.
/// Errors are kInvalidArgument and name the member. Points into the value it was made from.
class Members {
 public:
  /// kInvalidArgument unless `value` is an object.
  static Result<Members> Of(const boost::json::value& value);

  Result<std::string_view> String(std::string_view name);
  Result<std::int64_t> Integer(std::string_view name);
  Result<bool> Bool(std::string_view name);
  /// The raw member, which must be there.
  Result<const boost::json::value*> Value(std::string_view name);

  /// Absent or null: nullopt.
  Result<std::optional<std::string_view>> OptionalString(std::string_view name);
  Result<std::optional<std::int64_t>> OptionalInteger(std::string_view name);
  Result<std::optional<bool>> OptionalBool(std::string_view name);
  /// Absent: an empty list. Every element must be a string; more than `max` elements are refused.
  Result<std::vector<std::string>> Strings(std::string_view name, std::size_t max);

  /// Refuses members that were not asked for.
  Result<void> RefuseOthers() const;

 private:
  explicit Members(const boost::json::object* object) : object_(object) {}
  const boost::json::value* Find(std::string_view name);

  const boost::json::object* object_;
  std::vector<std::string_view> known_;
};

}  // namespace latchkey::json
