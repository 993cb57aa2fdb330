#include "providers/microsoft/microsoft_oauth.hpp"

#include "base/encoding.hpp"
#include "base/id.hpp"
#include "oauth/openid_provider.hpp"
#include "providers/microsoft/entra_errors.hpp"
#include "providers/microsoft/entra_issuer.hpp"
#include "providers/microsoft/scope_catalog.hpp"

namespace latchkey::microsoft {
namespace {

constexpr std::string_view kHost = "https://login.microsoftonline.com/";

/// Those of signing in included: what is left out, the person would still be asked for.
std::string AllScopes() {
  using connected_accounts::Capability;
  std::string text = "openid email profile offline_access ";
  const auto scopes =
      MakeScopeCatalog()->ScopesFor({Capability::kReadMail, Capability::kSendMail, Capability::kReadCalendar});
  for (const std::string& scope : scopes.value_or(std::vector<std::string>())) text += scope + ' ';
  return text + std::string(kUserRead);
}

/// The v2.0 admin consent page ("Admin consent on the Microsoft identity platform").
std::string AdminConsentUrl(const EntraIssuer& issuer, const OAuthSettings& settings, std::string_view subject) {
  std::string tenant(TenantOf(subject));
  if (tenant == kPersonalTenant || (tenant.empty() && issuer.tenant() == "consumers")) return {};
  // Without a person's tenant the administrator's own.
  if (tenant.empty()) tenant = issuer.tenant() == "common" ? "organizations" : issuer.tenant();
  return std::string(issuer.origin()) + '/' + tenant +
         "/v2.0/adminconsent?client_id=" + PercentEncode(settings.client_id) + "&scope=" + PercentEncode(AllScopes()) +
         "&redirect_uri=" + PercentEncode(settings.connect_callback_url);
}

}  // namespace

std::string DiscoveryUrlOf(std::string_view tenant) {
  return std::string(kHost) + std::string(tenant) + "/v2.0/.well-known/openid-configuration";
}

Result<std::shared_ptr<oauth::IdentityProvider>> MakeIdentityProvider(const OAuthSettings& settings,
                                                                      http_client::HttpClient& http, const Clock& clock,
                                                                      Executor executor) {
  auto made = EntraIssuer::Make(settings.discovery_url, settings.allowed_tenants);
  if (!made) return Fail(made.error());
  const auto issuer = std::make_shared<const EntraIssuer>(std::move(*made));
  oauth::OpenIdProfile profile;
  profile.name = "microsoft";
  profile.discovery_url = settings.discovery_url;
  profile.client = {.client_id = settings.client_id, .client_secret = settings.client_secret};
  profile.sign_in_callback_url = settings.sign_in_callback_url;
  profile.connect_callback_url = settings.connect_callback_url;
  profile.organisation_claim = "tid";
  profile.issuer_rules = issuer;
  profile.read_token_error = &ClassifyEntraTokenError;
  profile.read_redirect_error = &MeaningOfEntraRedirect;
  profile.connect_scopes = {"offline_access", std::string(kUserRead)};
  profile.scopes_at_refresh = true;
  // Consent is asked for by Entra where it is missing; forcing it would ask people again whose administrator has
  // consented for them. Excludes a preselected account (Entra, "OpenID Connect").
  profile.sign_in_parameters = {{"prompt", "select_account"}};
  profile.connect_parameters = {{"prompt", "select_account"}};
  profile.offers_revocation = false;
  profile.admin_consent_url = [issuer, settings](std::string_view subject) {
    return AdminConsentUrl(*issuer, settings, subject);
  };
  profile.grants_page = [](std::string_view subject) -> std::string {
    if (TenantOf(subject) == kPersonalTenant) return "https://account.live.com/consent/Manage";
    return "https://myapps.microsoft.com";
  };
  auto provider = oauth::OpenIdProvider::Make(std::move(profile), http, clock, executor);
  if (!provider) return Fail(provider.error());
  return std::shared_ptr<oauth::IdentityProvider>(std::move(*provider));
}

}  // namespace latchkey::microsoft
