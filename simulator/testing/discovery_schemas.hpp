#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "base/encoding.hpp"

// Google's discovery documents as a judge of answers. They are not part of the project: LATCHKEY_PROVIDERS or
// ../shared/providers names their folder.
namespace latchkey::simulator::testing_documents {

namespace json = boost::json;

inline std::filesystem::path ProvidersFolder() {
  if (const char* folder = std::getenv("LATCHKEY_PROVIDERS")) return folder;
  return std::filesystem::path(LATCHKEY_SOURCE_DIR) / ".." / "shared" / "providers";
}

inline std::optional<json::value> ReadJson(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return json::parse(std::string{std::istreambuf_iterator<char>(file), {}});
}

/// The part of JSON Schema that discovery documents use.
class DiscoverySchemas {
 public:
  /// `empty_arrays`: whether the API answers them; Gmail leaves them out.
  explicit DiscoverySchemas(const json::value& document, bool empty_arrays = false)
      : schemas_(document.at("schemas").as_object()), empty_arrays_(empty_arrays) {}

  /// What is wrong with `value` as an instance of the named schema, one line each.
  std::vector<std::string> Check(const json::value& value, std::string_view name) {
    problems_.clear();
    CheckObject(value, schemas_.at(name).as_object(), std::string(name));
    return problems_;
  }

 private:
  void Problem(const std::string& where, std::string_view what) {
    problems_.push_back(where + ": " + std::string(what));
  }

  void CheckValue(const json::value& value, const json::object& schema, const std::string& where) {
    if (const json::value* reference = schema.if_contains("$ref")) {
      CheckObject(value, schemas_.at(reference->as_string()).as_object(), where);
      return;
    }
    const std::string_view type = schema.at("type").as_string();
    if (type == "array") {
      if (!value.is_array()) return Problem(where, "is no array");
      if (value.as_array().empty() && !empty_arrays_) Problem(where, "is an empty array, which Google leaves out");
      for (const json::value& item : value.as_array()) CheckValue(item, schema.at("items").as_object(), where + "[]");
    } else if (type == "object") {
      CheckObject(value, schema, where);
    } else if (type == "integer") {
      if (!value.is_int64() && !value.is_uint64()) Problem(where, "is no integer");
    } else if (type == "boolean") {
      if (!value.is_bool()) Problem(where, "is no boolean");
    } else {
      CheckText(value, schema, where);
    }
  }

  void CheckText(const json::value& value, const json::object& schema, const std::string& where) {
    if (!value.is_string()) return Problem(where, "is no string");
    const std::string_view text = value.as_string();
    if (const json::value* allowed = schema.if_contains("enum")) {
      const json::array& names = allowed->as_array();
      if (std::ranges::find(names, value) == names.end()) Problem(where, "has an unknown value");
    }
    const json::value* format = schema.if_contains("format");
    if (format == nullptr) return;
    const std::string_view name = format->as_string();
    const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
    if ((name == "uint64" || name == "int64") && !digits) Problem(where, "is no decimal number");
    if (name == "byte" && !Base64UrlDecode(text)) Problem(where, "is no base64url");
  }

  void CheckObject(const json::value& value, const json::object& schema, const std::string& where) {
    if (!value.is_object()) return Problem(where, "is no object");
    static const json::object kNone;
    const json::object& properties = schema.contains("properties") ? schema.at("properties").as_object() : kNone;
    const json::value* others = schema.if_contains("additionalProperties");
    for (const auto& [key, member] : value.as_object()) {
      const json::value* property = properties.if_contains(key);
      const std::string path = where + "." + std::string(key);
      if (property == nullptr && others != nullptr) {
        CheckValue(member, others->as_object(), path);
      } else if (property == nullptr) {
        Problem(path, "is not in the schema");
      } else {
        CheckValue(member, property->as_object(), path);
      }
    }
  }

  const json::object& schemas_;
  bool empty_arrays_;
  std::vector<std::string> problems_;
};

}  // namespace latchkey::simulator::testing_documents
