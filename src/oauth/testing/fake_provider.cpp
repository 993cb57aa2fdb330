#include "oauth/testing/fake_provider.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "crypto/hash.hpp"

namespace latchkey::oauth::testing {

using http_client::HttpRequest;
using http_client::HttpResponse;

std::string FormField(std::string_view form, std::string_view name) {
  while (!form.empty()) {
    const std::size_t end = std::min(form.find('&'), form.size());
    const std::string_view pair = form.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) {
      return PercentDecode(pair.substr(equals + 1)).value_or("");
    }
    form.remove_prefix(std::min(end + 1, form.size()));
  }
  return {};
}

FakeProvider::FakeProvider(const Clock& clock) : clock_(clock) {
  // Making an RSA key takes a good part of a second under sanitizers.
  static const ForgeKey key = ForgeKey::Rsa("key-1");
  key_ = key;
}

HttpResponse FakeProvider::Answer(int status, std::string body, std::vector<http_client::Header> headers) {
  HttpResponse response;
  response.status = status;
  response.headers = std::move(headers);
  response.body = std::move(body);
  return response;
}

Task<Result<HttpResponse>> FakeProvider::Send(const HttpRequest& request) {
  requests.push_back(request);
  const std::string path = request.url.substr(kIssuer.size());
  if (path == "/token" && before_token) co_await before_token();
  if (auto it = replaced.find(path); it != replaced.end() && !it->second.empty()) {
    auto answer = std::move(it->second.front());
    it->second.pop_front();
    co_return answer;
  }
  co_return Usual(path, request);
}

HttpResponse FakeProvider::Usual(const std::string& path, const HttpRequest& request) {
  if (path == "/.well-known/openid-configuration") {
    return Answer(200, fmt::format(R"({{"issuer":"{0}","authorization_endpoint":"{0}/authorize",)"
                                   R"("token_endpoint":"{0}/token","jwks_uri":"{0}/keys",)"
                                   R"("revocation_endpoint":"{0}/revoke"{1}}})",
                                   kIssuer, discovery_members));
  }
  if (path == "/keys") {
    return Answer(200, fmt::format(R"({{"keys":[{}]}})", key_.PublicJwk()), {{"Cache-Control", keys_cache_control}});
  }
  if (path == "/token") return Token(request);
  if (path == "/revoke") {
    revoked.push_back(FormField(request.body, "token"));
    return Answer(200, "{}");
  }
  return Answer(404, "");
}

HttpResponse FakeProvider::Token(const HttpRequest& request) {
  const std::string access = fmt::format("access-{}", ++tokens_);
  std::string members =
      fmt::format(R"("access_token":"{}","expires_in":3599,"token_type":"Bearer","scope":"{}")", access, scope);
  const bool is_code = FormField(request.body, "grant_type") == "authorization_code";
  if (give_refresh_token && is_code) members += fmt::format(R"(,"refresh_token":"refresh-{}")", tokens_);
  if (give_id_token) members += fmt::format(R"(,"id_token":"{}")", id_token.empty() ? MakeIdToken(access) : id_token);
  return Answer(200, '{' + members + more_token_members + '}');
}

std::string FakeProvider::MakeIdToken(std::string_view access_token) const {
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_.Now()).time_since_epoch().count();
  const std::string hash = Base64UrlEncode(crypto::Sha256(access_token).substr(0, 16));
  std::string claims =
      fmt::format(R"("iss":"{}","aud":"{}","azp":"{}","sub":"{}","email":"{}","email_verified":{},)"
                  R"("name":"Ada Lovelace","given_name":"Ada","family_name":"Lovelace",)"
                  R"("at_hash":"{}","iat":{},"exp":{})",
                  kIssuer, kClientId, kClientId, subject, email, email_verified, hash, now, now + 3600);
  if (!nonce.empty()) claims += fmt::format(R"(,"nonce":"{}")", nonce);
  if (!more_claims.empty()) claims += ',' + more_claims;
  return key_.SignClaims('{' + claims + '}');
}

int FakeProvider::Count(std::string_view path) const {
  return static_cast<int>(std::ranges::count_if(
      requests, [&](const HttpRequest& request) { return request.url.substr(kIssuer.size()) == path; }));
}

std::string FakeProvider::Field(std::string_view path, std::string_view name) const {
  for (auto it = requests.rbegin(); it != requests.rend(); ++it) {
    if (it->url.substr(kIssuer.size()) == path) return FormField(it->body, name);
  }
  return {};
}

}  // namespace latchkey::oauth::testing
