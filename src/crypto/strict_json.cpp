#include "crypto/strict_json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <set>
#include <string>
#include <vector>

namespace latchkey::crypto {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 32;

/// Looks for a member that occurs twice in its object; the parser itself keeps the last one silently.
struct DuplicateFinder {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  using error_code = json::error_code;
  using string_view = json::string_view;

  bool duplicate = false;
  std::string key;
  std::vector<std::set<std::string>> objects;

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t, error_code&) { return true; }
  bool on_object_begin(error_code&) {
    objects.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, error_code&) {
    objects.pop_back();
    return true;
  }
  bool on_key_part(string_view part, std::size_t, error_code&) {
    key.append(part.data(), part.size());
    return true;
  }
  bool on_key(string_view part, std::size_t, error_code&) {
    key.append(part.data(), part.size());
    duplicate = duplicate || !objects.back().insert(std::move(key)).second;
    key.clear();
    return true;
  }
  bool on_string_part(string_view, std::size_t, error_code&) { return true; }
  bool on_string(string_view, std::size_t, error_code&) { return true; }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t, string_view, error_code&) { return true; }
  bool on_uint64(std::uint64_t, string_view, error_code&) { return true; }
  bool on_double(double, string_view, error_code&) { return true; }
  bool on_bool(bool, error_code&) { return true; }
  bool on_null(error_code&) { return true; }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }
};

}  // namespace

std::optional<json::object> ParseStrictObject(std::string_view text, std::size_t max_bytes, JsonFault& fault) {
  if (text.size() > max_bytes) {
    fault = JsonFault::kTooLarge;
    return std::nullopt;
  }
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::error_code error;
  json::basic_parser<DuplicateFinder> finder(options);
  const std::size_t read = finder.write_some(false, text.data(), text.size(), error);
  if (error || read != text.size() || !finder.done()) {
    fault = JsonFault::kNotJson;
    return std::nullopt;
  }
  if (finder.handler().duplicate) {
    fault = JsonFault::kDuplicateMember;
    return std::nullopt;
  }
  json::value value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) {
    fault = JsonFault::kNotJson;
    return std::nullopt;
  }
  if (!value.is_object()) {
    fault = JsonFault::kNotObject;
    return std::nullopt;
  }
  return std::move(value.get_object());
}

std::optional<std::string_view> StringMember(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(json::string_view(name.data(), name.size()));
  if (member == nullptr || !member->is_string()) return std::nullopt;
  const json::string& text = member->get_string();
  return std::string_view(text.data(), text.size());
}

}  // namespace latchkey::crypto
