#include "api/flow.hpp"
#include "api/handlers.hpp"
#include "api/respond.hpp"
#include "api/session_cache.hpp"
#include "base/encoding.hpp"
#include "telemetry/log.hpp"

#include <fmt/format.h>

namespace latchkey::api {
namespace {

constexpr std::chrono::hours kSetupBinding{1};

}  // namespace

Answer StartSignIn(Call& call) {
  identity::SignIn::StartRequest start;
  start.provider = call.request.PathParameter("provider");
  start.return_to = call.request.FindQuery("return_to").value_or("/");
  if (const auto setup = call.request.FindCookie(SetupCookieName(call.services.site)))
    start.setup_token = SecretString(std::string(*setup));
  if (const auto session = call.request.FindCookie(identity::Sessions::CookieName(call.services.site.https)))
    start.previous_session = SecretString(std::string(*session));
  auto flow = co_await call.services.sign_in.Start(start);
  // A setup link that died must not keep this browser from signing in as an ordinary person.
  if (!flow && flow.error().code == ErrorCode::kForbidden && !start.setup_token.empty()) {
    start.setup_token = SecretString();
    flow = co_await call.services.sign_in.Start(start);
  }
  if (!flow) co_return RedirectToError(call.services.site, 307, ToString(flow.error().code));
  co_return RedirectToProvider(call, *flow);
}

Answer FinishSignIn(Call& call) {
  const auto callback = MakeCallback(call);
  auto finished = co_await call.services.sign_in.Finish(callback);
  const auto& site = call.services.site;
  auto response =
      finished.error.empty()
          ? RedirectToApp(site, 303,
                          fmt::format("/auth/callback?status=ok&return_to={}", PercentEncode(finished.return_to)))
          : RedirectToError(site, 303, finished.error);
  ClearTransaction(response, finished.clear_cookie);
  if (finished.session_cookie) {
    const auto lifetime = identity::SessionLimits{}.absolute;
    SetCookie(response, {.name = identity::Sessions::CookieName(site.https),
                         .value = finished.session_cookie->Reveal(),
                         .max_age = lifetime,
                         .strict = true});
    if (call.request.FindCookie(SetupCookieName(site)))
      SetCookie(response, {.name = SetupCookieName(site), .value = {}});
    if (finished.user) call.services.session_cache.ForgetUser(finished.user->id);
  }
  log::Info(finished.error.empty() ? "security.signed_in" : "security.sign_in_refused",
            {{"request_id", call.request.request_id}, {"error_code", finished.error}});
  co_return response;
}

Answer BindSetup(Call& call) {
  const auto& site = call.services.site;
  const auto text = call.request.FindQuery("token").value_or("");
  auto open = co_await call.services.identities.SetupOpen();
  if (!open) co_return Fail(open.error());
  if (!*open) co_return RedirectToError(site, 303, "state_expired");
  const SecretString token{std::string(text)};
  auto known =
      text.size() > 128 ? Result<bool>(false) : co_await identity::SetupTokenIsOpen(call.services.identities, token);
  if (!known) co_return Fail(known.error());
  if (!*known) co_return RedirectToError(site, 303, "not_found");
  auto response = RedirectToApp(site, 303, "/login");
  SetCookie(response,
            {.name = SetupCookieName(site), .value = token.Reveal(), .max_age = kSetupBinding, .strict = true});
  co_return response;
}

}  // namespace latchkey::api
