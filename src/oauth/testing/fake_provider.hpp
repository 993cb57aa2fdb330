#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "http_client/http_client.hpp"
#include "oauth/testing/token_forge.hpp"

namespace latchkey::oauth::testing {

/// An OpenID provider behind the HttpClient port: no sockets, everything it was asked is kept, every answer can be
/// replaced. For tests only.
class FakeProvider final : public http_client::HttpClient {
 public:
  static constexpr std::string_view kIssuer = "https://id.example.test";
  static constexpr std::string_view kClientId = "client-1";
  static std::string DiscoveryUrl() { return std::string(kIssuer) + "/.well-known/openid-configuration"; }

  explicit FakeProvider(const Clock& clock);

  Task<Result<http_client::HttpResponse>> Send(const http_client::HttpRequest& request) override;

  /// The person who signs in, and what the next code exchange says.
  std::string subject = "subject-1";
  std::string email = "ada@example.com";
  bool email_verified = true;
  std::string nonce;
  std::string scope = "openid email profile";
  bool give_refresh_token = true;
  bool give_id_token = true;
  std::string more_token_members;
  /// Claims as JSON members, after the usual ones ("\"hd\":\"example.com\"").
  std::string more_claims;
  /// Set: the whole ID token of the next answers.
  std::string id_token;

  /// Answers in place of the usual one, oldest first; the path is the one behind the issuer, such as "/token".
  std::map<std::string, std::deque<Result<http_client::HttpResponse>>> replaced;
  /// Waited for before each answer of the token endpoint.
  std::function<Task<void>()> before_token;

  std::vector<http_client::HttpRequest> requests;
  int Count(std::string_view path) const;
  /// The last form field of that name sent to `path`; empty when there was none.
  std::string Field(std::string_view path, std::string_view name) const;
  std::vector<std::string> revoked;

  ForgeKey& key() { return key_; }
  void RotateKey(std::string kid) { key_ = ForgeKey::Rsa(std::move(kid)); }
  std::string MakeIdToken(std::string_view access_token) const;
  static http_client::HttpResponse Answer(int status, std::string body, std::vector<http_client::Header> headers = {});

  std::string discovery_members;
  std::string keys_cache_control = "public, max-age=3600";

 private:
  http_client::HttpResponse Usual(const std::string& path, const http_client::HttpRequest& request);
  http_client::HttpResponse Token(const http_client::HttpRequest& request);

  const Clock& clock_;
  ForgeKey key_;
  int tokens_ = 0;
};

/// The value of one field of a form body or query, decoded; empty when absent.
std::string FormField(std::string_view form, std::string_view name);

}  // namespace latchkey::oauth::testing
