#include "api/dispatch.hpp"

#include <algorithm>
#include <ranges>

#include <fmt/format.h>

#include "api/respond.hpp"
#include "api/session_cache.hpp"
#include "base/json.hpp"
#include "http/client_network.hpp"
#include "http/problem.hpp"
#include "telemetry/log.hpp"

namespace latchkey::api {
namespace {

bool IsSafe(http::Method method) {
  return method == http::Method::kGet || method == http::Method::kHead || method == http::Method::kOptions;
}

Result<void> CheckQuery(const Route& route, const http::Request& request) {
  if (route.query == "*") return {};
  for (const auto& [name, value] : request.query) {
    const bool known = std::ranges::any_of(route.query | std::views::split(' '), [&](const auto& word) {
      return std::string_view(word.begin(), word.end()) == name;
    });
    if (!known) return Fail(ErrorCode::kInvalidArgument, "a query parameter is not known here");
    if (request.HasRepeatedQuery(name)) return Fail(ErrorCode::kInvalidArgument, "a query parameter is repeated");
  }
  return {};
}

bool IsJson(std::string_view content_type) {
  const auto end = content_type.find(';');
  auto type = content_type.substr(0, end);
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  return std::ranges::equal(type, std::string_view("application/json"),
                            [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
}

Result<boost::json::value> ReadBody(const Route& route, const http::Request& request) {
  if (request.body.empty()) {
    if (route.body == Body::kJson) return Fail(ErrorCode::kInvalidArgument, "a JSON body is needed");
    return boost::json::value();
  }
  if (route.body == Body::kNone) return Fail(ErrorCode::kInvalidArgument, "no body is expected here");
  if (route.body == Body::kRaw) return boost::json::value();
  auto parsed = json::Parse(request.body);
  // Handlers take null for "no body".
  if (parsed && parsed->is_null()) return Fail(ErrorCode::kInvalidArgument, "the body must be an object");
  return parsed;
}

http::Response Failure(const Services& services, const Route& route, const http::Request& request, const Error& error) {
  if (error.code == ErrorCode::kInternal || error.code == ErrorCode::kStorageUnavailable) {
    log::Failure("http.handler_failed", {{"request_id", request.request_id},
                                         {"route", route.path},
                                         {"error_code", ToString(error.code)},
                                         {"detail", error.detail}});
  } else {
    log::Debug("http.refused", {{"request_id", request.request_id},
                                {"route", route.path},
                                {"error_code", ToString(error.code)},
                                {"detail", error.detail}});
  }
  switch (route.shape) {
    case Shape::kBrowser:
      return RedirectToError(services.site, 303, ToString(error.code));
    case Shape::kDocument:
      return ErrorPage(error, request.request_id);
    case Shape::kApi:
      break;
  }
  return http::MakeProblem(error, request.request_id);
}

}  // namespace

Task<Result<std::shared_ptr<const identity::Sessions::Current>>> FindSession(const Services& services,
                                                                             const http::Request& request) {
  const auto cookie = request.FindCookie(identity::Sessions::CookieName(services.site.https));
  if (!cookie) co_return Fail(ErrorCode::kUnauthenticated, "no session cookie");
  const SecretString value{std::string(*cookie)};
  co_return co_await services.session_cache.Authenticate(value);
}

Result<void> CheckIntent(const Services& services, const http::Request& request) {
  const auto site = request.FindHeader("Sec-Fetch-Site");
  const auto origin = request.FindHeader("Origin");
  if (site && *site != "same-origin") return Fail(ErrorCode::kCsrfMismatch, "not from our own pages");
  if (origin && *origin != services.site.public_url) return Fail(ErrorCode::kCsrfMismatch, "another origin");
  if (!site && !origin) return Fail(ErrorCode::kCsrfMismatch, "no proof of origin");
  const auto cookie = request.FindCookie(identity::Sessions::CookieName(services.site.https));
  const auto token = request.FindHeader("X-CSRF-Token");
  if (!cookie || !token) return Fail(ErrorCode::kCsrfMismatch, "no CSRF token");
  const SecretString value{std::string(*cookie)};
  if (!services.sessions.CsrfMatches(value, *token)) return Fail(ErrorCode::kCsrfMismatch, "wrong CSRF token");
  return {};
}

http::Response ErrorPage(const Error& error, std::string_view ref) {
  std::string_view text = "This cannot be shown.";
  if (error.code == ErrorCode::kUnauthenticated) text = "Please sign in again.";
  if (error.code == ErrorCode::kNotFound || error.code == ErrorCode::kGone)
    text = "We cannot find this, or you have no access.";
  auto response = Html(http::ProblemOf(error.code).status,
                       fmt::format("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{0}</title>"
                                   "<p>{0}</p><p><small>{1} · {2}</small></p></html>",
                                   text, ToString(error.code), ref));
  response.SetHeader("Content-Security-Policy",
                     "sandbox; default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; "
                     "frame-ancestors 'self'");
  return response;
}

Task<http::Response> Dispatch(const Services& services, const Route& route, http::Request& request) {
  const auto ticket = services.gate.Enter(route.urgency);
  if (!ticket) co_return http::MakeProblem(ticket.error(), request.request_id);
  if (route.rate_limited) {
    const auto network = http::ClientNetwork(request.client_address);
    if (const auto wait = co_await services.auth_limit.Hit(network)) {
      log::Warn("security.rate_limited", {{"request_id", request.request_id}, {"route", route.path}});
      const Error error{.code = ErrorCode::kTooManyRequests, .detail = {}, .retry_after = *wait};
      co_return http::MakeProblem(error, request.request_id);
    }
  }
  if (route.webhook) {
    const auto network = http::ClientNetwork(request.client_address);
    if (const auto wait = co_await services.webhook_limit.Hit(network)) {
      const Error error{.code = ErrorCode::kTooManyRequests, .detail = {}, .retry_after = *wait};
      co_return http::MakeProblem(error, request.request_id);
    }
  }
  if (auto query = CheckQuery(route, request); !query) co_return Failure(services, route, request, query.error());

  Call call{.services = services, .request = request, .session = nullptr, .body = {}};
  if (route.access != Access::kNone) {
    auto session = co_await FindSession(services, request);
    if (session) {
      call.session = std::move(*session);
    } else if (route.access != Access::kOptionalSession || session.error().code != ErrorCode::kUnauthenticated) {
      co_return Failure(services, route, request, session.error());
    }
  }
  if (!IsSafe(route.method) && !route.webhook) {
    if (auto intent = CheckIntent(services, request); !intent) {
      log::Warn("security.csrf_refused", {{"request_id", request.request_id}, {"route", route.path}});
      co_return Failure(services, route, request, intent.error());
    }
  }
  if (route.access == Access::kAdmin && !call.user().is_admin)
    co_return Failure(services, route, request, Error{.code = ErrorCode::kForbidden, .detail = "not an administrator"});

  if (!request.body.empty() && route.body != Body::kNone && route.body != Body::kRaw) {
    const auto type = request.FindHeader("Content-Type");
    if (!type || !IsJson(*type)) {
      // The code is shared with other malformed requests; the status is HTTP's own word for this one.
      co_return http::MakeProblem(415, ToString(ErrorCode::kInvalidArgument), "The request is not valid",
                                  request.request_id);
    }
  }
  auto body = ReadBody(route, request);
  if (!body) co_return Failure(services, route, request, body.error());
  call.body = std::move(*body);

  auto response = co_await route.handler(call);
  if (!response) co_return Failure(services, route, request, response.error());
  co_return std::move(*response);
}

}  // namespace latchkey::api
