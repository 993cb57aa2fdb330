#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "async/timer.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "http_client/http_client.hpp"
#include "oauth/issuer_rules.hpp"

namespace latchkey::oauth {

/// Answers of discovery, key and token endpoints: no larger, no slower.
inline constexpr std::size_t kMaxProviderDocument = 256 * 1024;
inline constexpr std::chrono::seconds kProviderDeadline{10};

/// The parts of an OpenID provider's metadata that we use (OpenID Connect Discovery 1.0 section 3).
class Discovery {
 public:
  /// kMalformedReply unless it is a strict JSON object whose issuer equals `issuer` exactly and whose endpoints are all
  /// https; for a plain-http loopback issuer they may be plain http on loopback as well.
  static Result<Discovery> Parse(std::string_view text, std::string_view issuer);
  /// For a provider with an issuer per tenant: its rules say which issuers the document may name, and all endpoints
  /// must be on the rules' origin.
  static Result<Discovery> Parse(std::string_view text, const IssuerRules& rules);

  const std::string& issuer() const { return issuer_; }
  const std::string& authorization_endpoint() const { return authorization_endpoint_; }
  const std::string& token_endpoint() const { return token_endpoint_; }
  const std::string& jwks_uri() const { return jwks_uri_; }
  /// Empty when the provider has none.
  const std::string& revocation_endpoint() const { return revocation_endpoint_; }
  /// RFC 9207: the authorization response carries `iss`.
  bool sends_issuer() const { return sends_issuer_; }
  /// The client proves itself by HTTP Basic, because the secret in the form is not offered.
  bool needs_basic() const { return needs_basic_; }

 private:
  Discovery() = default;
  static Result<Discovery> Read(std::string_view text, std::string_view expected, const IssuerRules* rules);
  std::string issuer_, authorization_endpoint_, token_endpoint_, jwks_uri_, revocation_endpoint_;
  bool sends_issuer_ = false, needs_basic_ = false;
};

/// Fetches the document when it is first needed, keeps it for an hour, and goes on with the old one for a day while
/// the provider does not answer. One request at a time. Loop thread only.
class DiscoveryCache {
 public:
  /// `url` is the issuer with the well-known suffix, unless `rules` (nullptr for none) say otherwise.
  DiscoveryCache(std::string url, std::string issuer, const IssuerRules* rules, http_client::HttpClient& http,
                 const Clock& clock, const Executor& executor);
  /// kProviderUnavailable, kTimeout, kMalformedReply.
  Task<Result<std::shared_ptr<const Discovery>>> Get();

 private:
  Task<Result<std::shared_ptr<const Discovery>>> Fetch();

  std::string url_, issuer_;
  const IssuerRules* rules_;
  http_client::HttpClient& http_;
  const Clock& clock_;
  Semaphore one_at_a_time_;
  std::shared_ptr<const Discovery> document_;
  Instant fetched_at_{};
  /// After a failure nobody asks again before this; those who waited behind it get the same answer.
  Instant retry_after_{};
  Error last_error_;
};

}  // namespace latchkey::oauth
