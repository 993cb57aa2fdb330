#include "simulator/json_fields.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>

namespace latchkey::simulator {

const boost::json::value* JsonFields::Find(std::string_view name) {
  known_.emplace(name);
  const boost::json::value* value = object_.if_contains(name);
  return value && !value->is_null() ? value : nullptr;
}

void JsonFields::Complain(std::string complaint) {
  if (!complaint_) complaint_ = std::move(complaint);
}

std::optional<std::string> JsonFields::Text(std::string_view name) {
  const boost::json::value* value = Find(name);
  if (!value) return std::nullopt;
  if (const auto* text = value->if_string()) return std::string(*text);
  Complain(fmt::format("\"{}\" must be a string", name));
  return std::nullopt;
}

std::optional<bool> JsonFields::Flag(std::string_view name) {
  const boost::json::value* value = Find(name);
  if (!value) return std::nullopt;
  if (const bool* flag = value->if_bool()) return *flag;
  Complain(fmt::format("\"{}\" must be true or false", name));
  return std::nullopt;
}

std::optional<double> JsonFields::Number(std::string_view name) {
  const boost::json::value* value = Find(name);
  if (!value) return std::nullopt;
  boost::system::error_code error;
  const double number = value->is_number() ? value->to_number<double>(error) : -1;
  if (!error && number >= 0) return number;
  Complain(fmt::format("\"{}\" must be a number, 0 or more", name));
  return std::nullopt;
}

std::optional<std::uint64_t> JsonFields::Count(std::string_view name) {
  const boost::json::value* value = Find(name);
  if (!value) return std::nullopt;
  boost::system::error_code error;
  const std::uint64_t number = value->is_number() ? value->to_number<std::uint64_t>(error) : 0;
  if (!error && value->is_number()) return number;
  Complain(fmt::format("\"{}\" must be a whole number, 0 or more", name));
  return std::nullopt;
}

std::optional<std::vector<std::string>> JsonFields::Texts(std::string_view name) {
  const boost::json::array* array = Array(name);
  if (!array) return std::nullopt;
  std::vector<std::string> texts;
  for (const boost::json::value& value : *array) {
    if (const auto* text = value.if_string()) {
      texts.emplace_back(*text);
    } else {
      Complain(fmt::format("\"{}\" must be a list of strings", name));
    }
  }
  return texts;
}

const boost::json::object* JsonFields::Object(std::string_view name) {
  const boost::json::value* value = Find(name);
  if (!value) return nullptr;
  if (!value->is_object()) Complain(fmt::format("\"{}\" must be an object", name));
  return value->if_object();
}

const boost::json::array* JsonFields::Array(std::string_view name) {
  const boost::json::value* value = Find(name);
  if (!value) return nullptr;
  if (!value->is_array()) Complain(fmt::format("\"{}\" must be a list", name));
  return value->if_array();
}

std::optional<std::string> JsonFields::Finish() {
  for (const auto& member : object_) {
    if (!known_.contains(std::string_view(member.key()))) {
      Complain(fmt::format("unknown field \"{}\"", std::string_view(member.key())));
    }
  }
  return complaint_;
}

}  // namespace latchkey::simulator
