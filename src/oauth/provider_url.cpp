#include "oauth/provider_url.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace latchkey::oauth {
namespace {

namespace urls = boost::urls;

bool IsLoopback(const urls::url_view& url) {
  if (url.host_type() == urls::host_type::ipv4) return url.host_ipv4_address().is_loopback();
  if (url.host_type() == urls::host_type::ipv6) return url.host_ipv6_address().is_loopback();
  return url.host() == "localhost";
}

bool IsUsable(const urls::url_view& url) {
  // Boost.URL 1.81 reads "127.0.0.1.evil.example" as an address with the path ".evil.example"; a client would connect
  // to the name.
  const bool path_is_apart = url.encoded_path().empty() || url.encoded_path().front() == '/';
  return !url.has_userinfo() && !url.has_fragment() && !url.host().empty() && path_is_apart;
}

}  // namespace

bool IsSecureUrl(std::string_view text) {
  const auto url = urls::parse_uri(urls::string_view(text.data(), text.size()));
  if (!url || !IsUsable(*url)) return false;
  return url->scheme_id() == urls::scheme::https || (url->scheme_id() == urls::scheme::http && IsLoopback(*url));
}

bool IsLoopbackHttpUrl(std::string_view text) {
  const auto url = urls::parse_uri(urls::string_view(text.data(), text.size()));
  return url && IsUsable(*url) && url->scheme_id() == urls::scheme::http && IsLoopback(*url);
}

Result<std::string> IssuerOf(std::string_view discovery_url) {
  if (!discovery_url.ends_with(kWellKnownSuffix)) {
    return Fail(ErrorCode::kInvalidArgument, "a discovery address ends in /.well-known/openid-configuration");
  }
  const std::string_view issuer = discovery_url.substr(0, discovery_url.size() - kWellKnownSuffix.size());
  if (!IsSecureUrl(issuer)) {
    return Fail(ErrorCode::kInvalidArgument, "a discovery address must be https (plain http only on loopback)");
  }
  return std::string(issuer);
}

}  // namespace latchkey::oauth
