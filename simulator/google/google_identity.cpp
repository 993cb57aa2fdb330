#include "simulator/google/google_identity.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace latchkey::simulator {

GoogleIdentity::GoogleIdentity(const Clock& clock, const AccountRegistry& accounts, const Settings& settings)
    : settings_(settings),
      grants_(clock, settings),
      authorize_(accounts, grants_, settings),
      tokens_(grants_, keys_, settings) {}

Response GoogleIdentity::Handle(Request& request, IdTokenVariant variant) {
  const std::string_view path = std::string_view(request.path).substr(std::string_view("/google").size());
  const bool get = request.method == "GET" || request.method == "HEAD";
  const bool post = request.method == "POST";
  if (path == "/token") return tokens_.Token(request, variant);
  if (path == "/certs" && get) {
    Response response = JsonResponse(200, keys_.Jwks());
    response.headers.Add("Cache-Control", "public, max-age=23474, must-revalidate, no-transform");
    return response;
  }
  if (path == "/userinfo" && (get || post)) return tokens_.UserInfo(request);
  if (path == "/revoke") return tokens_.Revoke(request);
  if (path == "/tokeninfo" && (get || post)) return tokens_.TokenInfo(request);
  if (path == "/.well-known/openid-configuration" && get) return Discovery(request);
  Response page = path == "/o/oauth2/v2/auth" && get                     ? authorize_.Begin(request)
                  : path == "/o/oauth2/v2/auth/account" && post          ? authorize_.ChooseAccount(request)
                  : path == "/o/oauth2/v2/auth/consent" && (get || post) ? authorize_.Consent(request)
                                                                         : TextResponse(404, "Not Found\n");
  page.headers.Add("Cache-Control", "no-store");
  page.headers.Add("Referrer-Policy", "no-referrer");
  page.headers.Add("X-Frame-Options", "DENY");
  if (settings_.sever_opener) page.headers.Add("Cross-Origin-Opener-Policy", "same-origin");
  return page;
}

Response GoogleIdentity::Discovery(const Request& request) const {
  const std::string base = request.Base() + "/google";
  boost::json::object document;
  document["issuer"] = base;
  document["authorization_endpoint"] = base + "/o/oauth2/v2/auth";
  document["token_endpoint"] = base + "/token";
  document["userinfo_endpoint"] = base + "/userinfo";
  document["revocation_endpoint"] = base + "/revoke";
  document["jwks_uri"] = base + "/certs";
  document["response_types_supported"] = boost::json::array({"code"});
  document["response_modes_supported"] = boost::json::array({"query"});
  document["subject_types_supported"] = boost::json::array({"public"});
  document["id_token_signing_alg_values_supported"] = boost::json::array({"RS256"});
  document["scopes_supported"] = {"openid", "email", "profile"};
  document["token_endpoint_auth_methods_supported"] = {"client_secret_post", "client_secret_basic"};
  document["claims_supported"] = {"aud", "email", "email_verified", "exp",     "family_name", "given_name",
                                  "iat", "iss",   "name",           "picture", "sub"};
  document["code_challenge_methods_supported"] = {"plain", "S256"};
  document["grant_types_supported"] = {"authorization_code", "refresh_token"};
  Response response = JsonResponse(200, boost::json::serialize(document));
  response.headers.Add("Cache-Control", "public, max-age=3600");
  return response;
}

}  // namespace latchkey::simulator
