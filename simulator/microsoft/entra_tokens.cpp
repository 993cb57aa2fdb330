#include "simulator/microsoft/entra_tokens.hpp"

#include <algorithm>

#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"
#include "simulator/google/scopes.hpp"
#include "simulator/oauth_client.hpp"

namespace latchkey::simulator::entra {
namespace {

Response Json(int status, const boost::json::object& body) {
  Response response = JsonResponse(status, boost::json::serialize(body));
  response.headers.Set("Content-Type", "application/json; charset=utf-8");
  response.headers.Add("Cache-Control", "no-store, no-cache");
  response.headers.Add("Pragma", "no-cache");
  return response;
}

}  // namespace

Response EntraTokens::Refuse(std::string_view slug, std::string_view detail) {
  grants_.CountRefused();
  return TokenError(*FindError(slug), detail, grants_.Now());
}

Response EntraTokens::Token(const Request& request, IdTokenVariant variant) {
  if (request.method != "POST") return Refuse("malformed");
  const auto tenant = Tenant::Find(request.segments[0], accounts_);
  if (!tenant) return Refuse("tenant-unknown", request.segments[0]);
  const Parameters form = Parameters::Parse(request.body);
  const std::string_view grant_type = form.Get("grant_type");
  if (grant_type.empty()) return Refuse("missing-parameter", "grant_type");
  if (grant_type != "authorization_code" && grant_type != "refresh_token") return Refuse("grant-type", grant_type);
  const ClientCredentials client = ReadCredentials(request, form);
  if (client.id.empty()) return Refuse("missing-parameter", "client_id");
  if (!EqualsIgnoreCase(client.id, settings_.microsoft_client_id) || settings_.microsoft_client_deleted) {
    return Refuse("app-not-found", client.id);
  }
  if (settings_.microsoft_client_disabled) return Refuse("app-disabled", client.id);
  if (client.secret.empty()) return Refuse("secret-missing");
  if (client.secret != settings_.microsoft_client_secret) return Refuse("bad-secret", client.id);
  if (settings_.microsoft_secret_expired) return Refuse("secret-expired", client.id);
  return grant_type == "refresh_token" ? Refresh(request, *tenant, form, variant)
                                       : RedeemCode(request, *tenant, form, variant);
}

std::optional<Response> EntraTokens::RefuseAccount(const Account& account, const Tenant& tenant) {
  if (!tenant.Admits(account)) return Refuse("wrong-tenant", tenant.tid);
  if (account.microsoft.deleted) return Refuse("user-gone");
  if (account.microsoft.disabled) return Refuse("user-disabled");
  return std::nullopt;
}

std::expected<ScopeSet, Response> EntraTokens::Narrow(const Grant& granted, const Parameters& form) {
  const Account& account = *granted.account;
  std::vector<const Scope*> asked;
  for (const std::string& name : SplitScopes(form.Get("scope"))) {
    if (name.ends_with("/.default")) {
      for (const std::string& own : granted.scopes) asked.push_back(FindScope(own));
      continue;
    }
    const Scope* scope = FindScope(name);
    if (!scope) return std::unexpected(Refuse("invalid-scope", name));
    asked.push_back(scope);
  }
  if (asked.empty()) {
    for (const std::string& own : granted.scopes) asked.push_back(FindScope(own));
  }
  const auto named = std::ranges::find_if(asked, [](const Scope* s) { return s->resource != Resource::kSignIn; });
  const Resource resource = named == asked.end() ? Resource::kGraph : (*named)->resource;

  const ScopeSet consented = grants_.Consented(account, granted.client_id);
  ScopeSet scopes;
  for (const Scope* scope : asked) {
    const std::string name = GrantName(*scope);
    if (scope->resource == Resource::kSignIn) {
      scopes.insert(name);
    } else if (scope->resource == resource) {
      if (account.IsPersonal() && !scope->personal) continue;
      if (!consented.contains(name)) {
        return std::unexpected(account.IsPersonal() ? Refuse("scope-unauthorized")
                                                    : Refuse("consent", granted.client_id));
      }
      scopes.insert(name);
    }
  }
  if (!account.IsPersonal()) {
    // A work account's token carries everything that was ever consented for its resource.
    for (const std::string& name : consented) {
      const Scope* scope = FindScope(name);
      if (scope && scope->resource == resource) scopes.insert(name);
    }
  }
  for (const std::string& blocked : account.microsoft.blocked_scopes) {
    if (const Scope* scope = FindScope(blocked)) scopes.erase(GrantName(*scope));
  }
  return scopes;
}

Response EntraTokens::RedeemCode(const Request& request, const Tenant& tenant, const Parameters& form,
                                 IdTokenVariant variant) {
  if (form.Get("code").empty()) return Refuse("missing-parameter", "code");
  EntraGrants::Failure failure{};
  const std::optional<Code> code = grants_.TakeCode(form.Get("code"), failure);
  if (!code) {
    return Refuse(failure == EntraGrants::Failure::kUsed      ? "code-redeemed"
                  : failure == EntraGrants::Failure::kExpired ? "code-expired"
                                                              : "code-invalid");
  }
  if (form.Get("redirect_uri") != code->redirect_uri) return Refuse("reply-address", form.Get("redirect_uri"));
  const std::string_view verifier = form.Get("code_verifier");
  if (code->challenge.empty() ? !verifier.empty()
                              : !VerifierMatches(code->challenge, code->challenge_method, verifier)) {
    return Refuse("pkce");
  }
  if (auto refused = RefuseAccount(*code->grant.account, tenant)) return std::move(*refused);
  auto scopes = Narrow(code->grant, form);
  if (!scopes) return std::move(scopes.error());
  // Sign-in scopes of the authorization request count, whatever the token request repeats.
  for (const char* name : {"openid", "profile", "email"}) {
    if (code->grant.Has(name)) scopes->insert(name);
  }
  // The refresh token stands for all that was agreed to.
  Grant refresh = code->grant;
  refresh.scopes.insert(scopes->begin(), scopes->end());
  Tokens tokens =
      grants_.Issue({code->grant.account, code->grant.client_id, *scopes}, refresh, code->grant.Has("offline_access"));
  grants_.CountRedeemed();
  return Answer(request, form, tokens, code->nonce, variant);
}

Response EntraTokens::Refresh(const Request& request, const Tenant& tenant, const Parameters& form,
                              IdTokenVariant variant) {
  using Failure = EntraGrants::Failure;
  const std::string_view text = form.Get("refresh_token");
  if (text.empty()) return Refuse("missing-parameter", "refresh_token");
  const EntraGrants::RefreshState found = grants_.FindRefresh(text, settings_.microsoft_client_id);
  const bool personal = found.grant.account && found.grant.account->IsPersonal();
  switch (found.failure) {
    case Failure::kNone:
      break;
    case Failure::kRevoked:
      return Refuse(personal ? "grant-expired" : "revoked");
    case Failure::kConsentRemoved:
      return personal ? Refuse("grant-expired") : Refuse("consent", settings_.microsoft_client_id);
    case Failure::kInactive:
      return personal ? Refuse("grant-expired") : Refuse("inactive-90-days", FormatInstant(found.issued));
    case Failure::kSpaAge:
      return Refuse("spa-24h", FormatInstant(found.issued));
    default:
      return Refuse("refresh-invalid");
  }
  if (auto refused = RefuseAccount(*found.grant.account, tenant)) return std::move(*refused);
  auto scopes = Narrow(found.grant, form);
  if (!scopes) return std::move(scopes.error());
  Grant refresh = found.grant;
  refresh.scopes.insert(scopes->begin(), scopes->end());
  const Tokens tokens = grants_.Issue({found.grant.account, found.grant.client_id, *scopes}, refresh, true);
  grants_.CountRefresh();
  return Answer(request, form, tokens, "", variant);
}

Response EntraTokens::Answer(const Request& request, const Parameters& form, const Tokens& tokens,
                             const std::string& nonce, IdTokenVariant variant) {
  boost::json::object body;
  body["token_type"] = "Bearer";
  body["scope"] = FormatScopes(tokens.grant.scopes);
  body["expires_in"] = tokens.expires_in.count();
  body["ext_expires_in"] = tokens.expires_in.count();
  body["access_token"] = tokens.access_token;
  if (tokens.refresh_token) body["refresh_token"] = *tokens.refresh_token;
  if (tokens.grant.Has("openid")) {
    body["id_token"] = MakeEntraIdToken(keys_, tokens.grant, request.Base(), nonce, variant);
  }
  if (form.Get("client_info") == "1") {
    const Account& account = *tokens.grant.account;
    body["client_info"] = Base64UrlEncode(
        boost::json::serialize(boost::json::object{{"uid", account.microsoft.oid}, {"utid", account.microsoft.tid}}));
  }
  return Json(200, body);
}

Response EntraTokens::UserInfo(const Request& request) const {
  const EntraGrants::Access* access = grants_.FindAccess(BearerToken(request));
  if (!access || !access->grant.Has("openid")) {
    boost::json::object error;
    error["code"] = "InvalidAuthenticationToken";
    error["message"] = access ? "The token lacks openid." : "Access token validation failure.";
    Response response = Json(401, {{"error", std::move(error)}});
    response.headers.Add("WWW-Authenticate", "Bearer");
    return response;
  }
  const Grant& grant = access->grant;
  const Account& account = *grant.account;
  boost::json::object body;
  body["sub"] = PairwiseSubject(account, grant.client_id);
  if (grant.Has("profile")) {
    body["name"] = account.name;
    if (!account.family_name.empty()) body["family_name"] = account.family_name;
    body["given_name"] = account.given_name;
    body["picture"] = request.Base() + "/v1.0/me/photo/$value";
  }
  if (grant.Has("email") && !account.microsoft.email_claim.empty()) body["email"] = account.microsoft.email_claim;
  return Json(200, body);
}

}  // namespace latchkey::simulator::entra
