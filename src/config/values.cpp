#include "config/values.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "base/encoding.hpp"

namespace latchkey::config {

std::optional<int> ParseNumber(std::string_view text, int lowest, int highest) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < lowest || value > highest)
    return std::nullopt;
  return value;
}

bool IsLoopbackHost(std::string_view host) {
  if (host == "localhost") return true;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string(host), error);
  return !error && address.is_loopback();
}

namespace {

Problem ParseUrl(const std::string& text, bool origin_only, std::string& out) {
  const auto url = boost::urls::parse_uri(text);
  if (!url || (url->scheme() != "https" && url->scheme() != "http") || url->host().empty())
    return Wrong("is not an http(s) address", "Write it in full, for example https://mail.example.com.");
  if (url->has_userinfo() || url->has_fragment())
    return Wrong("holds a user name or a fragment", "Leave only scheme, host, port and path.");
  if (url->scheme() == "http" && !IsLoopbackHost(std::string(url->host())))
    return Wrong("is plain http on another machine", "Use https; plain http is accepted for localhost only.");
  const std::string path(url->encoded_path());
  // Boost.URL 1.81 reads "127.0.0.1.evil.example" as a loopback address with the path ".evil.example".
  if (!path.empty() && path.front() != '/')
    return Wrong("is not an http(s) address", "Write it in full, for example https://mail.example.com.");
  if (origin_only && ((!path.empty() && path != "/") || url->has_query()))
    return Wrong("holds a path", "Leave only scheme, host and port; the server owns the whole origin.");
  out = text;
  while (!out.empty() && out.back() == '/') out.pop_back();
  return Fine();
}

}  // namespace

Problem ParseOrigin(const std::string& text, std::string& out) { return ParseUrl(text, true, out); }
Problem ParseEndpoint(const std::string& text, std::string& out) { return ParseUrl(text, false, out); }

Problem ParseListen(const std::string& text, std::string& host, unsigned short& port) {
  const auto colon = text.rfind(':');
  const auto remedy = "Write ADDRESS:PORT, for example 127.0.0.1:8000 or [::1]:8000; port 0 lets the system choose.";
  if (colon == std::string::npos || colon == 0) return Wrong("is not ADDRESS:PORT", remedy);
  const auto number = ParseNumber(std::string_view(text).substr(colon + 1), 0, 65535);
  if (!number) return Wrong("has no valid port", remedy);
  std::string name = text.substr(0, colon);
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') name = name.substr(1, name.size() - 2);
  if (name == "localhost") name = "127.0.0.1";
  boost::system::error_code error;
  boost::asio::ip::make_address(name, error);
  if (error) return Wrong("has no valid IP address", remedy);
  host = name;
  port = static_cast<unsigned short>(*number);
  return Fine();
}

Problem CheckSecret(const std::string& text) {
  if (text.size() < 32)
    return Wrong("is shorter than 32 bytes",
                 "Remove it to have one generated, or set the output of: openssl rand -base64 32");
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  static constexpr std::array<std::string_view, 9> kSamples = {
      "openssl", "your_", "your-", "change_in", "changeme", "change-me", "example", "password", "secret_key"};
  const bool sample = std::ranges::any_of(kSamples, [&](std::string_view word) { return lower.contains(word); });
  if (sample || std::set<char>(text.begin(), text.end()).size() < 8)
    return Wrong("is a sample value that anybody can guess",
                 "Remove it to have one generated, or set the output of: openssl rand -base64 32");
  return Fine();
}

std::optional<std::string> ParseVaultKey(std::string_view text) {
  if (text.size() == 64) {
    if (auto bytes = HexDecode(text)) return bytes;
  }
  if (auto bytes = Base64Decode(text); bytes && bytes->size() == 32) return bytes;
  if (auto bytes = Base64UrlDecode(text); bytes && bytes->size() == 32) return bytes;
  return std::nullopt;
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> out;
  std::string piece;
  for (const char c : text) {
    if (c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (!piece.empty()) out.push_back(std::move(piece));
      piece.clear();
    } else {
      piece += c;
    }
  }
  if (!piece.empty()) out.push_back(std::move(piece));
  return out;
}

}  // namespace latchkey::config
