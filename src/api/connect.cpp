#include <algorithm>

#include <fmt/format.h>

#include "api/flow.hpp"
#include "api/handlers.hpp"
#include "api/input.hpp"
#include "api/respond.hpp"
#include "api/shapes.hpp"
#include "base/encoding.hpp"
#include "base/json.hpp"

namespace latchkey::api {
namespace {

using connected_accounts::Connect;
using connected_accounts::ConnectAttempt;
using State = ConnectAttempt::State;

std::string_view StateName(const ConnectAttempt& attempt, Instant now) {
  switch (attempt.state) {
    case State::kSucceeded:
      return "succeeded";
    case State::kFailed:
      return "failed";
    case State::kExpired:
      return "expired";
    case State::kPending:
      break;
  }
  return attempt.expires_at <= now ? "expired" : "pending";
}

// Who needs an administrator is often told so by the provider's own page, and never comes back or can only decline.
bool MayNeedAdministrator(const ConnectAttempt& attempt) {
  return attempt.state == State::kPending || attempt.error_code == ToString(ErrorCode::kAdminConsentRequired) ||
         attempt.error_code == ToString(ErrorCode::kAccessDenied);
}

// Values for the words about a failure; the link to an administrator is for this installation's application.
void WriteParams(json::Writer& out, const Call& call, const ConnectAttempt& attempt,
                 const std::optional<connected_accounts::ConnectedAccount>& reconnected) {
  out.Key("params").BeginObject();
  for (const auto& [name, value] : attempt.params) out.Member(name, value);
  if (MayNeedAdministrator(attempt)) {
    const auto provider = call.services.providers.Find(attempt.provider);
    const std::string subject = reconnected ? reconnected->provider_account_id : std::string();
    const std::string url = provider ? (*provider)->AdminConsentUrl(subject) : std::string();
    if (!url.empty()) out.Member("admin_consent_url", url);
  }
  out.EndObject();
}

// What became of it names the account, whose address and missing permissions are read fresh.
Answer AttemptResponse(Call& call, int status, const ConnectAttempt& attempt, std::string_view start = {}) {
  std::optional<connected_accounts::AccountView> account;
  if (attempt.state == State::kSucceeded && !attempt.result_account_id.empty()) {
    auto found = co_await call.services.accounts.Get(call.user().id, attempt.result_account_id);
    if (found) account = std::move(*found);
  }
  const auto state = StateName(attempt, call.services.clock.Now());
  std::vector<connected_accounts::Capability> missing;
  if (account) {
    for (const auto capability : attempt.capabilities) {
      if (std::ranges::find(account->account.granted, capability) == account->account.granted.end())
        missing.push_back(capability);
    }
  }
  std::optional<connected_accounts::ConnectedAccount> reconnected;
  if (!attempt.account_id.empty()) {
    auto found = co_await call.services.account_store.Get(call.user().id, attempt.account_id);
    if (found) reconnected = std::move(*found);
  }
  json::Writer out;
  out.BeginObject()
      .Member("id", attempt.id.text())
      .Member("provider", attempt.provider)
      .Member("mode", attempt.mode)
      .Member("status", state);
  const auto url = start.empty() ? fmt::format("/auth/apis/connect/{}?attempt={}", attempt.provider, attempt.id)
                                 : std::string(start);
  WriteText(out, "url", state == "pending" ? std::string_view(url) : std::string_view());
  std::string_view code = attempt.error_code;
  if (code.empty() && !missing.empty()) code = "partial_consent";
  if (code.empty() && state == "expired") code = "state_expired";
  WriteText(out, "error_code", code);
  WriteParams(out, call, attempt, reconnected);
  out.Key("account");
  if (account) {
    out.BeginObject().Member("id", account->account.id.text()).Member("email", account->account.email);
    out.Key("missing_capabilities").BeginArray();
    for (const auto capability : missing) out.Value(ToString(capability));
    out.EndArray().EndObject();
  } else {
    out.Null();
  }
  WriteInstant(out, "created_at", attempt.created_at);
  WriteInstant(out, "expires_at", attempt.expires_at);
  out.EndObject();
  co_return Json(status, out.Take());
}

Result<Connect::StartRequest> StartFromQuery(Call& call) {
  Connect::StartRequest start;
  start.user_id = call.user().id;
  start.session_id = call.session->session.id;
  start.provider = call.request.PathParameter("provider");
  auto mode = ParseMode(call.request.FindQuery("mode"));
  if (!mode) return Fail(mode.error());
  start.mode = *mode;
  auto account = QueryId<ConnectedAccountId>(call, "account");
  if (!account) return Fail(account.error());
  start.account_id = *account;
  std::vector<std::string> names;
  std::string_view rest = call.request.FindQuery("capabilities").value_or("");
  while (!rest.empty() && names.size() < 8) {
    const auto comma = rest.find(',');
    names.emplace_back(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  auto capabilities = ParseCapabilities(names);
  if (!capabilities) return Fail(capabilities.error());
  start.capabilities = *capabilities;
  return start;
}

Result<Connect::StartRequest> StartFromBody(Call& call, std::string_view provider) {
  Connect::StartRequest start;
  start.user_id = call.user().id;
  start.session_id = call.session->session.id;
  start.provider = provider;
  if (call.body.is_null()) {
    start.mode = "page";
    return start;
  }
  auto members = json::Members::Of(call.body);
  if (!members) return Fail(members.error());
  if (provider.empty()) {
    auto name = members->String("provider");
    if (!name) return Fail(name.error());
    start.provider = *name;
    auto account = members->OptionalString("account");
    if (!account) return Fail(account.error());
    if (*account) {
      auto id = ConnectedAccountId::Parse(**account);
      if (!id) return Fail(ErrorCode::kInvalidArgument, "account is no id");
      start.account_id = *id;
    }
  }
  auto names = members->Strings("capabilities", 8);
  if (!names) return Fail(names.error());
  auto capabilities = ParseCapabilities(*names);
  if (!capabilities) return Fail(capabilities.error());
  if (provider.empty() && capabilities->empty())
    return Fail(ErrorCode::kInvalidArgument, "capabilities must name at least one");
  start.capabilities = *capabilities;
  auto mode = members->OptionalString("mode");
  if (!mode) return Fail(mode.error());
  auto checked = ParseMode(*mode);
  if (!checked) return Fail(checked.error());
  start.mode = *checked;
  if (auto others = members->RefuseOthers(); !others) return Fail(others.error());
  return start;
}

}  // namespace

namespace {

// Whoever holds the ticket gets to the provider only in the session that it was issued to. Elsewhere the page of the
// attempt, which only the same person can open, names the receiving account and asks first.
Answer FollowTicket(Call& call, std::string_view ticket) {
  const auto& services = call.services;
  const SecretString presented{std::string(ticket)};
  const SessionId session = call.session ? call.session->session.id : SessionId();
  auto opened = co_await services.connect.OpenTicket(call.request.PathParameter("provider"), presented, session);
  if (!opened) co_return RedirectToError(services.site, 307, ToString(opened.error().code));
  if (opened->started) co_return RedirectToProvider(call, *opened->started);
  const auto page = fmt::format("/connect/confirm?attempt={}", opened->attempt.id);
  if (call.session) co_return RedirectToApp(services.site, 307, page);
  co_return RedirectToApp(services.site, 307, "/login?return_to=" + PercentEncode(page));
}

}  // namespace

Answer StartConnect(Call& call) {
  const auto& services = call.services;
  if (const auto ticket = call.request.FindQuery("ticket")) co_return co_await FollowTicket(call, *ticket);
  if (!call.session) {
    co_return RedirectToApp(services.site, 307, fmt::format("/login?return_to={}", PercentEncode(call.request.target)));
  }
  const std::string provider(call.request.PathParameter("provider"));
  auto id = QueryId<ConnectAttemptId>(call, "attempt");
  if (!id) co_return RedirectToError(services.site, 307, ToString(id.error().code));
  if (id->empty()) {
    auto start = StartFromQuery(call);
    if (!start) co_return RedirectToError(services.site, 307, ToString(start.error().code));
    auto created = co_await services.connect.CreateAttempt(*start);
    if (!created) co_return RedirectToError(services.site, 307, ToString(created.error().code));
    *id = created->id;
  } else {
    auto attempt = co_await services.account_store.GetAttempt(call.user().id, *id);
    if (!attempt) co_return RedirectToError(services.site, 307, ToString(attempt.error().code));
    if (attempt->provider != provider) co_return RedirectToError(services.site, 307, "not_found");
    // Begun in another browser of this person: the page names the receiving account and asks first.
    if (attempt->session_id != call.session->session.id)
      co_return RedirectToApp(services.site, 307, fmt::format("/connect/confirm?attempt={}", *id));
  }
  auto flow = co_await services.connect.BuildAuthorizeUrl(call.user().id, *id, "/accounts");
  if (!flow) co_return RedirectToError(services.site, 307, ToString(flow.error().code));
  co_return RedirectToProvider(call, *flow);
}

Answer IssueConnectTicket(Call& call) {
  auto start = StartFromBody(call, call.request.PathParameter("provider"));
  if (!start) co_return Fail(start.error());
  auto issued = co_await call.services.connect.IssueTicket(*start);
  if (!issued) co_return Fail(issued.error());
  const auto url = fmt::format("/auth/apis/connect/{}?ticket={}", issued->attempt.provider, issued->ticket.Reveal());
  co_return co_await AttemptResponse(call, 201, issued->attempt, url);
}

Answer FinishConnect(Call& call) {
  const auto& site = call.services.site;
  const bool answers_flow = call.request.FindQuery("state") || call.request.FindQuery("code");
  if (!answers_flow &&
      (call.request.FindQuery("admin_consent") || call.request.FindQuery("error") == "permission_denied")) {
    // An administrator comes back from approving the application (or not) for an organisation, often in a browser that
    // knows nothing of us. There is nothing to redeem: the person tries again.
    if (call.request.FindQuery("error")) co_return RedirectToError(site, 303, "admin_consent_required");
    co_return RedirectToApp(site, 303, "/accounts?admin_consent=granted");
  }
  const auto callback = MakeCallback(call);
  auto finished = co_await call.services.connect.Finish(callback);
  auto response = finished.attempt_id.empty()
                      ? RedirectToError(site, 303, finished.error)
                      : RedirectToApp(site, 303, fmt::format("/connect/done?attempt={}", finished.attempt_id));
  ClearTransaction(response, finished.clear_cookie);
  co_return response;
}

Answer CreateConnectAttempt(Call& call) {
  auto start = StartFromBody(call, {});
  if (!start) co_return Fail(start.error());
  auto attempt = co_await call.services.connect.CreateAttempt(*start);
  if (!attempt) co_return Fail(attempt.error());
  co_return co_await AttemptResponse(call, 201, *attempt);
}

Answer GetConnectAttempt(Call& call) {
  auto id = PathId<ConnectAttemptId>(call);
  if (!id) co_return Fail(id.error());
  auto attempt = co_await call.services.account_store.GetAttempt(call.user().id, *id);
  if (!attempt) co_return Fail(attempt.error());
  co_return co_await AttemptResponse(call, 200, *attempt);
}

Answer ReconnectAccount(Call& call) {
  auto id = PathId<ConnectedAccountId>(call);
  if (!id) co_return Fail(id.error());
  auto account = co_await call.services.accounts.Get(call.user().id, *id);
  if (!account) co_return Fail(account.error());
  auto start = StartFromBody(call, account->account.provider);
  if (!start) co_return Fail(start.error());
  start->account_id = *id;
  auto attempt = co_await call.services.connect.CreateAttempt(*start);
  if (!attempt) co_return Fail(attempt.error());
  co_return co_await AttemptResponse(call, 201, *attempt);
}

}  // namespace latchkey::api
