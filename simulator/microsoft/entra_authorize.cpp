#include "simulator/microsoft/entra_authorize.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "simulator/google/scopes.hpp"
#include "simulator/microsoft/entra_pages.hpp"
#include "simulator/oauth_client.hpp"

namespace latchkey::simulator::entra {
namespace {

constexpr std::string_view kCookie = "latchkey_simulator_microsoft";
/// Open pages remembered; the oldest goes when there are more.
constexpr std::size_t kMaxPending = 1000;

/// "/common/oauth2/v2.0/authorize/consent"
std::string Action(const EntraRequest& request, std::string_view page) {
  return fmt::format("/{}/oauth2/v2.0/authorize/{}", request.tenant_segment, page);
}

}  // namespace

Response EntraAuthorize::Begin(const Request& request) {
  const Parameters form = request.method == "POST" ? Parameters::Parse(request.body) : request.query;
  auto parsed = EntraRequest::Parse(request.segments[0], form, accounts_, settings_, grants_.Now());
  if (!parsed) return Fail(parsed.error());
  if (parsed->prompt != "none") return Show(request, Pending{RandomToken(18), std::move(*parsed), nullptr});

  const Account* account = accounts_.FindBySub(CookieValue(request, kCookie));
  const auto refuse = [&](std::string_view slug) {
    const EntraError& error = *FindError(slug);
    return Reply(parsed->reply_to, {{"error", std::string(error.error)},
                                    {"error_description", Describe(error, parsed->client_id, grants_.Now())}});
  };
  if (!account || !parsed->Admits(*account) ||
      (!parsed->login_hint.empty() && FindAccount(parsed->login_hint) != account)) {
    return refuse("login-required");
  }
  if (NeedsConsent(*parsed, *account)) return refuse("consent-required");
  const Pending pending{"", std::move(*parsed), account};
  return Reply(pending.request.reply_to, Approve(pending));
}

std::expected<EntraAuthorize::Pending, EntraRequest::Refused> EntraAuthorize::ParseAdmin(
    std::string_view tenant, const Parameters& query) const {
  // The same parameters as authorize, but for scope (default: all the app is registered for) and response_type.
  std::string text = "response_type=code&prompt=consent";
  for (const auto& [name, value] : query) {
    if (name == "response_type" || name == "prompt" || name == "response_mode") continue;
    text += "&" + name + "=" + PercentEncode(value);
  }
  if (query.Get("scope").empty())
    text += "&scope=openid%20User.Read%20Mail.ReadWrite%20Mail.Send%20Calendars.ReadWrite";
  auto parsed = EntraRequest::Parse(tenant, Parameters::Parse(text), accounts_, settings_, grants_.Now());
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  return Pending{RandomToken(18), std::move(*parsed), nullptr, true};
}

Response EntraAuthorize::BeginAdminConsent(const Request& request) {
  auto pending = ParseAdmin(request.segments[0], request.query);
  if (!pending) return Fail(pending.error());
  return Show(request, std::move(*pending));
}

Response EntraAuthorize::Show(const Request& request, Pending shown) {
  if (pending_.size() >= kMaxPending) pending_.pop_front();
  Pending& pending = pending_.emplace_back(std::move(shown));
  const auto admitted = [&](const Account& account) {
    return pending.request.Admits(account) && !(pending.admin && account.IsPersonal());
  };
  const Account* hinted = FindAccount(pending.request.login_hint);
  if (hinted && admitted(*hinted) && pending.request.prompt != "select_account") {
    pending.account = hinted;
    return AfterAccount(request, pending);
  }
  std::vector<const Account*> accounts;
  for (const Account& account : accounts_.all()) {
    if (admitted(account) && !account.microsoft.deleted) accounts.push_back(&account);
  }
  return HtmlResponse(200,
                      ChooserPage(settings_.client_name, Action(pending.request, "account"), pending.id, accounts));
}

Response EntraAuthorize::ChooseAccount(const Request& request) {
  const Parameters form = Parameters::Parse(request.body);
  Pending* pending = FindPending(form.Get("request"));
  if (!pending) return Fail("malformed");
  if (form.Get("decision") == "cancel") {
    const Response reply =
        Reply(pending->request.reply_to,
              {{"error", "access_denied"}, {"error_description", "the user canceled the authentication"}});
    Forget(*pending);
    return reply;
  }
  const Account* account = accounts_.FindBySub(form.Get("account"));
  if (!account || !pending->request.Admits(*account)) return Fail("wrong-tenant", pending->request.tenant_segment);
  pending->account = account;
  return AfterAccount(request, *pending);
}

Response EntraAuthorize::AfterAccount(const Request& request, Pending& pending) {
  const Account& account = *pending.account;
  if (account.microsoft.deleted) return Fail("user-gone");
  if (account.microsoft.disabled) return Fail("user-disabled");
  Response response;
  if (pending.admin || NeedsConsent(pending.request, account)) {
    response = RedirectResponse(fmt::format("{}?request={}", Action(pending.request, "consent"), pending.id));
  } else {
    response = Reply(pending.request.reply_to, Approve(pending));
  }
  response.headers.Add("Set-Cookie", fmt::format("{}={}; Path=/; HttpOnly; SameSite=Lax{}", kCookie, account.sub,
                                                 request.scheme == "https" ? "; Secure" : ""));
  if (!response.headers.Get("Location").starts_with('/')) Forget(pending);
  return response;
}

Response EntraAuthorize::Decide(const Request& request) {
  const bool post = request.method == "POST";
  const Parameters form = post ? Parameters::Parse(request.body) : request.query;
  Pending* pending = FindPending(form.Get("request"));
  if (!pending || !pending->account) return Fail("malformed");
  const Account& account = *pending->account;
  const bool needs_admin = !pending->admin && !account.microsoft.user_consent_allowed;
  const std::string action = Action(pending->request, "consent");
  if (!post) {
    if (needs_admin) return HtmlResponse(200, AdminApprovalPage(settings_.client_name, action, pending->id, account));
    return HtmlResponse(200, ConsentPage(settings_.client_name, action, pending->id, account,
                                         Asked(pending->request, account), pending->admin));
  }
  const bool approved = form.Get("decision") == "approve";
  if (approved && needs_admin) return Fail("admin-approval", settings_.client_name);
  Response reply = Reply(pending->request.reply_to, approved ? Approve(*pending) : Refusal(*pending));
  Forget(*pending);
  return reply;
}

std::expected<EntraAuthorize::Walked, PageError> EntraAuthorize::Walk(std::string_view path, const Parameters& query,
                                                                      const Decision& decision) {
  Request request;
  request.SetTarget(std::string(path));
  if (request.segments.size() < 3) return std::unexpected(PageError{FindError("malformed"), {}});
  std::expected<Pending, EntraRequest::Refused> pending = [&]() -> std::expected<Pending, EntraRequest::Refused> {
    if (request.segments[2] == "adminconsent") return ParseAdmin(request.segments[0], query);
    auto parsed = EntraRequest::Parse(request.segments[0], query, accounts_, settings_, grants_.Now());
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    return Pending{"", std::move(*parsed), nullptr};
  }();
  const auto answer = [](const ReplyTo& to, ReplyParameters parameters) {
    Walked walked{ReplyLocation(to, parameters), {}};
    if (to.mode == ReplyTo::Mode::kFormPost) {
      if (!to.state.empty()) parameters.emplace_back("state", to.state);
      walked.form = std::move(parameters);
    }
    return walked;
  };
  if (!pending) {
    const EntraRequest::Refused& refused = pending.error();
    if (refused.page) return std::unexpected(*refused.page);
    return answer(refused.reply_to, {{"error", refused.error}, {"error_description", refused.description}});
  }
  const Account* account = FindAccount(decision.account);
  if (!account || !pending->request.Admits(*account)) {
    return std::unexpected(PageError{FindError("wrong-tenant"), pending->request.tenant_segment});
  }
  if (account->microsoft.deleted) return std::unexpected(PageError{FindError("user-gone"), {}});
  if (account->microsoft.disabled) return std::unexpected(PageError{FindError("user-disabled"), {}});
  pending->account = account;
  const bool asks = pending->admin || NeedsConsent(pending->request, *account);
  if (asks && decision.approve && !pending->admin && !account->microsoft.user_consent_allowed) {
    return std::unexpected(PageError{FindError("admin-approval"), settings_.client_name});
  }
  return answer(pending->request.reply_to, decision.approve ? Approve(*pending) : Refusal(*pending));
}

std::vector<const Scope*> EntraAuthorize::Asked(const EntraRequest& request, const Account& account) const {
  const ScopeSet consented = grants_.Consented(account, request.client_id);
  std::vector<const Scope*> asked;
  for (const Scope* scope : request.scopes) {
    if (account.IsPersonal() && !scope->personal) continue;
    if (request.prompt == "consent" || !consented.contains(GrantName(*scope))) asked.push_back(scope);
  }
  return asked;
}

bool EntraAuthorize::NeedsConsent(const EntraRequest& request, const Account& account) const {
  return request.prompt == "consent" || !Asked(request, account).empty();
}

ReplyParameters EntraAuthorize::Approve(const Pending& pending) {
  const EntraRequest& asked = pending.request;
  ScopeSet scopes;
  for (const Scope* scope : asked.scopes) {
    if (!pending.account->IsPersonal() || scope->personal) scopes.insert(GrantName(*scope));
  }
  if (pending.admin) {
    const std::string& tid = pending.account->microsoft.tid;
    grants_.ConsentForTenant(tid, asked.client_id, scopes);
    return {{"admin_consent", "True"}, {"tenant", tid}, {"scope", FormatScopes(scopes)}};
  }
  grants_.Consent(*pending.account, asked.client_id, scopes);
  Code code;
  code.grant = Grant{pending.account, asked.client_id, std::move(scopes)};
  code.redirect_uri = asked.reply_to.redirect_uri;
  code.challenge = asked.challenge;
  code.challenge_method = asked.challenge_method;
  code.nonce = asked.nonce;
  return {{"code", grants_.IssueCode(std::move(code))}, {"session_state", DerivedGuid("session " + pending.id)}};
}

ReplyParameters EntraAuthorize::Refusal(const Pending& pending) const {
  if (pending.admin) {
    return {{"error", "permission_denied"}, {"error_description", "The admin canceled the request"}};
  }
  const EntraError& error = *FindError("declined");
  return {{"error", std::string(error.error)},
          {"error_subcode", "cancel"},
          {"error_description", Describe(error, "", grants_.Now())}};
}

Response EntraAuthorize::Logout(const Request& request) {
  const std::string_view uri = request.query.Get("post_logout_redirect_uri");
  const bool registered = settings_.redirect_uris.empty() ? IsLoopbackUri(uri) : Contains(settings_.redirect_uris, uri);
  Response response =
      registered && !uri.empty() ? RedirectResponse(std::string(uri)) : HtmlResponse(200, SignedOutPage());
  response.headers.Add("Set-Cookie", fmt::format("{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0", kCookie));
  return response;
}

EntraAuthorize::Pending* EntraAuthorize::FindPending(std::string_view id) {
  const auto found = std::ranges::find(pending_, id, &Pending::id);
  return id.empty() || found == pending_.end() ? nullptr : &*found;
}

void EntraAuthorize::Forget(const Pending& pending) {
  pending_.remove_if([&](const Pending& entry) { return &entry == &pending; });
}

const Account* EntraAuthorize::FindAccount(std::string_view text) const {
  if (text.empty()) return nullptr;
  const Account* account = accounts_.FindByEmail(text);
  if (!account) account = accounts_.FindBySub(text);
  return account && account->IsMicrosoft() ? account : nullptr;
}

Response EntraAuthorize::Fail(const EntraRequest::Refused& refused) const {
  if (refused.page) return HtmlResponse(refused.page->error->status, ErrorPage(*refused.page, grants_.Now()));
  return Reply(refused.reply_to, {{"error", refused.error}, {"error_description", refused.description}});
}

Response EntraAuthorize::Fail(std::string_view slug, std::string_view detail) const {
  return Fail(EntraRequest::Refused{PageError{FindError(slug), std::string(detail)}, {}, {}, {}});
}

}  // namespace latchkey::simulator::entra
