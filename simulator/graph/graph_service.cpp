#include "simulator/graph/graph_service.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include "simulator/oauth_client.hpp"

namespace latchkey::simulator::graph {
namespace {

constexpr std::chrono::minutes kWindow{10};

}  // namespace

GraphService::GraphService(const Clock& clock, const Settings& settings) : clock_(clock), settings_(settings) {
  router_.Add({"GET", "/me", {"User.Read"}, [this](Call& call) { return Me(call); }, false});
}

Response GraphService::Handle(Request& request, const Grant& grant) {
  const std::string request_id = NewGuid();
  const std::string* given = request.headers.Find("client-request-id");
  const std::string client_id = given ? *given : request_id;
  const bool batch = request.method == "POST" && request.segments.size() == 2 && request.segments[1] == "$batch";
  Response response = batch ? HandleBatch(request, grant) : HandleOne(request, grant, in_progress_(*grant.account));
  return Transform(std::move(response), [request_id, client_id](Response answer) {
    Finish(answer, request_id, client_id);
    return answer;
  });
}

Response GraphService::HandleOne(Request& request, const Grant& grant, std::uint64_t in_progress) {
  const Instant now = clock_.Now();
  if (auto refused = Throttle(*grant.account, in_progress)) return std::move(*refused);
  Router::Match match = router_.Find(request);
  if (!match.route) {
    if (match.other_method) {
      return Error(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.", now);
    }
    const std::string last = request.segments.empty() ? "" : request.segments.back();
    return BadRequest(fmt::format("Resource not found for the segment '{}'.", last), now);
  }
  const Route& route = *match.route;
  if (!route.scopes.empty() &&
      std::ranges::none_of(route.scopes, [&](const std::string& scope) { return grant.Has(scope); })) {
    return AccessDenied(now);
  }
  if (route.needs_mailbox && !grant.account->has_mailbox)
    return *MakePayload("graph.error.MailboxNotEnabledForRESTAPI.404", now);
  Call call{request, grant, *grant.account, now, std::move(match.parameters)};
  return route.handler(call);
}

Response GraphService::RefuseToken(const Request& request, bool expired, bool wrong_audience) const {
  const std::string_view kind = BearerToken(request).empty() ? "empty"
                                : wrong_audience             ? "audience"
                                : expired                    ? "expired"
                                                             : "malformed";
  Response response = *MakePayload(fmt::format("graph.error.InvalidAuthenticationToken.{}.401", kind), clock_.Now());
  const std::string id = NewGuid();
  const std::string* given = request.headers.Find("client-request-id");
  Finish(response, id, given ? *given : id);
  return response;
}

std::optional<Response> GraphService::Throttle(const Account& account, std::uint64_t in_progress) {
  const Instant now = clock_.Now();
  Window& window = windows_[&account];
  while (!window.seconds.empty() && window.seconds.front().first + kWindow <= now) {
    window.count -= window.seconds.front().second;
    window.seconds.pop_front();
  }
  // Requests made while one should wait count too.
  const Instant second = std::chrono::floor<std::chrono::seconds>(now);
  if (window.seconds.empty() || window.seconds.back().first != second) window.seconds.emplace_back(second, 0);
  ++window.seconds.back().second;
  ++window.count;
  if (!settings_.quota) return std::nullopt;
  if (settings_.graph_concurrency > 0 && in_progress > settings_.graph_concurrency) {
    Response response = *MakePayload("graph.error.ApplicationThrottled.429", now);
    SetRetryAfter(response, settings_.graph_retry_after_seconds);
    return response;
  }
  if (settings_.graph_window_requests > 0 && window.count > settings_.graph_window_requests) {
    Response response = *MakePayload("graph.error.throttled-documented.429", now);
    const auto wait = window.seconds.front().first + kWindow - now;
    SetRetryAfter(response, std::max(1.0, static_cast<double>(wait.count()) / 1e6));
    return response;
  }
  return std::nullopt;
}

void GraphService::SetRetryAfter(Response& response, double seconds) const {
  const std::string& style = settings_.graph_retry_after;
  std::string text = fmt::format("{}", static_cast<std::int64_t>(std::ceil(seconds)));
  if (style == "decimal") text = fmt::format("{:.3f}", seconds);
  if (style == "date") {
    // A client reads it against its own clock, so the machine's counts.
    const std::time_t at = std::time(nullptr) + static_cast<std::time_t>(std::ceil(seconds));
    text = fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", fmt::gmtime(at));
  }
  response.headers.Set("Retry-After", text);
  if (style == "missing") {
    Headers kept;
    for (const auto& field : response.headers) {
      if (!EqualsIgnoreCase(field.name, "Retry-After")) kept.Add(field.name, field.value);
    }
    response.headers = std::move(kept);
  }
}

Response GraphService::Me(Call& call) const {
  const Account& account = call.account;
  boost::json::object body;
  body["@odata.context"] = call.base() + "/$metadata#users/$entity";
  body["businessPhones"] = boost::json::array();
  body["displayName"] = account.name;
  body["givenName"] = account.given_name;
  body["jobTitle"] = nullptr;
  body["mail"] = account.has_mailbox ? boost::json::value(account.email) : boost::json::value(nullptr);
  body["mobilePhone"] = nullptr;
  body["officeLocation"] = nullptr;
  body["preferredLanguage"] = account.IsPersonal() ? boost::json::value(nullptr) : boost::json::value("en-US");
  body["surname"] = account.family_name;
  body["userPrincipalName"] = account.email;
  // Personal accounts show the 16 digits behind the zeros of their object id.
  std::string id = account.microsoft.oid;
  if (account.IsPersonal()) {
    std::erase(id, '-');
    id = id.substr(16);
  }
  body["id"] = id;
  // Told on $select alone, to the directory's accounts.
  if (call.request.query.Get("$select").contains("proxyAddresses")) {
    boost::json::array addresses;
    if (!account.IsPersonal()) {
      addresses.emplace_back("SMTP:" + account.email);
      for (const std::string& alias : account.aliases) addresses.emplace_back("smtp:" + alias);
    }
    body["proxyAddresses"] = std::move(addresses);
  }
  return Json(200, body);
}

}  // namespace latchkey::simulator::graph
