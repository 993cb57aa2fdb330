#include <algorithm>

#include "api/dispatch.hpp"
#include "api/event_streams.hpp"
#include "api/handlers.hpp"
#include "api/respond.hpp"
#include "api/session_cache.hpp"
#include "api/shapes.hpp"
#include "base/json.hpp"
#include "telemetry/log.hpp"

namespace latchkey::api {
namespace {

void WriteUser(json::Writer& out, const identity::User& user) {
  out.BeginObject().Member("id", user.id.text()).Member("email", user.email);
  WriteText(out, "firstName", user.first_name);
  WriteText(out, "lastName", user.last_name);
  out.Member("auth_provider", user.auth_provider).Member("is_admin", user.is_admin);
  WriteInstant(out, "created_at", user.created_at);
  out.EndObject();
}

std::string_view DisplayName(std::string_view provider) {
  if (provider == "google") return "Google";
  if (provider == "microsoft") return "Microsoft";
  return provider;
}

void WriteProviders(json::Writer& out, const Services& services) {
  out.Key("providers").BeginArray();
  for (const auto& provider : services.providers.all()) {
    const auto catalog = services.scopes.Find(provider->name());
    out.BeginObject()
        .Member("id", provider->name())
        .Member("name", DisplayName(provider->name()))
        .Member("sign_in", true)
        .Member("connect", catalog.has_value())
        .Key("capabilities")
        .BeginArray();
    for (const auto capability : {connected_accounts::Capability::kReadMail, connected_accounts::Capability::kSendMail,
                                  connected_accounts::Capability::kReadCalendar}) {
      if (!catalog) break;
      const std::vector one{capability};
      if ((*catalog)->ScopesFor(one)) out.Value(ToString(capability));
    }
    out.EndArray().EndObject();
  }
  out.EndArray();
}

void ClearSessionCookie(const Site& site, http::Response& response) {
  SetCookie(response, {.name = identity::Sessions::CookieName(site.https), .value = {}, .strict = true});
}

}  // namespace

Answer GetSession(Call& call) {
  const auto& services = call.services;
  std::vector<connected_accounts::AccountView> accounts;
  if (call.session) {
    auto listed = co_await services.accounts.List(call.user().id);
    if (!listed) co_return Fail(listed.error());
    accounts = std::move(*listed);
  }
  auto setup_open = co_await services.identities.SetupOpen();
  if (!setup_open) co_return Fail(setup_open.error());

  json::Writer out(2048);
  out.BeginObject().Key("user");
  if (call.session) {
    WriteUser(out, call.user());
    out.Member("csrfToken", call.session->csrf_token);
    out.Key("session").BeginObject().Member("id", call.session->session.id.text());
    WriteInstant(out, "expires_at", call.session->session.expires_at);
    out.EndObject();
  } else {
    out.Null().Key("csrfToken").Null().Key("session").Null();
  }
  out.Key("connectedAccounts").BeginArray();
  for (const auto& view : accounts)
    WriteAccount(out, view, call.user(), AdminConsentUrlOf(services.providers, view.account));
  out.EndArray();
  WriteProviders(out, services);
  const bool bound = *setup_open && call.request.FindCookie(SetupCookieName(services.site)).has_value();
  out.Key("setup")
      .BeginObject()
      .Member("state", *setup_open ? "awaiting_administrator" : "complete")
      .Member("bound_to_this_browser", bound)
      .EndObject();
  const bool lost = !call.session && call.request.FindCookie(identity::Sessions::CookieName(services.site.https));
  out.Key("end_reason");
  if (lost) {
    out.Value("session_ended");
  } else {
    out.Null();
  }
  out.Member("version", services.site.version).EndObject();
  auto response = Json(200, out.Take());
  // Said once: the next question of this browser comes without the dead cookie.
  if (lost) ClearSessionCookie(services.site, response);
  co_return response;
}

Answer ListSessions(Call& call) {
  auto sessions = co_await call.services.sessions.List(call.user().id);
  if (!sessions) co_return Fail(sessions.error());
  const auto& own = call.session->session.id;
  const auto current = std::ranges::find(*sessions, own, &identity::Session::id);
  if (current != sessions->end()) std::rotate(sessions->begin(), current, current + 1);
  json::Writer out(1024);
  out.BeginObject().Key("items").BeginArray();
  for (const auto& session : *sessions) {
    out.BeginObject().Member("id", session.id.text()).Member("current", session.id == own);
    WriteText(out, "user_agent", session.user_agent);
    WriteInstant(out, "created_at", session.created_at);
    WriteInstant(out, "last_seen_at", session.last_seen_at);
    WriteInstant(out, "expires_at", session.expires_at);
    out.EndObject();
  }
  out.EndArray().Key("next_cursor").Null().EndObject();
  co_return Json(200, out.Take());
}

Answer EndSession(Call& call) {
  const auto id = SessionId::Parse(call.request.PathParameter("id"));
  if (!id) co_return Fail(ErrorCode::kNotFound);
  auto ended = co_await call.services.sessions.End(call.user().id, *id);
  if (!ended) co_return Fail(ended.error());
  call.services.session_cache.Forget(*id);
  call.services.streams.EndSession(*id);
  auto response = NoContent();
  if (*id == call.session->session.id) ClearSessionCookie(call.services.site, response);
  co_return response;
}

Answer Logout(Call& call) {
  bool everywhere = false;
  if (!call.body.is_null()) {
    auto members = json::Members::Of(call.body);
    if (!members) co_return Fail(members.error());
    auto flag = members->OptionalBool("everywhere");
    if (!flag) co_return Fail(flag.error());
    if (auto others = members->RefuseOthers(); !others) co_return Fail(others.error());
    everywhere = flag->value_or(false);
  }
  const auto& services = call.services;
  const auto user = call.user().id;
  const auto session = call.session->session.id;
  auto ended = everywhere ? co_await services.sessions.EndAll(user) : co_await services.sessions.End(user, session);
  if (!ended && ended.error().code != ErrorCode::kNotFound) co_return Fail(ended.error());
  if (everywhere) {
    services.session_cache.ForgetUser(user);
    services.streams.EndUser(user);
  } else {
    services.session_cache.Forget(session);
    services.streams.EndSession(session);
  }
  log::Info("security.signed_out", {{"request_id", call.request.request_id}, {"everywhere", everywhere}});
  auto response = NoContent();
  ClearSessionCookie(services.site, response);
  co_return response;
}

}  // namespace latchkey::api
