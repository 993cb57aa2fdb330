#include "simulator/control/counters.hpp"

#include <algorithm>
#include <array>

namespace latchkey::simulator {
namespace {

/// Routes kept apart; a client that invents paths is counted under one name.
constexpr std::size_t kMaxRoutes = 500;

bool IsCollection(std::string_view segment) {
  constexpr std::array kCollections = {"messages", "threads", "drafts", "labels"};
  return std::ranges::find(kCollections, segment) != kCollections.end();
}

bool IsVerb(std::string_view segment) {
  constexpr std::array kVerbs = {"send", "import", "batchModify", "batchDelete"};
  return std::ranges::find(kVerbs, segment) != kVerbs.end();
}

/// What follows a segment of Google Calendar's paths, or "".
std::string_view CalendarParameter(std::string_view previous) {
  if (previous == "calendars" || previous == "calendarList") return "{calendarId}";
  return previous == "events" ? "{eventId}" : "";
}

bool IsCalendarVerb(std::string_view segment) { return segment == "watch" || segment == "import"; }

}  // namespace

std::string RouteTemplate(const Request& request) {
  std::string route;
  route.reserve(64);
  route += request.method;
  route += ' ';
  std::string_view previous;
  bool after_users = false;
  // Under Microsoft's sign-in the first segment is a tenant's name.
  const bool tenant =
      request.segments.size() >= 3 &&
      (request.segments[1] == "oauth2" || request.segments[1] == "discovery" || request.segments[1] == "v2.0");
  const bool calendar = !request.segments.empty() && request.segments[0] == "calendar";
  for (const std::string& segment : request.segments) {
    route += '/';
    if (calendar && !CalendarParameter(previous).empty() && !IsCalendarVerb(segment)) {
      route += CalendarParameter(previous);
      previous = {};
      continue;
    }
    if (tenant && previous.empty()) {
      route += "{tenant}";
      previous = "{tenant}";
      continue;
    }
    if (previous == "users" && !after_users) {
      route += "{userId}";
      after_users = true;
      previous = "{userId}";
      continue;
    }
    if (previous == "attachments" || (after_users && IsCollection(previous) && !IsVerb(segment))) {
      route += "{id}";
      previous = "{id}";
      continue;
    }
    route += segment;
    previous = segment;
  }
  return route;
}

std::shared_ptr<void> RequestCounters::Begin(const Account& account) {
  PerAccount& counts = accounts_[&account];
  ++counts.requests;
  ++counts.in_progress;
  counts.max_in_progress = std::max(counts.max_in_progress, counts.in_progress);
  // References into an unordered_map stay valid while it grows.
  return std::shared_ptr<void>(&counts, [](void* ended) { --static_cast<PerAccount*>(ended)->in_progress; });
}

std::uint64_t RequestCounters::InProgress(const Account& account) const {
  const auto found = accounts_.find(&account);
  return found == accounts_.end() ? 0 : found->second.in_progress;
}

void RequestCounters::Count(const std::string& route, int status) {
  auto found = routes_.find(route);
  if (found == routes_.end()) found = routes_.try_emplace(routes_.size() < kMaxRoutes ? route : "(other)").first;
  ++found->second.count;
  ++found->second.statuses[status];
}

boost::json::object RequestCounters::Requests() const {
  boost::json::object requests;
  const std::map<std::string, const Route*> sorted = [&] {
    std::map<std::string, const Route*> result;
    for (const auto& [name, route] : routes_) result.emplace(name, &route);
    return result;
  }();
  for (const auto& [name, route] : sorted) {
    boost::json::object statuses;
    for (const auto& [status, count] : route->statuses) statuses[std::to_string(status)] = count;
    boost::json::object entry;
    entry["count"] = route->count;
    entry["statuses"] = std::move(statuses);
    requests[name] = std::move(entry);
  }
  return requests;
}

boost::json::object RequestCounters::OfAccount(const Account& account) const {
  const auto found = accounts_.find(&account);
  const PerAccount counts = found == accounts_.end() ? PerAccount() : found->second;
  boost::json::object result;
  result["requests"] = counts.requests;
  result["in_progress"] = counts.in_progress;
  result["max_in_progress"] = counts.max_in_progress;
  return result;
}

void RequestCounters::Reset() {
  routes_.clear();
  for (auto& [account, counts] : accounts_) {
    counts.requests = 0;
    counts.max_in_progress = counts.in_progress;
  }
}

}  // namespace latchkey::simulator
