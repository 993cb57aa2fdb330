#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "connected_accounts/scope_catalog.hpp"
#include "http_client/http_client.hpp"
#include "oauth/identity_provider.hpp"

namespace latchkey::google {

struct OAuthSettings {
  std::string discovery_url = "https://accounts.google.com/.well-known/openid-configuration";
  std::string client_id;
  SecretString client_secret;
  std::string sign_in_callback_url;  ///< AUTH_GOOGLE_CALLBACK_URL
  std::string connect_callback_url;  ///< AUTH_GOOGLE_APIS_CALLBACK_URL
};

/// Google as OpenID provider. `http` and `clock` must outlive it. kInvalidArgument for a discovery address that is
/// neither https nor loopback or does not end in the well-known suffix, and for an empty client id.
Result<std::shared_ptr<oauth::IdentityProvider>> MakeIdentityProvider(const OAuthSettings& settings,
                                                                      http_client::HttpClient& http, const Clock& clock,
                                                                      Executor executor);

/// Google's scopes per capability.
std::shared_ptr<const connected_accounts::ScopeCatalog> MakeScopeCatalog();

}  // namespace latchkey::google
