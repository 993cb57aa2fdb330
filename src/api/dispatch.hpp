#pragma once

#include "api/call.hpp"

namespace latchkey::api {

/// Runs one route: rate limit, query check, session, administrator, same-origin intent and CSRF, body, handler; and
/// turns its failure into the shape the route answers in. Checks precede every write.
Task<http::Response> Dispatch(const Services& services, const Route& route, http::Request& request);

/// The session that the request's cookie names; kUnauthenticated when there is none.
Task<Result<std::shared_ptr<const identity::Sessions::Current>>> FindSession(const Services& services,
                                                                             const http::Request& request);

/// Proof that a state change was meant: Sec-Fetch-Site same-origin or our own Origin, and the session's CSRF token.
Result<void> CheckIntent(const Services& services, const http::Request& request);

/// A page for frames and for programs that follow links, naming no more than a fixed sentence and the reference.
http::Response ErrorPage(const Error& error, std::string_view ref);

}  // namespace latchkey::api
