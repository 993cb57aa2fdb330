#include "simulator/google/token_endpoint.hpp"

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"
#include "simulator/google/scopes.hpp"
#include "simulator/oauth_client.hpp"

namespace latchkey::simulator {
namespace {

Response Json(int status, const boost::json::object& body) {
  Response response = JsonResponse(status, boost::json::serialize(body));
  // RFC 6749 section 5.1.
  response.headers.Add("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate");
  response.headers.Add("Pragma", "no-cache");
  return response;
}

Response Error(int status, std::string_view error, std::string_view description) {
  boost::json::object body;
  body["error"] = error;
  body["error_description"] = description;
  return Json(status, body);
}

}  // namespace

Response TokenEndpoint::Refuse(int status, std::string_view error, std::string_view description) {
  grants_.CountRefused();
  return Error(status, error, description);
}

Response TokenEndpoint::Token(const Request& request, IdTokenVariant variant) {
  if (request.method != "POST") return Refuse(405, "invalid_request", "Only POST is allowed here.");
  const Parameters form = Parameters::Parse(request.body);
  const std::string_view grant_type = form.Get("grant_type");
  if (grant_type.empty()) return Refuse(400, "invalid_request", "Required parameter is missing: grant_type");
  if (grant_type != "authorization_code" && grant_type != "refresh_token") {
    return Refuse(400, "unsupported_grant_type", fmt::format("Invalid grant_type: {}", grant_type));
  }
  const ClientCredentials client = ReadCredentials(request, form);
  if (client.id.empty()) return Refuse(400, "invalid_request", "Could not determine client ID from request.");
  if (client.id != settings_.client_id) return Refuse(401, "invalid_client", "The OAuth client was not found.");
  if (settings_.client_deleted) return Refuse(401, "deleted_client", "The OAuth client was deleted.");
  if (client.secret.empty()) return Refuse(400, "invalid_request", "client_secret is missing.");
  if (client.secret != settings_.client_secret) return Refuse(401, "invalid_client", "Unauthorized");
  return grant_type == "refresh_token" ? Refresh(request, form, client.id, variant)
                                       : RedeemCode(request, form, client.id, variant);
}

Response TokenEndpoint::RedeemCode(const Request& request, const Parameters& form, const std::string& client_id,
                                   IdTokenVariant variant) {
  const std::string_view text = form.Get("code");
  if (text.empty()) return Refuse(400, "invalid_request", "Missing required parameter: code");
  if (!text.starts_with("4/")) return Refuse(400, "invalid_grant", "Malformed auth code.");
  const std::optional<AuthorizationCode> code = grants_.TakeCode(text);
  if (!code || code->grant.client_id != client_id) return Refuse(400, "invalid_grant", "Bad Request");
  if (form.Get("redirect_uri") != code->redirect_uri) return Refuse(400, "redirect_uri_mismatch", "Bad Request");
  const std::string_view verifier = form.Get("code_verifier");
  if (!code->challenge.empty()) {
    if (verifier.empty()) return Refuse(400, "invalid_grant", "Missing code verifier.");
    if (!VerifierMatches(code->challenge, code->challenge_method, verifier))
      return Refuse(400, "invalid_grant", "Invalid code verifier.");
  } else if (!verifier.empty()) {
    return Refuse(400, "invalid_grant", "code_verifier or verifier is not needed.");
  }
  return Answer(request, grants_.Redeem(*code), code->nonce, variant);
}

Response TokenEndpoint::Refresh(const Request& request, const Parameters& form, const std::string& client_id,
                                IdTokenVariant variant) {
  const std::string_view token = form.Get("refresh_token");
  if (token.empty()) return Refuse(400, "invalid_request", "Missing required parameter: refresh_token");
  ScopeSet scopes;
  for (const std::string& name : SplitScopes(form.Get("scope"))) {
    const Scope* scope = FindScope(name);
    if (!scope) return Refuse(400, "invalid_scope", "Bad Request");
    scopes.emplace(scope->name);
  }
  const GrantStore::RefreshOutcome outcome = grants_.Refresh(token, client_id, scopes);
  if (outcome.tokens) return Answer(request, *outcome.tokens, "", variant);
  switch (outcome.failure) {
    case GrantStore::RefreshFailure::kDead:
      return Refuse(400, "invalid_grant", "Token has been expired or revoked.");
    case GrantStore::RefreshFailure::kScope:
      return Refuse(400, "invalid_scope", "Bad Request");
    case GrantStore::RefreshFailure::kUnknown:
    case GrantStore::RefreshFailure::kForeign:
      break;
  }
  return Refuse(400, "invalid_grant", "Bad Request");
}

Response TokenEndpoint::Answer(const Request& request, const IssuedTokens& tokens, const std::string& nonce,
                               IdTokenVariant variant) {
  boost::json::object body;
  body["access_token"] = tokens.access_token;
  body["expires_in"] = tokens.expires_in.count();
  if (tokens.refresh_token) body["refresh_token"] = *tokens.refresh_token;
  if (tokens.refresh_expires_in) body["refresh_token_expires_in"] = tokens.refresh_expires_in->count();
  body["scope"] = FormatScopes(tokens.grant.scopes);
  body["token_type"] = "Bearer";
  if (tokens.grant.Has("openid")) {
    const IdTokenFacts facts{request.Base() + "/google", nonce, tokens.access_token, variant};
    body["id_token"] = MakeIdToken(keys_, tokens.grant, facts);
  }
  return Json(200, body);
}

Response TokenEndpoint::Revoke(const Request& request) {
  if (request.method != "POST") return Error(405, "invalid_request", "Only POST is allowed here.");
  // Google's own libraries put the token into the query.
  const Parameters form = Parameters::Parse(request.body);
  const std::string_view token = form.Find("token") ? form.Get("token") : request.query.Get("token");
  if (token.empty()) return Error(400, "invalid_request", "Missing required parameter: token");
  if (!grants_.RevokeToken(token)) return Error(400, "invalid_token", "Token expired or revoked");
  return Json(200, {});
}

Response TokenEndpoint::TokenInfo(const Request& request) const {
  std::string_view token = request.query.Get("access_token");
  const Parameters form = Parameters::Parse(request.body);
  if (token.empty()) token = form.Get("access_token");
  if (token.empty()) token = BearerToken(request);
  const GrantStore::AccessToken* access = grants_.FindAccess(token);
  if (!access) return Error(400, "invalid_token", "Invalid Value");
  const Account& account = *access->grant.account;
  const auto expires = std::chrono::floor<std::chrono::seconds>(access->expires);
  boost::json::object body;
  body["azp"] = access->grant.client_id;
  body["aud"] = access->grant.client_id;
  body["sub"] = account.sub;
  body["scope"] = FormatScopes(access->grant.scopes);
  body["exp"] = std::to_string(expires.time_since_epoch().count());
  body["expires_in"] = std::to_string((expires - std::chrono::floor<std::chrono::seconds>(grants_.Now())).count());
  if (access->grant.Has("https://www.googleapis.com/auth/userinfo.email")) {
    body["email"] = account.email;
    body["email_verified"] = account.email_verified ? "true" : "false";
  }
  body["access_type"] = access->offline ? "offline" : "online";
  return Json(200, body);
}

Response TokenEndpoint::UserInfo(const Request& request) const {
  const GrantStore::AccessToken* access = grants_.FindAccess(BearerToken(request));
  if (!access || !access->grant.Has("openid")) {
    Response response = Error(401, "invalid_request", "Invalid Credentials");
    response.headers.Add("WWW-Authenticate", R"(Bearer realm="https://accounts.google.com/", error="invalid_token")");
    return response;
  }
  const Grant& grant = access->grant;
  const Account& account = *grant.account;
  boost::json::object body;
  body["sub"] = account.sub;
  if (grant.Has("https://www.googleapis.com/auth/userinfo.profile")) {
    body["name"] = account.name;
    body["given_name"] = account.given_name;
    if (!account.family_name.empty()) body["family_name"] = account.family_name;
    if (!account.picture.empty()) body["picture"] = account.picture;
  }
  if (grant.Has("https://www.googleapis.com/auth/userinfo.email")) {
    body["email"] = account.email;
    body["email_verified"] = account.email_verified;
    if (!account.hd.empty()) body["hd"] = account.hd;
  }
  return Json(200, body);
}

}  // namespace latchkey::simulator
