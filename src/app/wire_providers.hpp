#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "config/settings.hpp"
#include "connected_accounts/scope_catalog.hpp"
#include "http_client/http_client.hpp"
#include "oauth/identity_provider.hpp"

namespace latchkey::app {

/// What a provider is made with and added to. Everything outlives the providers.
struct ProviderParts {
  http_client::HttpClient& http;
  const Clock& clock;
  Executor executor;
  oauth::IdentityProviders& providers;
  connected_accounts::ScopeCatalogs& scopes;
};

/// Adds the provider when the settings name its client. A provider that cannot be used is a log event, not the end: the
/// others serve. After config::CompleteUrls.
void AddGoogle(const config::Settings& settings, const ProviderParts& parts);
void AddMicrosoft(const config::Settings& settings, const ProviderParts& parts);

/// The addresses whose origins calls to the provider may go to.
void AddGoogleOrigins(const config::Settings& settings, std::vector<std::string>& origins);
void AddMicrosoftOrigins(const config::Settings& settings, std::vector<std::string>& origins);

}  // namespace latchkey::app
