#include "crypto/strict_json.hpp"

#include "base/json.hpp"

namespace latchkey::crypto {

std::optional<boost::json::object> ParseStrictObject(std::string_view text, std::size_t max_bytes, JsonFault& fault) {
  if (text.size() > max_bytes) {
    fault = JsonFault::kTooLarge;
    return std::nullopt;
  }
  auto value = json::Parse(text);
  if (!value) {
    fault = value.error().detail.contains("duplicate") ? JsonFault::kDuplicateMember : JsonFault::kNotJson;
    return std::nullopt;
  }
  if (!value->is_object()) {
    fault = JsonFault::kNotObject;
    return std::nullopt;
  }
  return std::move(value->get_object());
}

std::optional<std::string_view> StringMember(const boost::json::object& object, std::string_view name) {
  const boost::json::value* member = object.if_contains(boost::json::string_view(name.data(), name.size()));
  if (member == nullptr || !member->is_string()) return std::nullopt;
  const boost::json::string& text = member->get_string();
  return std::string_view(text.data(), text.size());
}

}  // namespace latchkey::crypto
