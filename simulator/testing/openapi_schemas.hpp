#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/json.hpp>

// Graph's OpenAPI document as a judge of answers; ReadJson and ProvidersFolder (discovery_schemas.hpp) find it.
namespace latchkey::simulator::testing_documents {

/// Checks values against the schemas of an OpenAPI document, as far as Graph's uses them: allOf, anyOf, enums, types.
class OpenApiSchemas {
 public:
  /// `known` are members that the live service sends although the document lacks them.
  OpenApiSchemas(const boost::json::value& document, std::set<std::string> known)
      : schemas_(document.at("components").at("schemas").as_object()), known_(std::move(known)) {}

  /// What is wrong with `value` as an instance of the named schema, one line each.
  std::vector<std::string> Check(const boost::json::value& value, const std::string& name) {
    problems_.clear();
    CheckValue(value, schemas_.at(name).as_object(), name);
    return problems_;
  }

 private:
  const boost::json::object& Resolve(const boost::json::object& schema) const {
    const auto* reference = schema.if_contains("$ref");
    if (!reference) return schema;
    const std::string_view text = reference->as_string();
    return schemas_.at(text.substr(text.rfind('/') + 1)).as_object();
  }

  /// Every property of a schema with what it inherits.
  void Collect(const boost::json::object& given, std::vector<const boost::json::object*>& properties) const {
    const boost::json::object& schema = Resolve(given);
    if (const auto* all = schema.if_contains("allOf")) {
      for (const auto& part : all->as_array()) Collect(part.as_object(), properties);
    }
    if (const auto* own = schema.if_contains("properties")) properties.push_back(&own->as_object());
  }

  void CheckValue(const boost::json::value& value, const boost::json::object& given, const std::string& where) {
    const boost::json::object& schema = Resolve(given);
    if (value.is_null()) {
      const auto* nullable = given.if_contains("nullable");
      if (!nullable || !nullable->as_bool()) problems_.push_back(where + " is null");
      return;
    }
    if (const auto* any = schema.if_contains("anyOf")) return CheckValue(value, any->at(0).as_object(), where);
    if (const auto* names = schema.if_contains("enum")) {
      const auto& list = names->as_array();
      if (std::find(list.begin(), list.end(), value) == list.end())
        problems_.push_back(where + " has an unknown value");
      return;
    }
    if (schema.contains("allOf") || schema.contains("properties")) return CheckObject(value, schema, where);
    const auto* type_value = schema.if_contains("type");
    const std::string_view type = type_value ? std::string_view(type_value->as_string()) : "";
    if (type == "array") {
      if (!value.is_array()) return problems_.push_back(where + " is no array");
      for (const auto& item : value.as_array()) CheckValue(item, schema.at("items").as_object(), where + "[]");
    } else if (type == "boolean" && !value.is_bool()) {
      problems_.push_back(where + " is no boolean");
    } else if (type == "string" && !value.is_string()) {
      problems_.push_back(where + " is no string");
    } else if ((type == "number" || type == "integer") && !value.is_number()) {
      problems_.push_back(where + " is no number");
    }
  }

  void CheckObject(const boost::json::value& value, const boost::json::object& schema, const std::string& where) {
    if (!value.is_object()) return problems_.push_back(where + " is no object");
    std::vector<const boost::json::object*> properties;
    Collect(schema, properties);
    for (const auto& member : value.as_object()) {
      const std::string name(member.key());
      if (name.starts_with('@') || known_.contains(name)) continue;
      const auto found =
          std::ranges::find_if(properties, [&](const auto* object) { return object->contains(member.key()); });
      if (found == properties.end()) {
        problems_.push_back(where + "." + name + " is not in the schema");
      } else {
        CheckValue(member.value(), (*found)->at(member.key()).as_object(), where + "." + name);
      }
    }
  }

  const boost::json::object& schemas_;
  std::set<std::string> known_;
  std::vector<std::string> problems_;
};

}  // namespace latchkey::simulator::testing_documents
