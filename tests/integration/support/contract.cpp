#include "tests/integration/support/contract.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <map>
#include <optional>
#include <stdexcept>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "tests/integration/support/temp_directory.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;

// The seeds' names of some operations: same handlers, so the same contract.
const std::map<std::string, std::string> kAliases = {
    {"/api/connected-accounts", "/api/v1/connected-accounts"},
    {"/api/sync-status", "/api/v1/sync-status"},
    {"/api/v1/email-connections", "/api/v1/connected-accounts"},
};

std::vector<std::string> Segments(std::string_view path) {
  std::vector<std::string> out;
  std::string current;
  for (const char c : path.substr(path.starts_with('/') ? 1 : 0)) {
    if (c == '/') {
      out.push_back(std::move(current));
      current.clear();
    } else {
      current += c;
    }
  }
  out.push_back(std::move(current));
  return out;
}

// How many segments match literally; nullopt when the template does not fit.
std::optional<int> Fit(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  int literal = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i].starts_with('{')) continue;
    if (pattern[i] != path[i]) return std::nullopt;
    ++literal;
  }
  return literal;
}

bool HasType(const bj::value& value, std::string_view type) {
  if (type == "null") return value.is_null();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_bool();
  if (type == "integer") return value.is_int64() || value.is_uint64();
  if (type == "number") return value.is_number();
  if (type == "array") return value.is_array();
  return type == "object" && value.is_object();
}

const bj::value* Member(const bj::value& value, std::string_view name) {
  const auto* object = value.if_object();
  return object ? object->if_contains(name) : nullptr;
}

// Described, and not served yet.
bool IsPlanned(const bj::value& operation) {
  const auto* mark = Member(operation, "x-planned");
  return mark != nullptr && mark->is_bool() && mark->as_bool();
}

std::string TypeOf(std::string content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (!content_type.empty() && content_type.back() == ' ') content_type.pop_back();
  return content_type;
}

}  // namespace

struct Contract::Match {
  const bj::value* operation = nullptr;
  bool path_known = false;
};

Contract& Contract::Shared() {
  static Contract contract;
  return contract;
}

Contract::Contract() {
  bj::parse_options options;
  options.max_depth = 128;
  document_ = bj::parse(ReadFile(LATCHKEY_OPENAPI_JSON), {}, options);
}

Contract::Match Contract::FindOperation(const std::string& method, const std::string& path) const {
  const auto segments = Segments(path);
  int best = -1;
  Match match;
  for (const auto& [pattern, item] : document_.at("paths").as_object()) {
    const auto fit = Fit(Segments(std::string_view(pattern)), segments);
    if (!fit || *fit <= best) continue;
    best = *fit;
    match = {Member(item, method), true};
  }
  return match;
}

const bj::value& Contract::Resolve(const bj::value& node) const {
  const auto* reference = Member(node, "$ref");
  if (reference == nullptr) return node;
  const bj::value* at = &document_;
  for (const auto& segment : Segments(std::string_view(reference->as_string()).substr(1))) {
    at = Member(*at, segment);
    if (at == nullptr) throw std::runtime_error("the contract has a broken $ref: " + bj::serialize(*reference));
  }
  return Resolve(*at);
}

std::vector<std::string> Contract::Check(const HttpCall& call, const HttpReply& reply) {
  if (reply.status == 0) return {};  // No answer: nothing to hold against the contract.
  auto path = PathOf(call.url);
  for (const auto& [seed, ours] : kAliases) {
    if (path == seed || path.starts_with(seed + "/")) path.replace(0, seed.size(), ours);
  }
  std::string method = call.method;
  std::ranges::transform(method, method.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto what = call.method + " " + path + " -> " + std::to_string(reply.status);
  const auto type = TypeOf(reply.Header("Content-Type"));
  const auto match = FindOperation(method == "head" ? "get" : method, path);
  if (match.operation == nullptr) {
    // The web app's pages and files, and refusals of what does not exist.
    if (type == "text/html" || reply.status == 304 || path.starts_with("/assets/")) return {};
    if (reply.status == 400 || reply.status == 404 || reply.status == 405) return {};
    return {what + ": no such operation in the contract"};
  }
  if (IsPlanned(*match.operation)) {
    if (reply.status == 404 || reply.status == 405) return {};
    return {what + ": is served, but the contract still marks it as planned (x-planned)"};
  }
  exercised_.insert(std::string(match.operation->at("operationId").as_string()));
  const auto* response = Member(match.operation->at("responses"), std::to_string(reply.status));
  if (response == nullptr) return {what + ": the contract does not know this status; " + reply.body.substr(0, 300)};
  const auto& described = Resolve(*response);
  std::vector<std::string> problems;
  if (const auto* headers = Member(described, "headers")) {
    for (const auto& [name, header] : headers->as_object()) {
      const auto* required = Member(Resolve(header), "required");
      if (required && required->as_bool() && reply.Header(std::string_view(name)).empty())
        problems.push_back(what + ": header " + std::string(name) + " is missing");
    }
  }
  const auto* content = Member(described, "content");
  if (content == nullptr) {
    if (!reply.body.empty()) problems.push_back(what + ": a body that the contract does not know");
    return problems;
  }
  const bj::value* media = Member(*content, type);
  if (media == nullptr && method == "get" && Member(*content, "application/octet-stream")) return problems;
  // The isolated view shows its errors to a person.
  if (media == nullptr && path.ends_with("/view") && type == "text/html") return problems;
  if (media == nullptr) {
    problems.push_back(what + ": content type " + type + " is not in the contract");
    return problems;
  }
  if (method == "head" || !type.ends_with("json")) return problems;
  bj::error_code error;
  const auto body = bj::parse(reply.body, error);
  if (error) {
    problems.push_back(what + ": the body is no JSON");
    return problems;
  }
  for (const auto& problem : Validate(body, media->at("schema"))) problems.push_back(what + ": " + problem);
  return problems;
}

std::vector<std::string> Contract::CheckEvent(const bj::value& event) {
  exercised_.insert("streamEvents");
  return Validate(event, document_.at("components").at("schemas").at("StreamEvent"));
}

std::vector<std::string> Contract::NeverExercised() const {
  std::vector<std::string> out;
  for (const auto& [path, item] : document_.at("paths").as_object()) {
    for (const auto& [method, operation] : item.as_object()) {
      if (method == "parameters" || IsPlanned(operation)) continue;
      std::string id(operation.at("operationId").as_string());
      if (!exercised_.contains(id)) out.push_back(std::move(id));
    }
  }
  return out;
}

std::vector<std::string> Contract::Validate(const bj::value& value, const bj::value& schema) const {
  std::vector<std::string> problems;
  ValidateInto(value, schema, "$", problems, nullptr);
  return problems;
}

bool Contract::IsValid(const bj::value& value, const bj::value& schema) const {
  return Validate(value, schema).empty();
}

void Contract::CollectProperties(const bj::value& schema, std::set<std::string>& names) const {
  const auto& resolved = Resolve(schema);
  if (const auto* properties = Member(resolved, "properties")) {
    for (const auto& [name, property] : properties->as_object()) names.insert(std::string(name));
  }
  if (const auto* all = Member(resolved, "allOf")) {
    for (const auto& part : all->as_array()) CollectProperties(part, names);
  }
}

// `also_known`: members that the other parts of an allOf describe.
void Contract::ValidateInto(const bj::value& value, const bj::value& schema_or_reference, const std::string& at,
                            std::vector<std::string>& problems, const std::set<std::string>* also_known) const {
  const auto& schema = Resolve(schema_or_reference);
  const auto complain = [&](const std::string& text) { problems.push_back(at + " " + text); };

  if (const auto* all = Member(schema, "allOf")) {
    std::set<std::string> names;
    CollectProperties(schema, names);
    for (const auto& part : all->as_array()) ValidateInto(value, part, at, problems, &names);
  }
  if (const auto* one = Member(schema, "oneOf")) {
    const auto fitting = std::ranges::count_if(one->as_array(), [&](const auto& part) { return IsValid(value, part); });
    if (fitting != 1) {
      complain("fits " + std::to_string(fitting) + " of oneOf: " + bj::serialize(value).substr(0, 200));
      // The likeliest reading tells most.
      if (fitting == 0 && !value.is_null()) ValidateInto(value, one->as_array().front(), at, problems, nullptr);
    }
  }
  if (const auto* type = Member(schema, "type")) {
    const bool fits =
        type->is_array()
            ? std::ranges::any_of(type->as_array(),
                                  [&](const auto& name) { return HasType(value, std::string_view(name.as_string())); })
            : HasType(value, std::string_view(type->as_string()));
    if (!fits) {
      complain("is not of type " + bj::serialize(*type) + ": " + bj::serialize(value).substr(0, 100));
      return;
    }
  }
  if (const auto* words = Member(schema, "enum")) {
    if (std::ranges::find(words->as_array(), value) == words->as_array().end())
      complain("is none of the enum: " + bj::serialize(value));
  }
  if (value.is_number()) {
    const double number = value.to_number<double>();
    if (const auto* least = Member(schema, "minimum"); least && number < least->to_number<double>())
      complain("is below the minimum");
    if (const auto* most = Member(schema, "maximum"); most && number > most->to_number<double>())
      complain("is above the maximum");
  }
  if (const auto* text = value.if_string()) {
    if (const auto* most = Member(schema, "maxLength"); most && text->size() > 4 * most->to_number<std::size_t>())
      complain("is too long");
    if (const auto* format = Member(schema, "format")) {
      if (format->as_string() == "uuid" && !IsUuid(std::string_view(*text)))
        complain("is no id: " + std::string(*text));
      if (format->as_string() == "date-time" && !ParseInstant(std::string_view(*text)))
        complain("is no instant: " + std::string(*text));
    }
  }
  if (const auto* items = value.if_array()) {
    if (const auto* least = Member(schema, "minItems"); least && items->size() < least->to_number<std::size_t>())
      complain("has too few items");
    if (const auto* of = Member(schema, "items")) {
      for (std::size_t i = 0; i < items->size(); ++i)
        ValidateInto((*items)[i], *of, at + "[" + std::to_string(i) + "]", problems, nullptr);
    }
  }
  const auto* object = value.if_object();
  const auto* properties = Member(schema, "properties");
  const auto* additional = Member(schema, "additionalProperties");
  if (object == nullptr) return;
  if (const auto* required = Member(schema, "required")) {
    for (const auto& name : required->as_array()) {
      if (!object->contains(std::string_view(name.as_string()))) complain("lacks " + std::string(name.as_string()));
    }
  }
  for (const auto& [name, member] : *object) {
    const auto* property = properties ? Member(*properties, std::string_view(name)) : nullptr;
    if (property != nullptr) {
      ValidateInto(member, *property, at + "." + std::string(name), problems, nullptr);
    } else if (additional != nullptr && additional->is_object()) {
      ValidateInto(member, *additional, at + "." + std::string(name), problems, nullptr);
    } else if (properties != nullptr && !(also_known && also_known->contains(std::string(name))) &&
               !(additional && additional->is_bool() && additional->as_bool())) {
      complain("has a member that the contract does not know: " + std::string(name));
    }
  }
}

}  // namespace latchkey::integration
