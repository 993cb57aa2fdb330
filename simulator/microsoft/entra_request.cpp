#include "simulator/microsoft/entra_request.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "simulator/google/scopes.hpp"
#include "simulator/html.hpp"
#include "simulator/oauth_client.hpp"

namespace latchkey::simulator::entra {

std::optional<Tenant> Tenant::Find(std::string_view segment, const AccountRegistry& accounts) {
  if (EqualsIgnoreCase(segment, "common")) return Tenant{Kind::kCommon, {}};
  if (EqualsIgnoreCase(segment, "organizations")) return Tenant{Kind::kOrganizations, {}};
  if (EqualsIgnoreCase(segment, "consumers")) return Tenant{Kind::kConsumers, std::string(kPersonalTenant)};
  std::string tid = accounts.FindTenant(segment);
  if (tid.empty()) return std::nullopt;
  const Kind kind = tid == kPersonalTenant ? Kind::kConsumers : Kind::kOne;
  return Tenant{kind, std::move(tid)};
}

bool Tenant::Admits(const Account& account) const {
  if (!account.IsMicrosoft()) return false;
  switch (kind) {
    case Kind::kCommon:
      return true;
    case Kind::kOrganizations:
      return !account.IsPersonal();
    case Kind::kConsumers:
    case Kind::kOne:
      return account.microsoft.tid == tid;
  }
  return false;
}

std::string ReplyLocation(const ReplyTo& to, ReplyParameters parameters) {
  if (to.mode == ReplyTo::Mode::kFormPost) return to.redirect_uri;
  if (!to.state.empty()) parameters.emplace_back("state", to.state);
  std::string location = to.redirect_uri;
  char separator = to.mode == ReplyTo::Mode::kFragment ? '#' : location.contains('?') ? '&' : '?';
  for (const auto& [name, value] : parameters) {
    location += separator;
    location += name;
    location += '=';
    location += PercentEncode(value);
    separator = '&';
  }
  return location;
}

Response Reply(const ReplyTo& to, ReplyParameters parameters) {
  if (to.mode != ReplyTo::Mode::kFormPost) return RedirectResponse(ReplyLocation(to, std::move(parameters)));
  if (!to.state.empty()) parameters.emplace_back("state", to.state);
  std::string fields;
  for (const auto& [name, value] : parameters) {
    fields += fmt::format("<input type=\"hidden\" name=\"{}\" value=\"{}\">", EscapeHtml(name), EscapeHtml(value));
  }
  return HtmlResponse(200, fmt::format("<!doctype html>\n<html><head><title>Working...</title></head>"
                                       "<body onload=\"document.forms[0].submit()\"><form method=\"post\" "
                                       "action=\"{}\">{}<noscript><button>Submit</button></noscript></form></body>"
                                       "</html>\n",
                                       EscapeHtml(to.redirect_uri), fields));
}

bool EntraRequest::Admits(const Account& account) const {
  if (!tenant.Admits(account)) return false;
  if (domain_hint == "consumers") return account.IsPersonal();
  if (domain_hint == "organizations") return !account.IsPersonal();
  return true;
}

std::expected<EntraRequest, EntraRequest::Refused> EntraRequest::Parse(std::string_view tenant, const Parameters& query,
                                                                       const AccountRegistry& accounts,
                                                                       const Settings& settings, Instant now) {
  const auto page = [](std::string_view slug, std::string_view detail) {
    return std::unexpected(Refused{PageError{FindError(slug), std::string(detail)}, {}, {}, {}});
  };
  EntraRequest parsed;
  const auto found = Tenant::Find(tenant, accounts);
  if (!found) return page("tenant-unknown", tenant);
  parsed.tenant = *found;
  parsed.tenant_segment = tenant;

  // Until client and redirect URI are known to belong together, only the page may speak.
  parsed.client_id = query.Get("client_id");
  if (parsed.client_id.empty()) return page("missing-parameter", "client_id");
  if (!EqualsIgnoreCase(parsed.client_id, settings.microsoft_client_id) || settings.microsoft_client_deleted) {
    return page("app-not-found", parsed.client_id);
  }
  if (settings.microsoft_client_disabled) return page("app-disabled", parsed.client_id);
  parsed.client_id = settings.microsoft_client_id;
  parsed.reply_to.redirect_uri = query.Get("redirect_uri");
  const std::string& uri = parsed.reply_to.redirect_uri;
  if (uri.empty()) return page("missing-parameter", "redirect_uri");
  const bool registered = settings.redirect_uris.empty() ? IsLoopbackUri(uri) : Contains(settings.redirect_uris, uri);
  if (!registered) return page("reply-unregistered", uri);

  parsed.reply_to.state = query.Get("state");
  const std::string_view mode = query.Get("response_mode");
  if (mode == "fragment") parsed.reply_to.mode = ReplyTo::Mode::kFragment;
  if (mode == "form_post") parsed.reply_to.mode = ReplyTo::Mode::kFormPost;
  const auto refuse = [&](std::string_view slug, std::string_view detail) {
    const EntraError& error = *FindError(slug);
    return std::unexpected(
        Refused{std::nullopt, parsed.reply_to, std::string(error.error), Describe(error, detail, now)});
  };
  if (!mode.empty() && mode != "query" && mode != "fragment" && mode != "form_post") return refuse("malformed", "");

  const std::string_view type = query.Get("response_type");
  if (type.empty()) return refuse("missing-parameter", "response_type");
  if (type != "code") return refuse("response-type", type);
  for (const std::string& name : SplitScopes(query.Get("scope"))) {
    const Scope* scope = FindScope(name);
    if (!scope) return refuse("scope-unknown", name);
    if (!Contains(parsed.scopes, scope)) parsed.scopes.push_back(scope);
  }
  if (parsed.scopes.empty()) return refuse("missing-parameter", "scope");

  parsed.prompt = query.Get("prompt");
  constexpr std::string_view kPrompts[] = {"", "login", "none", "consent", "select_account"};
  if (!Contains(kPrompts, parsed.prompt)) return refuse("malformed", "");
  parsed.login_hint = query.Get("login_hint");
  // The two exclude each other.
  if (!parsed.login_hint.empty() && parsed.prompt == "select_account") return refuse("malformed", "");
  parsed.domain_hint = query.Get("domain_hint");

  parsed.challenge = query.Get("code_challenge");
  parsed.challenge_method = query.Get("code_challenge_method");
  if (!parsed.challenge.empty()) {
    if (parsed.challenge_method.empty()) parsed.challenge_method = "plain";
    if (parsed.challenge_method != "plain" && parsed.challenge_method != "S256") return refuse("malformed", "");
    if (parsed.challenge.size() < 43 || parsed.challenge.size() > 128) return refuse("challenge-size", "");
  } else if (!parsed.challenge_method.empty()) {
    return refuse("malformed", "");
  }
  parsed.nonce = query.Get("nonce");
  return parsed;
}

}  // namespace latchkey::simulator::entra
