#include "app/wire_providers.hpp"
#include "providers/microsoft/microsoft_oauth.hpp"
#include "telemetry/log.hpp"

namespace latchkey::app {
namespace {

std::string DiscoveryUrl(const config::MicrosoftSettings& settings) {
  return settings.discovery_url.empty() ? microsoft::DiscoveryUrlOf(settings.tenant) : settings.discovery_url;
}

}  // namespace

void AddMicrosoft(const config::Settings& settings, const ProviderParts& parts) {
  if (!settings.microsoft.Configured()) return;
  const microsoft::OAuthSettings microsoft{.discovery_url = DiscoveryUrl(settings.microsoft),
                                           .client_id = settings.microsoft.client_id,
                                           .client_secret = settings.microsoft.client_secret,
                                           .sign_in_callback_url = settings.microsoft.sign_in_callback_url,
                                           .connect_callback_url = settings.microsoft.connect_callback_url,
                                           .allowed_tenants = settings.microsoft.allowed_tenants};
  auto provider = microsoft::MakeIdentityProvider(microsoft, parts.http, parts.clock, parts.executor);
  if (!provider) {
    log::Failure("provider.not_usable", {{"provider", "microsoft"}, {"detail", provider.error().detail}});
    return;
  }
  parts.providers.Add(std::move(*provider));
  parts.scopes.Add(microsoft::MakeScopeCatalog());
}

void AddMicrosoftOrigins(const config::Settings& settings, std::vector<std::string>& origins) {
  if (!settings.microsoft.Configured()) return;
  origins.push_back(DiscoveryUrl(settings.microsoft));
  origins.push_back(settings.microsoft.graph_url);
  // Upload sessions for large attachments live beside Graph; a stand-in keeps to its own origin.
  if (settings.microsoft.graph_url.starts_with("https://graph.microsoft.com")) {
    for (const auto* host : {"https://outlook.office.com", "https://outlook.office365.com"}) origins.emplace_back(host);
  }
}

}  // namespace latchkey::app
