#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include <boost/json/value.hpp>

#include "api/load_gate.hpp"
#include "api/services.hpp"
#include "async/task.hpp"
#include "base/error.hpp"
#include "http/message.hpp"
#include "identity/sessions.hpp"

namespace latchkey::api {

/// One request on its way through a handler.
struct Call {
  const Services& services;
  http::Request& request;
  /// Who is signed in; null only where the route does not demand a session.
  std::shared_ptr<const identity::Sessions::Current> session;
  /// The parsed body of routes that take one; null value when the request had none.
  boost::json::value body;

  const identity::User& user() const { return session->user; }
};

/// An error becomes a problem, a redirect to the error page or a small HTML page, as the route says.
using Answer = Task<Result<http::Response>>;
using HandlerFunction = Answer (*)(Call&);

/// Who may call a route.
enum class Access {
  kNone,             ///< Anybody; a session is looked up only by the handler itself.
  kOptionalSession,  ///< Anybody; a living session is there when the browser has one.
  kSession,
  kAdmin,
};

/// How the route's failures look.
enum class Shape {
  kApi,       ///< problem+json
  kBrowser,   ///< Navigations: to /auth/error?error=<code>
  kDocument,  ///< A small HTML page, for what is shown in a frame
};

enum class Body {
  kNone,
  kOptionalJson,
  kJson,
  kRaw,     ///< Whatever it is; the handler reads request.body.
  kStream,  ///< Any bytes; the handler reads them from the request's body_reader.
};

/// A row of the route table.
struct Route {
  http::Method method = http::Method::kGet;
  std::string_view path;  ///< "/api/v1/messages/{id}"
  HandlerFunction handler = nullptr;
  Access access = Access::kSession;
  /// Query parameters it knows, separated by blanks; others are refused. "*" takes all.
  std::string_view query = "";
  Body body = Body::kNone;
  Shape shape = Shape::kApi;
  /// Called by programs of a provider, which prove themselves in their own way: no cookie counts, and there is a limit
  /// of its own for each client address.
  bool webhook = false;
  /// Counted against the sign-in limit of the client's address.
  bool rate_limited = false;
  std::size_t max_body_bytes = 1 << 20;
  Urgency urgency = Urgency::kOrdinary;
  /// Served by processes that only run jobs, too.
  bool by_workers = false;
};

}  // namespace latchkey::api
