#include "app/wire_providers.hpp"
#include "providers/google/google_oauth.hpp"
#include "telemetry/log.hpp"

namespace latchkey::app {

void AddGoogle(const config::Settings& settings, const ProviderParts& parts) {
  if (!settings.google.Configured()) return;
  const google::OAuthSettings google{.discovery_url = settings.google.discovery_url,
                                     .client_id = settings.google.client_id,
                                     .client_secret = settings.google.client_secret,
                                     .sign_in_callback_url = settings.google.sign_in_callback_url,
                                     .connect_callback_url = settings.google.connect_callback_url};
  auto provider = google::MakeIdentityProvider(google, parts.http, parts.clock, parts.executor);
  if (!provider) {
    log::Failure("provider.not_usable", {{"provider", "google"}, {"detail", provider.error().detail}});
    return;
  }
  parts.providers.Add(std::move(*provider));
  parts.scopes.Add(google::MakeScopeCatalog());
}

void AddGoogleOrigins(const config::Settings& settings, std::vector<std::string>& origins) {
  origins.insert(origins.end(),
                 {settings.google.discovery_url, settings.google.gmail_url, settings.google.calendar_url});
  // Google spreads its endpoints over hosts of their own; a stand-in keeps to its own origin.
  if (!settings.google.discovery_url.starts_with("https://accounts.google.com/")) return;
  for (const auto* host :
       {"https://oauth2.googleapis.com", "https://www.googleapis.com", "https://openidconnect.googleapis.com"})
    origins.emplace_back(host);
}

}  // namespace latchkey::app
