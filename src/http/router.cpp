#include "http/router.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <map>
#include <stdexcept>
#include <utility>

#include "http/problem.hpp"
#include "telemetry/log.hpp"

namespace latchkey::http {

namespace {

constexpr std::array<std::pair<Method, std::string_view>, 7> kMethods = {{{Method::kGet, "GET"},
                                                                          {Method::kHead, "HEAD"},
                                                                          {Method::kPost, "POST"},
                                                                          {Method::kPut, "PUT"},
                                                                          {Method::kPatch, "PATCH"},
                                                                          {Method::kDelete, "DELETE"},
                                                                          {Method::kOptions, "OPTIONS"}}};
constexpr std::size_t kMethodCount = static_cast<std::size_t>(Method::kOther) + 1;

/// Takes the first segment off "/a/b/c".
std::string_view TakeSegment(std::string_view& path) {
  path.remove_prefix(1);
  const std::size_t end = path.find('/');
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(end == std::string_view::npos ? path.size() : end);
  return segment;
}

}  // namespace

/// One segment of the patterns' tree.
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::array<const Route*, kMethodCount> routes{};
  /// Of each method's pattern, the names of its parameters in order.
  std::array<std::vector<std::string>, kMethodCount> names;

  bool has_routes() const {
    return std::ranges::any_of(routes, [](const Route* route) { return route != nullptr; });
  }

  std::string Allow() const {
    std::string allow;
    for (const auto& [method, name] : kMethods) {
      const bool allowed = method == Method::kOptions || routes[static_cast<std::size_t>(method)] ||
                           (method == Method::kHead && routes[static_cast<std::size_t>(Method::kGet)]);
      if (!allowed) continue;
      if (!allow.empty()) allow += ", ";
      allow += name;
    }
    return allow;
  }

  /// Depth first, literals before the parameter; `values` collects what the parameters stood for.
  const Node* Find(std::string_view path, std::vector<std::string_view>& values) const {
    if (path.empty()) return has_routes() ? this : nullptr;
    const std::string_view segment = TakeSegment(path);
    if (const auto literal = literals.find(segment); literal != literals.end()) {
      if (const Node* const found = literal->second->Find(path, values)) return found;
    }
    if (!parameter || segment.empty()) return nullptr;
    values.push_back(segment);
    if (const Node* const found = parameter->Find(path, values)) return found;
    values.pop_back();
    return nullptr;
  }
};

struct Router::Found {
  const Node* node = nullptr;
  const Route* route = nullptr;
  std::vector<std::string_view> values;
};

Router::Router(std::vector<Route> routes, Guard guard, Fallback fallback)
    : routes_(std::move(routes)),
      root_(std::make_unique<Node>()),
      guard_(std::move(guard)),
      fallback_(std::move(fallback)) {
  for (const Route& route : routes_) {
    const auto refuse = [&](std::string_view why) {
      throw std::invalid_argument("route " + route.pattern + ": " + std::string(why));
    };
    std::string_view rest = route.pattern;
    if (!rest.starts_with('/')) refuse("must begin with '/'");
    Node* node = root_.get();
    std::vector<std::string> names;
    while (!rest.empty()) {
      const std::string_view segment = TakeSegment(rest);
      std::unique_ptr<Node>* next = nullptr;
      if (segment.starts_with('{')) {
        if (!segment.ends_with('}') || segment.size() < 3) refuse("malformed parameter");
        names.emplace_back(segment.substr(1, segment.size() - 2));
        next = &node->parameter;
      } else {
        if (segment.find_first_of("{}") != std::string_view::npos) refuse("a parameter must be a whole segment");
        next = &node->literals[std::string(segment)];
      }
      if (!*next) *next = std::make_unique<Node>();
      node = next->get();
    }
    const auto slot = static_cast<std::size_t>(route.method);
    if (node->routes[slot]) refuse("matches the same requests as " + node->routes[slot]->pattern);
    node->routes[slot] = &route;
    node->names[slot] = std::move(names);
  }
}

Router::~Router() = default;

Router::Found Router::Find(const Request& request) const {
  Found found;
  found.node = root_->Find(request.path, found.values);
  if (!found.node) return found;
  found.route = found.node->routes[static_cast<std::size_t>(request.method)];
  if (!found.route && request.method == Method::kHead) {
    found.route = found.node->routes[static_cast<std::size_t>(Method::kGet)];
  }
  return found;
}

BodyPlan Router::PlanBody(const Request& request) const {
  const Found found = Find(request);
  if (!found.route) return {};
  return {.limit = found.route->max_body_bytes, .streamed = found.route->streams_body};
}

Task<Response> Router::Handle(Request& request) const {
  const Found found = Find(request);
  if (!found.route) {
    if (found.node) {
      const bool asks = request.method == Method::kOptions;
      Response response;
      if (asks) {
        response.status = 204;
      } else {
        response = MakeProblem(405, "invalid_argument", "The method is not allowed", request.request_id);
      }
      response.SetHeader("Allow", found.node->Allow());
      co_return response;
    }
    if (fallback_) {
      if (auto response = fallback_(request)) co_return std::move(*response);
    }
    co_return MakeProblem(ErrorCode::kNotFound, request.request_id);
  }
  const auto& names = found.node->names[static_cast<std::size_t>(found.route->method)];
  request.path_parameters.clear();
  for (std::size_t i = 0; i < names.size(); ++i) {
    request.path_parameters.emplace_back(names[i], std::string(found.values[i]));
  }
  std::string failure;
  try {
    if (guard_) {
      auto refused = co_await guard_(request, *found.route);
      if (refused) co_return std::move(*refused);
    }
    co_return co_await found.route->handler(request);
  } catch (const boost::system::system_error& error) {
    // Cancellation belongs to whoever asked for it.
    if (error.code() == boost::asio::error::operation_aborted) throw;
    failure = error.what();
  } catch (const std::exception& error) {
    failure = error.what();
  }
  log::Failure("http.handler_failed",
               {{"request_id", request.request_id}, {"route", found.route->pattern}, {"detail", failure}});
  co_return MakeProblem(ErrorCode::kInternal, request.request_id);
}

}  // namespace latchkey::http
