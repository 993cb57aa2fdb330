#include "simulator/microsoft/microsoft_identity.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace latchkey::simulator::entra {

MicrosoftIdentity::MicrosoftIdentity(const Clock& clock, const AccountRegistry& accounts, const Settings& settings)
    : accounts_(accounts),
      settings_(settings),
      grants_(clock, settings),
      authorize_(accounts, grants_, settings),
      tokens_(accounts, grants_, keys_, settings) {}

bool MicrosoftIdentity::Owns(const Request& request) {
  if (request.path == "/oidc/userinfo") return true;
  const auto& segments = request.segments;
  if (segments.size() < 3) return false;
  return (segments[1] == "oauth2" && segments[2] == "v2.0") || (segments[1] == "discovery" && segments[2] == "v2.0") ||
         (segments[1] == "v2.0" && (segments[2] == ".well-known" || segments[2] == "adminconsent"));
}

Response MicrosoftIdentity::Handle(Request& request, IdTokenVariant variant) {
  const bool get = request.method == "GET" || request.method == "HEAD";
  const bool post = request.method == "POST";
  if (request.path == "/oidc/userinfo") return tokens_.UserInfo(request);
  // The path without its tenant.
  const std::string path = request.path.substr(request.path.find('/', 1));
  if (path == "/oauth2/v2.0/token") return tokens_.Token(request, variant);
  if (path == "/v2.0/.well-known/openid-configuration" && get) return Discovery(request);
  if (path == "/discovery/v2.0/keys" && get) {
    if (!Tenant::Find(request.segments[0], accounts_)) return Discovery(request);
    Response response = JsonResponse(200, keys_.Jwks(request.Base()));
    response.headers.Set("Content-Type", "application/json; charset=utf-8");
    response.headers.Add("Cache-Control", "max-age=86400, private");
    return response;
  }
  Response page = path == "/oauth2/v2.0/authorize" && (get || post)           ? authorize_.Begin(request)
                  : path == "/oauth2/v2.0/authorize/account" && post          ? authorize_.ChooseAccount(request)
                  : path == "/oauth2/v2.0/authorize/consent" && (get || post) ? authorize_.Decide(request)
                  : path == "/v2.0/adminconsent" && get                       ? authorize_.BeginAdminConsent(request)
                  : path == "/oauth2/v2.0/logout" && get                      ? authorize_.Logout(request)
                                                                              : TextResponse(404, "Not Found\n");
  page.headers.Add("Cache-Control", "no-store, no-cache");
  page.headers.Add("Referrer-Policy", "strict-origin-when-cross-origin");
  page.headers.Add("X-Frame-Options", "DENY");
  if (settings_.sever_opener) page.headers.Add("Cross-Origin-Opener-Policy", "same-origin");
  return page;
}

Response MicrosoftIdentity::Discovery(const Request& request) const {
  const std::string& segment = request.segments[0];
  const auto tenant = Tenant::Find(segment, accounts_);
  if (!tenant) return TokenError(*FindError("tenant-unknown"), segment, grants_.Now());
  const std::string base = request.Base();
  const std::string authority = base + "/" + segment;
  boost::json::object document;
  document["token_endpoint"] = authority + "/oauth2/v2.0/token";
  document["token_endpoint_auth_methods_supported"] = {"client_secret_post", "client_secret_basic"};
  document["jwks_uri"] = authority + "/discovery/v2.0/keys";
  document["response_modes_supported"] = {"query", "fragment", "form_post"};
  document["subject_types_supported"] = boost::json::array({"pairwise"});
  document["id_token_signing_alg_values_supported"] = boost::json::array({"RS256"});
  document["response_types_supported"] = boost::json::array({"code"});
  document["scopes_supported"] = {"openid", "profile", "email", "offline_access"};
  document["issuer"] = base + "/" + tenant->IssuerTenant() + "/v2.0";
  document["request_uri_parameter_supported"] = false;
  document["userinfo_endpoint"] = base + "/oidc/userinfo";
  document["authorization_endpoint"] = authority + "/oauth2/v2.0/authorize";
  document["http_logout_supported"] = true;
  document["frontchannel_logout_supported"] = true;
  document["end_session_endpoint"] = authority + "/oauth2/v2.0/logout";
  document["claims_supported"] = {"sub",  "iss", "aud", "exp",  "iat", "nonce", "preferred_username",
                                  "name", "tid", "ver", "email"};
  document["tenant_region_scope"] = nullptr;
  document["cloud_instance_name"] = "microsoftonline.com";
  document["cloud_graph_host_name"] = "graph.windows.net";
  document["msgraph_host"] = "graph.microsoft.com";
  Response response = JsonResponse(200, boost::json::serialize(document));
  response.headers.Set("Content-Type", "application/json; charset=utf-8");
  response.headers.Add("Cache-Control", "max-age=86400, private");
  return response;
}

}  // namespace latchkey::simulator::entra
