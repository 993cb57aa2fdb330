#include "providers/google/google_oauth.hpp"

#include "oauth/openid_provider.hpp"

namespace latchkey::google {
namespace {

constexpr std::string_view kIssuer = "https://accounts.google.com";
/// Tokens of Google come with either spelling of the issuer (Google, "OpenID Connect", "Obtain user information").
constexpr std::string_view kIssuerWithoutScheme = "accounts.google.com";

}  // namespace

Result<std::shared_ptr<oauth::IdentityProvider>> MakeIdentityProvider(const OAuthSettings& settings,
                                                                      http_client::HttpClient& http, const Clock& clock,
                                                                      Executor executor) {
  oauth::OpenIdProfile profile;
  profile.name = "google";
  profile.discovery_url = settings.discovery_url;
  profile.client = {.client_id = settings.client_id, .client_secret = settings.client_secret};
  profile.sign_in_callback_url = settings.sign_in_callback_url;
  profile.connect_callback_url = settings.connect_callback_url;
  profile.organisation_claim = "hd";
  if (settings.discovery_url == std::string(kIssuer) + "/.well-known/openid-configuration") {
    profile.issuer_aliases = {std::string(kIssuerWithoutScheme)};
  }
  profile.sign_in_parameters = {{"prompt", "select_account"}};
  // Offline for a refresh token, which Google gives again only after consent. include_granted_scopes stays away: each
  // token then covers what was asked for it and no more.
  profile.connect_parameters = {{"access_type", "offline"}, {"prompt", "consent select_account"}};
  profile.grants_page = [](std::string_view) -> std::string { return "https://myaccount.google.com/connections"; };
  profile.reconnect_parameters = {{"access_type", "offline"}, {"prompt", "consent"}};
  auto provider = oauth::OpenIdProvider::Make(std::move(profile), http, clock, executor);
  if (!provider) return Fail(provider.error());
  return std::shared_ptr<oauth::IdentityProvider>(std::move(*provider));
}

}  // namespace latchkey::google
