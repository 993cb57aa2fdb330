#include "simulator/outgoing.hpp"

#include <boost/url/parse.hpp>

namespace latchkey::simulator {

std::string WhyNotPostable(const std::string& url) {
  const auto parsed = boost::urls::parse_absolute_uri(url);
  if (!parsed || parsed->host().empty()) return "it is not an absolute URL";
  if (parsed->has_userinfo()) return "it must not contain credentials";
  if (parsed->scheme_id() == boost::urls::scheme::https) return "";
  if (parsed->scheme_id() != boost::urls::scheme::http) return "it is neither https nor http";
  const std::string host = parsed->host();
  if (host == "localhost" || host == "127.0.0.1" || host == "[::1]") return "";
  return "http is for this machine only; use https";
}

}  // namespace latchkey::simulator
