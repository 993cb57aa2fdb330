#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "connected_accounts/scope_catalog.hpp"
#include "http_client/http_client.hpp"
#include "oauth/identity_provider.hpp"

namespace latchkey::microsoft {

struct OAuthSettings {
  /// "https://HOST/TENANT/v2.0/.well-known/openid-configuration"; see DiscoveryUrlOf.
  std::string discovery_url;
  std::string client_id;
  SecretString client_secret;
  std::string sign_in_callback_url;  ///< AUTH_MICROSOFT_CALLBACK_URL
  std::string connect_callback_url;  ///< AUTH_MICROSOFT_APIS_CALLBACK_URL
  /// Ids of the tenants whose people may sign in and connect; empty for all.
  std::vector<std::string> allowed_tenants;
};

/// Microsoft's metadata for a tenant: "common", "organizations", "consumers", an id or a domain.
std::string DiscoveryUrlOf(std::string_view tenant);

/// Entra v2.0 as OpenID provider, for work, school and personal accounts. Entra has no way to take a grant back
/// (revoking all of a person's sessions in all applications is no substitute): Revoke answers kNotOffered. `http` and
/// `clock` must outlive it. kInvalidArgument for a discovery address of another form or not secure, an empty client id
/// or a tenant that is no id.
Result<std::shared_ptr<oauth::IdentityProvider>> MakeIdentityProvider(const OAuthSettings& settings,
                                                                      http_client::HttpClient& http, const Clock& clock,
                                                                      Executor executor);

/// Graph's delegated permissions per capability. Sending takes two: mail leaves as a draft that is then sent, so that a
/// lost answer can be looked up.
std::shared_ptr<const connected_accounts::ScopeCatalog> MakeScopeCatalog();

}  // namespace latchkey::microsoft
