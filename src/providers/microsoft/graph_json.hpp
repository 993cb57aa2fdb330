#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mail/charset.hpp"
#include "mail/json_strings.hpp"

namespace latchkey::microsoft {

namespace ondemand = simdjson::ondemand;

/// One answer of Graph, read member by member. Uses the caller's bytes as working space. Compile its users with the
/// instruction set that CMakeLists.txt names.
class GraphJson {
 public:
  explicit GraphJson(std::string& json) : json_(json) {}

  /// Calls `visit(key, value)` for each member of the document, which must be an object; false when it is broken or
  /// `visit` says so.
  template <class Visit>
  bool Read(const Visit& visit) {
    ondemand::object object;
    if (mail::ThreadParser().iterate(mail::Padded(json_)).get(document_) != simdjson::SUCCESS) return false;
    if (document_.get_object().get(object) != simdjson::SUCCESS) return false;
    return Members(object, visit);
  }

  template <class Visit>
  static bool Members(ondemand::object object, const Visit& visit) {
    for (auto entry : object) {
      ondemand::field field;
      std::string_view key;
      if (std::move(entry).get(field) != simdjson::SUCCESS || field.unescaped_key().get(key) != simdjson::SUCCESS) {
        return false;
      }
      if (!visit(key, field.value())) return false;
    }
    return true;
  }
  /// The members of a value; one that is no object (null, mostly) has none.
  template <class Visit>
  static bool MembersOf(ondemand::value value, const Visit& visit) {
    ondemand::object object;
    if (!Is(value, ondemand::json_type::object)) return true;
    return value.get_object().get(object) == simdjson::SUCCESS && Members(object, visit);
  }
  /// Calls `visit(value)` for each element; a value that is no array has none.
  template <class Visit>
  static bool Elements(ondemand::value value, const Visit& visit) {
    ondemand::array array;
    if (!Is(value, ondemand::json_type::array)) return true;
    if (value.get_array().get(array) != simdjson::SUCCESS) return false;
    for (auto entry : array) {
      ondemand::value item;
      if (entry.get(item) != simdjson::SUCCESS || !visit(item)) return false;
    }
    return true;
  }
  static bool Is(ondemand::value value, ondemand::json_type wanted) {
    ondemand::json_type type{};
    return value.type().get(type) == simdjson::SUCCESS && type == wanted;
  }

  /// Empty for what is no string.
  std::string Text(ondemand::value value) { return mail::CleanUtf8(std::string(strings_.Read(value).value_or(""))); }
  std::string_view Raw(ondemand::value value) { return strings_.Read(value).value_or(""); }
  static bool True(ondemand::value value) {
    bool flag = false;
    return Is(value, ondemand::json_type::boolean) && value.get_bool().get(flag) == simdjson::SUCCESS && flag;
  }
  std::int64_t Number(ondemand::value value) {
    return static_cast<std::int64_t>(strings_.ReadUnsigned(value).value_or(0) & INT64_MAX);
  }

 private:
  std::string& json_;
  ondemand::document document_;
  mail::JsonStrings strings_;
};

}  // namespace latchkey::microsoft
