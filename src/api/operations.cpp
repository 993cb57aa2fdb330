#include "api/dispatch.hpp"
#include "api/handlers.hpp"
#include "api/lifecycle.hpp"
#include "api/respond.hpp"
#include "base/json_writer.hpp"
#include "crypto/hash.hpp"

namespace latchkey::api {
namespace {

http::Response HealthResponse(const Site& site) {
  json::Writer out;
  out.BeginObject().Member("status", "ok").Member("version", site.version).EndObject();
  return Json(200, out.Take());
}

// A monitoring system shows the token; an administrator may look with the browser. Being on the same machine proves
// nothing: behind a reverse proxy everybody is.
Task<bool> MayReadMetrics(Call& call) {
  const auto& token = call.services.site.metrics_token;
  const auto header = call.request.FindHeader("Authorization").value_or("");
  constexpr std::string_view kBearer = "Bearer ";
  if (!token.empty() && header.starts_with(kBearer) &&
      crypto::EqualConstantTime(header.substr(kBearer.size()), token.Reveal()))
    co_return true;
  const auto session = co_await FindSession(call.services, call.request);
  co_return session && (*session)->user.is_admin;
}

}  // namespace

Answer GetHealth(Call& call) { co_return HealthResponse(call.services.site); }

// Ready means that the store answers: everything else the server can do without for a while.
Answer GetReadiness(Call& call) {
  if (call.services.lifecycle.stopping) {
    co_return Fail(Error{
        .code = ErrorCode::kOverloaded, .detail = "the server is stopping", .retry_after = std::chrono::seconds(1)});
  }
  auto open = co_await call.services.identities.SetupOpen();
  if (!open) co_return Fail(ErrorCode::kStorageUnavailable, open.error().detail);
  const auto& site = call.services.site;
  json::Writer out;
  out.BeginObject().Member("status", "ok").Member("version", site.version);
  const auto sharing = call.services.limiter.sharing();
  if (sharing.state != limits::Sharing::State::kAlone) {
    const bool shared = sharing.state == limits::Sharing::State::kShared;
    out.Key("limits").BeginObject().Member("shared", shared);
    if (!shared) out.Member("reason", sharing.reason);
    out.EndObject();
  }
  out.EndObject();
  co_return Json(200, out.Take());
}

Answer GetMetrics(Call& call) {
  const bool allowed = co_await MayReadMetrics(call);
  if (!allowed) co_return Fail(ErrorCode::kUnauthenticated, "metrics need their token or an administrator");
  http::Response response;
  response.SetHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  response.body = call.services.metrics.Render();
  co_return response;
}

Answer GetOpenApi(Call& call) { co_return Json(200, call.services.site.openapi_json); }

Answer GetJwks(Call&) { co_return Json(200, R"({"keys":[]})"); }

}  // namespace latchkey::api
