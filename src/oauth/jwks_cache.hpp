#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "async/timer.hpp"
#include "base/clock.hpp"
#include "crypto/jwk.hpp"
#include "http_client/http_client.hpp"

namespace latchkey::oauth {

/// The signing keys of one issuer. An unknown key id causes a refetch, at most once a minute and one at a time, so that
/// rotation at the provider fails no sign-in; keys stay usable for 24 hours while the endpoint is down. Loop thread
/// only.
class JwksCache {
 public:
  JwksCache(http_client::HttpClient& http, const Clock& clock, const Executor& executor);

  /// The key with this id; nullopt when the provider does not have it. `url` is the jwks_uri of the provider's present
  /// metadata. kProviderUnavailable and such when there are no usable keys at all.
  Task<Result<std::optional<crypto::VerificationKey>>> Find(const std::string& url, std::string_view kid);

 private:
  Task<Result<void>> Fetch(const std::string& url);
  bool Fresh() const;
  bool Usable() const;

  http_client::HttpClient& http_;
  const Clock& clock_;
  Semaphore one_at_a_time_;
  std::string url_;  ///< Where keys_ came from.
  std::shared_ptr<const crypto::Jwks> keys_;
  Instant fetched_at_{}, fresh_until_{}, retry_after_{}, next_unknown_{};
  Error last_error_;
};

/// max-age of a Cache-Control header in seconds; nullopt when it has none, 0 for no-store and no-cache.
std::optional<std::chrono::seconds> MaxAgeOf(std::string_view cache_control);

}  // namespace latchkey::oauth
