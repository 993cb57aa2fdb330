#include "simulator/graph/odata.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

#include "base/clock.hpp"

namespace latchkey::simulator::graph {
namespace {

constexpr std::size_t kMaxText = 8'192;
constexpr int kMaxDepth = 32;

bool IsNameChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '/' || c == '.' || c == '-' || c == ':' ||
         c == '@';
}

std::string Lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::optional<Filter::Op> OpNamed(std::string_view name) {
  using Op = Filter::Op;
  constexpr std::pair<std::string_view, Op> kOps[] = {{"eq", Op::kEq}, {"ne", Op::kNe}, {"gt", Op::kGt},
                                                      {"ge", Op::kGe}, {"lt", Op::kLt}, {"le", Op::kLe}};
  for (const auto& [text, op] : kOps) {
    if (text == name) return op;
  }
  return std::nullopt;
}

/// Recursive descent over OData's grammar: or, and, not, then comparisons and functions.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::expected<Filter, std::string> Run() {
    std::optional<Filter> filter = Or(0);
    Blanks();
    if (!filter || at_ != text_.size()) {
      return std::unexpected(fmt::format("Invalid filter clause: Syntax error at position {}.", at_));
    }
    return std::move(*filter);
  }

 private:
  void Blanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool Take(char c) {
    Blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string_view Peek() const {
    std::size_t end = at_;
    while (end < text_.size() && IsNameChar(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }
  bool TakeWord(std::string_view word) {
    Blanks();
    if (Lower(Peek()) != word) return false;
    at_ += word.size();
    return true;
  }

  std::optional<Filter> Or(int depth) { return Joined(depth, "or", Filter::Kind::kOr, &Parser::And); }
  std::optional<Filter> And(int depth) { return Joined(depth, "and", Filter::Kind::kAnd, &Parser::Unary); }

  std::optional<Filter> Joined(int depth, std::string_view word, Filter::Kind kind,
                               std::optional<Filter> (Parser::*next)(int)) {
    if (depth > kMaxDepth) return std::nullopt;
    std::optional<Filter> first = (this->*next)(depth);
    if (!first) return std::nullopt;
    std::vector<Filter> children;
    children.push_back(std::move(*first));
    while (TakeWord(word)) {
      std::optional<Filter> more = (this->*next)(depth);
      if (!more) return std::nullopt;
      children.push_back(std::move(*more));
    }
    if (children.size() == 1) return std::move(children.front());
    Filter joined;
    joined.kind = kind;
    joined.children = std::move(children);
    return joined;
  }

  std::optional<Filter> Unary(int depth) {
    if (depth > kMaxDepth) return std::nullopt;
    if (TakeWord("not")) {
      std::optional<Filter> inner = Unary(depth + 1);
      if (!inner) return std::nullopt;
      Filter negated;
      negated.kind = Filter::Kind::kNot;
      negated.children.push_back(std::move(*inner));
      return negated;
    }
    if (Take('(')) {
      std::optional<Filter> inner = Or(depth + 1);
      return inner && Take(')') ? std::move(inner) : std::nullopt;
    }
    return Term();
  }

  std::optional<Filter> Term() {
    Blanks();
    const std::string name(Peek());
    if (name.empty()) return std::nullopt;
    at_ += name.size();
    Filter filter;
    if (at_ < text_.size() && text_[at_] == '(') {
      ++at_;
      const std::string lower = Lower(name);
      if (lower == "startswith" || lower == "contains") return Function(lower);
      if (lower.ends_with("/any")) return Any(name.substr(0, name.size() - 4));
      return std::nullopt;
    }
    filter.property = name;
    Blanks();
    const std::string word = Lower(Peek());
    const auto op = OpNamed(word);
    if (!op) return std::nullopt;
    at_ += word.size();
    auto value = Literal();
    if (!value) return std::nullopt;
    filter.op = *op;
    filter.value = std::move(*value);
    return filter;
  }

  std::optional<Filter> Function(std::string_view name) {
    Blanks();
    Filter filter;
    filter.kind = name == "contains" ? Filter::Kind::kContains : Filter::Kind::kStartsWith;
    filter.property = Peek();
    at_ += filter.property.size();
    if (filter.property.empty() || !Take(',')) return std::nullopt;
    auto value = Literal();
    if (!value || !std::holds_alternative<std::string>(*value) || !Take(')')) return std::nullopt;
    filter.value = std::move(*value);
    // "startswith(x,'a') eq true" is the same.
    if (TakeWord("eq") && !TakeWord("true")) return std::nullopt;
    return filter;
  }

  /// categories/any(c:c eq 'Red')
  std::optional<Filter> Any(std::string property) {
    Blanks();
    // The variable, its colon and its use are names to us: "c:c".
    const std::string variable(Peek());
    at_ += variable.size();
    const std::size_t colon = variable.find(':');
    if (colon == std::string::npos) return std::nullopt;
    std::string used = variable.substr(colon + 1);
    if (used.empty()) {
      Blanks();
      used = Peek();
      at_ += used.size();
    }
    if (used != variable.substr(0, colon) || !TakeWord("eq")) return std::nullopt;
    auto value = Literal();
    if (!value || !std::holds_alternative<std::string>(*value) || !Take(')')) return std::nullopt;
    Filter filter;
    filter.kind = Filter::Kind::kAny;
    filter.property = std::move(property);
    filter.value = std::move(*value);
    return filter;
  }

  std::optional<ODataValue> Literal() {
    Blanks();
    if (Take('\'')) {
      std::string text;
      while (at_ < text_.size()) {
        const char c = text_[at_++];
        if (c != '\'') {
          text += c;
        } else if (at_ < text_.size() && text_[at_] == '\'') {
          text += '\'';
          ++at_;
        } else {
          return ODataValue(std::move(text));
        }
      }
      return std::nullopt;
    }
    std::size_t end = at_;
    while (end < text_.size() && (IsNameChar(text_[end]) || text_[end] == '+')) ++end;
    const std::string_view word = text_.substr(at_, end - at_);
    at_ = end;
    if (word == "true") return ODataValue(true);
    if (word == "false") return ODataValue(false);
    if (word == "null") return ODataValue();
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (!word.empty() && error == std::errc() && stop == word.data() + word.size()) return ODataValue(number);
    // A date alone stands for its midnight.
    const auto instant = ParseInstant(word.size() == 10 ? std::string(word) + "T00:00:00Z" : std::string(word));
    if (!instant) return std::nullopt;
    return ODataValue(ODataInstant{ToMicros(*instant)});
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

template <class T>
bool Compare(Filter::Op op, const T& left, const T& right) {
  switch (op) {
    case Filter::Op::kEq:
      return left == right;
    case Filter::Op::kNe:
      return left != right;
    case Filter::Op::kGt:
      return left > right;
    case Filter::Op::kGe:
      return left >= right;
    case Filter::Op::kLt:
      return left < right;
    case Filter::Op::kLe:
      return left <= right;
  }
  return false;
}

/// Texts compare without case, as Exchange does.
ODataValue Folded(const ODataValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text ? ODataValue(Lower(*text)) : value;
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> items;
  std::string item;
  int depth = 0;
  const auto finish = [&] {
    while (item.starts_with(' ')) item.erase(0, 1);
    while (item.ends_with(' ')) item.pop_back();
    if (!item.empty()) items.push_back(item);
    item.clear();
  };
  for (const char c : text) {
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c == ',' && depth == 0) {
      finish();
    } else if (depth == 0 && c != ')') {
      item += c;
    }
  }
  finish();
  return items;
}

/// The names in "attachments($select=id,name;$top=5)".
std::vector<std::string> NestedSelect(std::string_view expand) {
  const std::size_t open = expand.find('('), close = expand.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  std::string_view inside = expand.substr(open + 1, close - open - 1);
  constexpr std::string_view kSelect = "$select=";
  while (!inside.empty()) {
    const std::size_t semicolon = inside.find(';');
    std::string_view option = inside.substr(0, semicolon);
    while (option.starts_with(' ')) option.remove_prefix(1);
    if (option.starts_with(kSelect)) return SplitList(option.substr(kSelect.size()));
    inside = semicolon == std::string_view::npos ? std::string_view() : inside.substr(semicolon + 1);
  }
  return {};
}

/// Whether `selected` names the member of an object of `type` ("#microsoft.graph.fileAttachment").
bool Names(std::string_view selected, std::string_view type, std::string_view member) {
  if (const std::size_t slash = selected.find('/'); slash != std::string_view::npos) {
    if (type.starts_with('#')) type.remove_prefix(1);
    if (!EqualsIgnoreCase(selected.substr(0, slash), type)) return false;
    selected.remove_prefix(slash + 1);
  }
  return EqualsIgnoreCase(selected, member);
}

void Collect(const Filter& filter, std::vector<std::string>& out) {
  if (!filter.property.empty()) out.push_back(filter.property);
  for (const Filter& child : filter.children) Collect(child, out);
}

}  // namespace

std::expected<Filter, std::string> Filter::Parse(std::string_view text) {
  if (text.size() > kMaxText) return std::unexpected(std::string("Invalid filter clause: it is too long."));
  return Parser(text).Run();
}

bool Filter::Matches(const Reader& read, const ListReader& list) const {
  switch (kind) {
    case Kind::kAnd:
      return std::ranges::all_of(children, [&](const Filter& child) { return child.Matches(read, list); });
    case Kind::kOr:
      return std::ranges::any_of(children, [&](const Filter& child) { return child.Matches(read, list); });
    case Kind::kNot:
      return !children.front().Matches(read, list);
    case Kind::kAny: {
      const std::string wanted = Lower(std::get<std::string>(value));
      return std::ranges::any_of(list(property), [&](const std::string& text) { return Lower(text) == wanted; });
    }
    case Kind::kStartsWith:
    case Kind::kContains: {
      const auto found = read(property);
      const auto* text = found ? std::get_if<std::string>(&*found) : nullptr;
      if (!text) return false;
      const std::string wanted = Lower(std::get<std::string>(value));
      return kind == Kind::kContains ? Lower(*text).contains(wanted) : Lower(*text).starts_with(wanted);
    }
    case Kind::kCompare: {
      const auto found = read(property);
      if (!found) return false;
      const ODataValue left = Folded(*found);
      const ODataValue right = Folded(value);
      if (left.index() != right.index()) return op == Op::kNe;
      return Compare(op, left, right);
    }
  }
  return false;
}

std::vector<std::string> Filter::Properties() const {
  std::vector<std::string> names;
  Collect(*this, names);
  return names;
}

std::expected<std::vector<OrderBy>, std::string> OrderBy::Parse(std::string_view text) {
  std::vector<OrderBy> order;
  if (text.size() > kMaxText) return std::unexpected(std::string("Invalid orderby clause: it is too long."));
  for (const std::string& item : SplitList(text)) {
    OrderBy by;
    const std::size_t blank = item.find(' ');
    by.property = item.substr(0, blank);
    const std::string direction = blank == std::string::npos ? "asc" : Lower(item.substr(item.rfind(' ') + 1));
    by.descending = direction == "desc";
    if ((direction != "asc" && direction != "desc") || !std::ranges::all_of(by.property, IsNameChar)) {
      return std::unexpected(fmt::format("Invalid orderby clause: '{}'.", item));
    }
    order.push_back(std::move(by));
  }
  return order;
}

std::expected<QueryOptions, std::string> QueryOptions::Parse(const Parameters& query, std::size_t most) {
  QueryOptions options;
  const auto number = [&](std::string_view name, std::size_t& out) -> std::expected<void, std::string> {
    const std::string_view text = query.Get(name);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size()) {
      return std::unexpected(
          fmt::format("Invalid value '{}' for {} query option found. The {} query option requires a "
                      "non-negative integer value.",
                      text, name, name));
    }
    return {};
  };
  if (query.Find("$top")) {
    std::size_t top = 0;
    if (auto read = number("$top", top); !read) return std::unexpected(read.error());
    if (top < 1 || top > most) {
      return std::unexpected(fmt::format("Invalid value for $top: it must be between 1 and {}.", most));
    }
    options.top = top;
  }
  if (query.Find("$skip")) {
    if (auto read = number("$skip", options.skip); !read) return std::unexpected(read.error());
  }
  options.select = SplitList(query.Get("$select"));
  options.expand = SplitList(query.Get("$expand"));
  options.expand_select = NestedSelect(query.Get("$expand"));
  options.count = query.Get("$count") == "true";
  options.search = query.Get("$search");
  options.filter_text = query.Get("$filter");
  if (!options.filter_text.empty()) {
    auto filter = Filter::Parse(options.filter_text);
    if (!filter) return std::unexpected(std::move(filter.error()));
    options.filter = std::move(*filter);
  }
  auto order = OrderBy::Parse(query.Get("$orderby"));
  if (!order) return std::unexpected(std::move(order.error()));
  options.order = std::move(*order);
  if (!options.search.empty() && (options.filter || !options.order.empty())) {
    return std::unexpected(std::string("The query parameter '$search' is not supported with '$filter' or '$orderby'."));
  }
  return options;
}

bool QueryOptions::Selects(std::string_view property) const {
  return std::ranges::any_of(select, [&](const std::string& name) { return EqualsIgnoreCase(name, property); });
}

boost::json::object Project(boost::json::object object, const std::vector<std::string>& select) {
  if (select.empty()) return object;
  boost::json::object kept;
  const auto* annotation = object.if_contains("@odata.type");
  const std::string type = annotation && annotation->is_string() ? std::string(annotation->as_string()) : std::string();
  for (auto& member : object) {
    const std::string_view name = member.key();
    const bool wanted = name == "id" || name.starts_with('@') ||
                        std::ranges::any_of(select, [&](const std::string& s) { return Names(s, type, name); });
    if (wanted) kept[name] = std::move(member.value());
  }
  return kept;
}

}  // namespace latchkey::simulator::graph
