#pragma once

#include <boost/json/value.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/support/browser.hpp"

namespace latchkey::integration {

/// Holds answers against openapi/latchkey.yaml: an unknown path, status, content type or member is a failure, as is a
/// member that is missing or of another type, and an answer of an operation that is still marked `x-planned: true`.
/// Understands the part of JSON Schema 2020-12 that the contract uses: $ref, type (also lists), enum, properties,
/// required, additionalProperties, items, minItems, oneOf, allOf, minimum, maximum, maxLength, format uuid and
/// date-time. Objects are closed unless they say otherwise.
class Contract {
 public:
  /// The contract that this program was built with. Shared by all tests of the process.
  static Contract& Shared();

  /// What is wrong with an exchange; empty when nothing is.
  std::vector<std::string> Check(const HttpCall& call, const HttpReply& reply);
  /// What is wrong with one event of the stream.
  std::vector<std::string> CheckEvent(const boost::json::value& event);
  /// "operationId" of what no exchange has shown yet, without what the contract marks as planned (`x-planned`).
  std::vector<std::string> NeverExercised() const;

  /// What is wrong with `value` under `schema` (a part of the contract, or any schema for tests of this class).
  std::vector<std::string> Validate(const boost::json::value& value, const boost::json::value& schema) const;

 private:
  Contract();
  struct Match;
  Match FindOperation(const std::string& method, const std::string& path) const;
  const boost::json::value& Resolve(const boost::json::value& node) const;
  bool IsValid(const boost::json::value& value, const boost::json::value& schema) const;
  void ValidateInto(const boost::json::value& value, const boost::json::value& schema, const std::string& at,
                    std::vector<std::string>& problems, const std::set<std::string>* also_known) const;
  void CollectProperties(const boost::json::value& schema, std::set<std::string>& names) const;

  boost::json::value document_;
  std::set<std::string> exercised_;
};

}  // namespace latchkey::integration
