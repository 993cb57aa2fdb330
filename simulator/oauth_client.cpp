#include "simulator/oauth_client.hpp"

#include <openssl/sha.h>
#include <boost/url/parse.hpp>

#include "base/encoding.hpp"

namespace latchkey::simulator {

/// RFC 6749 section 2.3.1: both halves are form-encoded inside Basic; the body is the other way.
ClientCredentials ReadCredentials(const Request& request, const Parameters& form) {
  const std::string_view header = request.headers.Get("Authorization");
  if (header.size() > 6 && EqualsIgnoreCase(header.substr(0, 6), "Basic ")) {
    const std::string plain = Base64Decode(header.substr(6)).value_or("");
    const std::size_t colon = plain.find(':');
    if (colon != std::string::npos) {
      return {PercentDecode(plain.substr(0, colon)).value_or(""), PercentDecode(plain.substr(colon + 1)).value_or("")};
    }
  }
  return {std::string(form.Get("client_id")), std::string(form.Get("client_secret"))};
}

bool VerifierMatches(std::string_view challenge, std::string_view method, std::string_view verifier) {
  if (method == "plain") return challenge == verifier;
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(verifier.data()), verifier.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return challenge == Base64UrlEncode(digest);
}

std::string_view BearerToken(const Request& request) {
  const std::string_view header = request.headers.Get("Authorization");
  if (header.size() > 7 && EqualsIgnoreCase(header.substr(0, 7), "Bearer ")) return header.substr(7);
  return request.query.Get("access_token");
}

std::string_view CookieValue(const Request& request, std::string_view name) {
  std::string_view cookies = request.headers.Get("Cookie");
  while (!cookies.empty()) {
    const std::size_t end = cookies.find("; ");
    const std::string_view cookie = cookies.substr(0, end);
    if (cookie.starts_with(name) && cookie.substr(name.size()).starts_with('=')) return cookie.substr(name.size() + 1);
    cookies = end == std::string_view::npos ? std::string_view() : cookies.substr(end + 2);
  }
  return {};
}

bool IsLoopbackUri(std::string_view text) {
  const auto uri = boost::urls::parse_uri(boost::core::string_view(text.data(), text.size()));
  if (!uri || (uri->scheme() != "http" && uri->scheme() != "https") || uri->has_fragment()) return false;
  const std::string host(uri->host());
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

}  // namespace latchkey::simulator
