// POST /$batch: up to 20 requests in one, four at a time, each throttled on its own.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"
#include "simulator/graph/graph_service.hpp"

namespace latchkey::simulator::graph {
namespace {

constexpr std::size_t kMaxParts = 20;
/// Parts to Outlook run so many at a time.
constexpr std::size_t kAtATime = 4;

std::string TextOf(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

boost::json::object DependencyFailed(const std::string& id) {
  boost::json::object error{{"code", "BadRequest"}, {"message", "Request dependency failed"}};
  boost::json::object part;
  part["id"] = id;
  part["status"] = 424;
  part["headers"] = boost::json::object{{"Content-Type", "application/json"}};
  part["body"] = boost::json::object{{"error", std::move(error)}};
  return part;
}

}  // namespace

std::expected<std::vector<BatchPart>, std::string> ParseBatch(const boost::json::object& body) {
  const auto* requests = body.if_contains("requests");
  if (!requests || !requests->is_array()) {
    return std::unexpected("Invalid batch payload format.");
  }
  if (requests->as_array().size() > kMaxParts) {
    return std::unexpected(fmt::format("Number of batch request steps exceeds the maximum value of {}.", kMaxParts));
  }
  std::vector<BatchPart> parts;
  std::set<std::string> seen;
  for (const boost::json::value& value : requests->as_array()) {
    if (!value.is_object()) return std::unexpected("Invalid batch payload format.");
    BatchPart part;
    part.source = &value.as_object();
    part.id = TextOf(*part.source, "id");
    part.method = TextOf(*part.source, "method");
    part.url = TextOf(*part.source, "url");
    if (part.id.empty() || part.method.empty() || part.url.empty()) {
      return std::unexpected("Each batch request needs the properties id, method and url.");
    }
    std::ranges::transform(part.method, part.method.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (part.url.contains("://")) return std::unexpected("The url of a batch request must be relative.");
    if (!part.url.starts_with('/')) part.url.insert(0, 1, '/');
    if (const auto* depends = part.source->if_contains("dependsOn"); depends && depends->is_array()) {
      for (const boost::json::value& id : depends->as_array()) {
        if (!id.is_string() || !seen.contains(std::string(id.as_string()))) {
          return std::unexpected("dependsOn must name requests that stand before it in the batch.");
        }
        part.depends_on.emplace_back(id.as_string());
      }
    }
    if (!seen.insert(part.id).second) {
      return std::unexpected(fmt::format("Duplicate request id '{}' in the batch.", part.id));
    }
    parts.push_back(std::move(part));
  }
  if (parts.empty()) return std::unexpected("Invalid batch payload format.");
  return parts;
}

Response GraphService::HandleBatch(Request& request, const Grant& grant) {
  const Instant now = clock_.Now();
  boost::system::error_code error;
  const boost::json::value body = boost::json::parse(request.body, error);
  if (error || !body.is_object()) return BadRequest("Invalid batch payload format.", now);
  const auto parts = ParseBatch(body.as_object());
  if (!parts) return BadRequest(parts.error(), now);

  // The batch itself goes to no mailbox: what counts against the limit are its parts and what else is in progress.
  const std::uint64_t others = in_progress_(*grant.account) - 1;
  const bool in_order = std::ranges::any_of(*parts, [](const BatchPart& part) { return !part.depends_on.empty(); });
  std::map<std::string, int> statuses;
  boost::json::array answers;
  for (std::size_t i = 0; i < parts->size(); ++i) {
    const BatchPart& part = (*parts)[i];
    const bool failed =
        std::ranges::any_of(part.depends_on, [&](const std::string& id) { return statuses[id] >= 400; });
    // Four run beside each other; the one that starts as the n-th of its four has n - 1 at its side.
    const std::uint64_t beside = in_order ? 1 : i % kAtATime + 1;
    boost::json::object answer =
        failed ? DependencyFailed(part.id) : RunPart(request, *part.source, grant, others + beside);
    statuses[part.id] = static_cast<int>(answer["status"].as_int64());
    answers.push_back(std::move(answer));
  }
  // Graph gives the answers in no particular order; here the last comes first.
  std::ranges::reverse(answers);
  return Json(200, {{"responses", std::move(answers)}});
}

boost::json::object GraphService::RunPart(const Request& outer, const boost::json::object& source, const Grant& grant,
                                          std::uint64_t in_progress) {
  Request part;
  part.method = TextOf(source, "method");
  std::ranges::transform(part.method, part.method.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const std::string url = TextOf(source, "url");
  part.scheme = outer.scheme;
  part.host = outer.host;
  part.from_loopback = outer.from_loopback;
  part.SetTarget("/v1.0" + std::string(url.starts_with('/') ? "" : "/") + url);
  bool json_body = true;
  if (const auto* headers = source.if_contains("headers"); headers && headers->is_object()) {
    for (const auto& field : headers->as_object()) {
      if (!field.value().is_string()) continue;
      const std::string value(field.value().as_string());
      if (EqualsIgnoreCase(std::string_view(field.key()), "Content-Type"))
        json_body = value.starts_with("application/json");
      part.headers.Add(std::string(field.key()), value);
    }
  }
  if (const auto* body = source.if_contains("body"); body && !body->is_null()) {
    // Bodies that are not JSON come as base64.
    part.body = json_body || !body->is_string()
                    ? boost::json::serialize(*body)
                    : Base64Decode(std::string_view(body->as_string())).value_or(std::string(body->as_string()));
  }
  Response response;
  if (!Prepare(part, grant.account)) {
    response = AccessDenied(clock_.Now());
  } else {
    std::optional<Response> replaced = gate_ ? gate_(part, *grant.account) : std::nullopt;
    response = replaced ? std::move(*replaced) : HandleOne(part, grant, in_progress);
  }
  if (response.deferred) {
    response = Error(501, "NotSupported", "This request cannot be part of a batch here.", clock_.Now());
  }
  const std::string id = NewGuid();
  Finish(response, id, id);
  count_part_("$batch " + router_.Name(part), response.status);

  boost::json::object answer;
  answer["id"] = TextOf(source, "id");
  answer["status"] = response.status;
  boost::json::object fields;
  for (const auto& field : response.headers) {
    if (!EqualsIgnoreCase(field.name, "request-id") && !EqualsIgnoreCase(field.name, "client-request-id")) {
      fields[field.name] = field.value;
    }
  }
  answer["headers"] = std::move(fields);
  if (!response.body.empty()) {
    boost::system::error_code error;
    boost::json::value body = boost::json::parse(response.body, error);
    answer["body"] = error ? boost::json::value(Base64Encode(response.body)) : std::move(body);
  }
  return answer;
}

}  // namespace latchkey::simulator::graph
