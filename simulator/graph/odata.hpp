#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/json/object.hpp>

#include "simulator/http/message.hpp"

namespace latchkey::simulator::graph {

/// A literal of a $filter, or the value of a property. Instants are microseconds since 1970.
struct ODataInstant {
  std::int64_t micros = 0;
  auto operator<=>(const ODataInstant&) const = default;
};
using ODataValue = std::variant<std::monostate, bool, std::int64_t, ODataInstant, std::string>;

/// A parsed $filter: comparisons, startswith, contains, lambda any over texts, joined by and, or, not.
struct Filter {
  enum class Kind { kAnd, kOr, kNot, kCompare, kStartsWith, kContains, kAny };
  enum class Op { kEq, kNe, kGt, kGe, kLt, kLe };
  Kind kind = Kind::kCompare;
  Op op = Op::kEq;
  std::string property;  ///< "from/emailAddress/address"
  ODataValue value;
  std::vector<Filter> children;

  /// The error is a sentence for Graph's 400. Bounded in length and depth.
  static std::expected<Filter, std::string> Parse(std::string_view text);

  /// Reads a property; monostate is null. nullopt: there is no such property to filter by.
  using Reader = std::function<std::optional<ODataValue>(std::string_view property)>;
  /// Reads a list of texts.
  using ListReader = std::function<std::vector<std::string>(std::string_view property)>;
  bool Matches(const Reader& read, const ListReader& list) const;
  /// Properties in the order they stand in the text.
  std::vector<std::string> Properties() const;
};

struct OrderBy {
  std::string property;
  bool descending = false;

  static std::expected<std::vector<OrderBy>, std::string> Parse(std::string_view text);
};

/// The system query options of one request.
struct QueryOptions {
  std::vector<std::string> select;
  std::vector<std::string> expand;  ///< "attachments", options in parentheses left out.
  /// The $select in those parentheses; empty: everything.
  std::vector<std::string> expand_select;
  std::optional<std::size_t> top;
  std::size_t skip = 0;
  bool count = false;
  std::optional<Filter> filter;
  std::vector<OrderBy> order;
  std::string search;
  std::string filter_text;

  /// The error is a sentence for Graph's 400. `most` bounds $top.
  static std::expected<QueryOptions, std::string> Parse(const Parameters& query, std::size_t most);
  bool Selects(std::string_view property) const;
};

/// Keeps id, annotations and the selected properties. "microsoft.graph.fileAttachment/contentId" names a property of
/// objects of that type alone.
boost::json::object Project(boost::json::object object, const std::vector<std::string>& select);

}  // namespace latchkey::simulator::graph
