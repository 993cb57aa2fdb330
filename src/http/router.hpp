#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace latchkey::http {

/// Who may call a route. The guard decides what that means.
enum class Access { kPublic, kSession, kAdmin };

/// One row of the route table.
struct Route {
  Method method = Method::kGet;
  /// "/api/v1/messages/{id}": a `{name}` stands for one whole, non-empty segment. Literal segments win over names.
  std::string pattern;
  Handler handler;
  Access access = Access::kSession;
  std::size_t max_body_bytes = 1 << 20;
  /// The handler reads the body itself, piece by piece.
  bool streams_body = false;
};

/// Binds a member function as a handler. `object` must outlive the router.
template <class T>
Handler Bind(Task<Response> (T::*member)(Request&), T& object) {
  return [member, &object](Request& request) { return (object.*member)(request); };
}

/// Finds the route of a request and runs guard and handler. Unknown paths end in 404, known paths with another method
/// in 405 with Allow; HEAD is served by GET routes, OPTIONS answers with Allow. Exceptions out of a handler are logged
/// and end in a generic 500. Loop thread only.
class Router {
 public:
  /// Runs before the handler of every matched route. A value is the answer (a refusal); nullopt lets the request pass.
  using Guard = std::function<Task<std::optional<Response>>(Request&, const Route&)>;
  /// Answers requests that no route matches (the web app's pages); nullopt: not found either.
  using Fallback = std::function<std::optional<Response>(const Request&)>;

  /// Throws std::invalid_argument for a malformed pattern or two routes that would match the same requests.
  explicit Router(std::vector<Route> routes, Guard guard = {}, Fallback fallback = {});
  ~Router();

  Task<Response> Handle(Request& request) const;
  /// How the route that would serve `request` takes its body; asked before it is read.
  BodyPlan PlanBody(const Request& request) const;

 private:
  struct Node;
  struct Found;
  Found Find(const Request& request) const;

  std::vector<Route> routes_;
  std::unique_ptr<Node> root_;
  Guard guard_;
  Fallback fallback_;
};

}  // namespace latchkey::http
