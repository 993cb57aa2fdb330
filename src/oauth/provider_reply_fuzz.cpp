#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "oauth/discovery.hpp"
#include "oauth/jwks_cache.hpp"
#include "oauth/provider_url.hpp"
#include "oauth/token_endpoint.hpp"

using namespace latchkey;

/// Documents of a provider: discovery, token answers, token errors. What is accepted keeps its promises.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Instant now = FromMicros(1'800'000'000'000'000);
  if (const auto discovery = oauth::Discovery::Parse(input, "https://id.example.test")) {
    if (!oauth::IsSecureUrl(discovery->token_endpoint()) || oauth::IsLoopbackHttpUrl(discovery->token_endpoint()) ||
        !oauth::IsSecureUrl(discovery->jwks_uri())) {
      std::abort();
    }
  }
  if (const auto tokens = oauth::ParseTokenResponse(input, now)) {
    if (tokens->access_token.empty() || (tokens->expires_at && *tokens->expires_at < now)) std::abort();
  }
  http_client::HttpResponse response;
  response.status = 400;
  response.body = input;
  response.headers = {{"Retry-After", std::string(input.substr(0, 32))}};
  const Error error = oauth::ClassifyTokenError(response, oauth::Grant::kRefreshToken);
  for (const char c : error.detail) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) std::abort();
  }
  (void)oauth::MaxAgeOf(input);
  return 0;
}
