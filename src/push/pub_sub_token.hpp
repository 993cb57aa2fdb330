#pragma once

#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "http_client/http_client.hpp"
#include "oauth/discovery.hpp"
#include "oauth/jwks_cache.hpp"

namespace latchkey::push {

/// What a Pub/Sub push subscription's tokens must say.
struct PubSubRules {
  std::string discovery_url;  ///< Whose keys sign: Google's, or a stand-in's.
  std::string issuer;
  std::string audience;
  std::string service_account;  ///< Of the subscription: the `email` claim.
};

/// Proves that a POST to the Gmail webhook comes from the operator's own Pub/Sub subscription: a JWT signed by Google
/// with the configured audience and service account (Pub/Sub, "Authenticating push subscriptions"). Loop thread only.
class PubSubToken {
 public:
  PubSubToken(PubSubRules rules, http_client::HttpClient& http, const Clock& clock, const Executor& executor);

  /// `authorization` is the header's value. kUnauthenticated with the exact fault in the detail, for the log alone;
  /// kProviderUnavailable and such when the keys cannot be had.
  Task<Result<void>> Check(std::string_view authorization);

 private:
  PubSubRules rules_;
  const Clock& clock_;
  oauth::DiscoveryCache discovery_;
  oauth::JwksCache keys_;
};

}  // namespace latchkey::push
