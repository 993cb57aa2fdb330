#include "simulator/google/authorize.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/random.hpp"
#include "simulator/google/pages.hpp"
#include "simulator/oauth_client.hpp"

namespace latchkey::simulator {
namespace {

constexpr std::string_view kPath = "/google/o/oauth2/v2/auth";
constexpr std::string_view kCookie = "latchkey_simulator_account";
/// Open pages remembered; the oldest goes when there are more.
constexpr std::size_t kMaxPending = 1000;

PageError Stale() {
  return {400, "invalid_request", "This page is no longer valid. Go back to the app and start again."};
}

std::vector<std::string_view> AllOf(const std::vector<const Scope*>& scopes) {
  std::vector<std::string_view> names;
  for (const Scope* scope : scopes) names.push_back(scope->name);
  return names;
}

}  // namespace

Response Authorize::Begin(const Request& request) {
  auto parsed = AuthorizationRequest::Parse(request.query, settings_);
  if (!parsed) return Fail(parsed.error());
  if (parsed->prompt_none) {
    const Account* account = accounts_.FindBySub(CookieValue(request, kCookie));
    if (!account || (!parsed->login_hint.empty() && FindAccount(parsed->login_hint) != account)) {
      return RedirectResponse(parsed->Redirect({{"error", "login_required"}}));
    }
    if (NeedsConsent(*parsed, *account)) return RedirectResponse(parsed->Redirect({{"error", "consent_required"}}));
    const Pending pending{"", std::move(*parsed), account};
    return RedirectResponse(Approve(request, pending, {}));
  }
  if (pending_.size() >= kMaxPending) pending_.pop_front();
  Pending& pending = pending_.emplace_back(Pending{RandomToken(18), std::move(*parsed), nullptr});
  const Account* hinted = FindAccount(pending.request.login_hint);
  if (hinted && pending.request.Admits(*hinted) && !pending.request.prompt_select_account) {
    pending.account = hinted;
    return AfterAccount(request, pending);
  }
  std::vector<const Account*> admitted;
  for (const Account& account : accounts_.all()) {
    if (pending.request.Admits(account)) admitted.push_back(&account);
  }
  return HtmlResponse(200, ChooserPage(settings_.client_name, pending.id, admitted));
}

Response Authorize::ChooseAccount(const Request& request) {
  const Parameters form = Parameters::Parse(request.body);
  Pending* pending = FindPending(form.Get("request"));
  const Account* account = accounts_.FindBySub(form.Get("account"));
  if (!pending || !account || !pending->request.Admits(*account)) return Fail(Stale());
  pending->account = account;
  return AfterAccount(request, *pending);
}

Response Authorize::AfterAccount(const Request& request, Pending& pending) {
  Response response;
  if (NeedsConsent(pending.request, *pending.account)) {
    response = RedirectResponse(fmt::format("{}/consent?request={}", kPath, pending.id));
  } else {
    response = RedirectResponse(Approve(request, pending, {}));
  }
  response.headers.Add("Set-Cookie", fmt::format("{}={}; Path=/google; HttpOnly; SameSite=Lax{}", kCookie,
                                                 pending.account->sub, request.scheme == "https" ? "; Secure" : ""));
  if (!response.headers.Get("Location").starts_with(kPath)) Forget(pending);
  return response;
}

Response Authorize::Consent(const Request& request) {
  const bool post = request.method == "POST";
  const Parameters form = post ? Parameters::Parse(request.body) : request.query;
  Pending* pending = FindPending(form.Get("request"));
  if (!pending || !pending->account) return Fail(Stale());
  const std::vector<const Scope*> asked = Asked(pending->request, *pending->account);
  if (!post) return HtmlResponse(200, ConsentPage(settings_.client_name, pending->id, *pending->account, asked));
  std::string location;
  if (form.Get("decision") != "approve") {
    location = pending->request.Redirect({{"error", "access_denied"}});
  } else {
    // One permission alone has no box: Continue is the yes to it.
    location = Approve(request, *pending, asked.size() > 1 ? form.All("scope") : AllOf(asked));
  }
  Forget(*pending);
  return RedirectResponse(location);
}

std::expected<std::string, PageError> Authorize::Walk(const Request& request, const Parameters& query,
                                                      const Decision& decision) {
  auto parsed = AuthorizationRequest::Parse(query, settings_);
  if (!parsed) return std::unexpected(parsed.error());
  const Account* account = FindAccount(decision.account);
  if (!account || !parsed->Admits(*account)) {
    return std::unexpected(PageError{400, "unknown_account", "The chooser would not offer this account."});
  }
  const Pending pending{"", std::move(*parsed), account};
  if (!decision.approve) return pending.request.Redirect({{"error", "access_denied"}});
  std::vector<std::string_view> ticked = AllOf(Asked(pending.request, *account));
  if (ticked.size() > 1) {
    std::erase_if(ticked, [&](std::string_view scope) { return Contains(decision.untick, scope); });
  }
  return Approve(request, pending, ticked);
}

std::vector<const Scope*> Authorize::Asked(const AuthorizationRequest& request, const Account& account) const {
  const ScopeSet consented = grants_.Consented(account, request.client_id);
  std::vector<const Scope*> asked;
  for (const Scope* scope : request.scopes) {
    if (!IsSignIn(*scope) && (request.prompt_consent || !consented.contains(scope->name))) asked.push_back(scope);
  }
  return asked;
}

bool Authorize::NeedsConsent(const AuthorizationRequest& request, const Account& account) const {
  if (request.prompt_consent) return true;
  const ScopeSet consented = grants_.Consented(account, request.client_id);
  return !std::ranges::all_of(request.scopes, [&](const Scope* scope) { return consented.contains(scope->name); });
}

std::string Authorize::Approve(const Request& request, const Pending& pending,
                               const std::vector<std::string_view>& ticked) {
  const AuthorizationRequest& asked = pending.request;
  const ScopeSet consented = grants_.Consented(*pending.account, asked.client_id);
  AuthorizationCode code;
  code.grant.account = pending.account;
  code.grant.client_id = asked.client_id;
  const std::vector<const Scope*> open = Asked(asked, *pending.account);
  for (const Scope* scope : asked.scopes) {
    // What was open needs a tick; sign-in and what was granted before comes along.
    if (!Contains(open, scope) || Contains(ticked, scope->name)) {
      code.grant.scopes.emplace(scope->name);
    }
  }
  if (asked.include_granted) code.grant.scopes.insert(consented.begin(), consented.end());
  code.redirect_uri = asked.redirect_uri;
  code.challenge = asked.challenge;
  code.challenge_method = asked.challenge_method;
  code.nonce = asked.nonce;
  code.offline = asked.offline;
  code.consent_prompted = asked.prompt_consent;

  std::vector<std::pair<std::string, std::string>> parameters;
  if (settings_.send_iss) parameters.emplace_back("iss", request.Base() + "/google");
  const std::string scope = FormatScopes(code.grant.scopes);
  parameters.emplace_back("code", grants_.IssueCode(std::move(code)));
  parameters.emplace_back("scope", scope);
  parameters.emplace_back("authuser", "0");
  if (!pending.account->hd.empty()) parameters.emplace_back("hd", pending.account->hd);
  parameters.emplace_back("prompt", asked.prompt_consent || !open.empty() ? "consent" : "none");
  return asked.Redirect(parameters);
}

Authorize::Pending* Authorize::FindPending(std::string_view id) {
  const auto found = std::ranges::find(pending_, id, &Pending::id);
  return found == pending_.end() ? nullptr : &*found;
}

const Account* Authorize::FindAccount(std::string_view email_or_sub) const {
  if (email_or_sub.empty()) return nullptr;
  const Account* account = accounts_.FindByEmail(email_or_sub);
  return account ? account : accounts_.FindBySub(email_or_sub);
}

Response Authorize::Fail(const PageError& error) const {
  return HtmlResponse(error.status, ErrorPage(settings_.client_name, error));
}

void Authorize::Forget(const Pending& pending) {
  pending_.remove_if([&](const Pending& entry) { return &entry == &pending; });
}

}  // namespace latchkey::simulator
