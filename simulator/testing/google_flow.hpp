#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "base/encoding.hpp"
#include "simulator/google/google_identity.hpp"

namespace latchkey::simulator::testing {

inline constexpr std::string_view kRead = "https://www.googleapis.com/auth/gmail.readonly";
inline constexpr std::string_view kSend = "https://www.googleapis.com/auth/gmail.send";
inline constexpr std::string_view kRedirect = "http://127.0.0.1:8000/callback";
/// RFC 7636 appendix B.
inline constexpr std::string_view kVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
inline constexpr std::string_view kChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

using Pairs = std::vector<std::pair<std::string, std::string>>;

inline std::string Encode(const Pairs& pairs) {
  std::string text;
  for (const auto& [name, value] : pairs) text += (text.empty() ? "" : "&") + name + "=" + PercentEncode(value);
  return text;
}

/// Replaces or appends.
inline Pairs With(Pairs pairs, const Pairs& changes) {
  for (const auto& [name, value] : changes) {
    std::erase_if(pairs, [&](const auto& pair) { return pair.first == name; });
    if (value != "-") pairs.emplace_back(name, value);
  }
  return pairs;
}

inline boost::json::object Json(const Response& response) { return boost::json::parse(response.body).as_object(); }
inline std::string Text(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

/// The value of a query parameter in a redirect.
inline std::string Parameter(std::string_view location, std::string_view name) {
  return std::string(Parameters::Parse(location.substr(location.find('?') + 1)).Get(name));
}

/// The claims of a compact JWS, unverified.
inline boost::json::object Claims(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::string_view payload = token.substr(first + 1, token.rfind('.') - first - 1);
  return boost::json::parse(*Base64UrlDecode(payload)).as_object();
}

/// Google with two people and a client that walks through it without sockets.
class GoogleFlow {
 public:
  GoogleFlow() { accounts.Add("bob@gmail.com", "Bob Sample"); }

  Pairs AuthorizeQuery(std::string_view scope) const {
    return {{"response_type", "code"},
            {"client_id", settings.client_id},
            {"redirect_uri", std::string(kRedirect)},
            {"scope", std::string(scope)},
            {"state", "S 1"},
            {"nonce", "N1"},
            {"access_type", "offline"},
            {"code_challenge", std::string(kChallenge)},
            {"code_challenge_method", "S256"}};
  }

  Response Send(std::string method, std::string target, std::string body = {}, Headers headers = {},
                IdTokenVariant variant = IdTokenVariant::kCorrect) {
    Request request;
    request.method = std::move(method);
    request.SetTarget(std::move(target));
    request.scheme = "http";
    request.host = "127.0.0.1:8025";
    request.headers = std::move(headers);
    request.body = std::move(body);
    return google.Handle(request, variant);
  }
  Response Begin(const Pairs& query, Headers headers = {}) {
    return Send("GET", "/google/o/oauth2/v2/auth?" + Encode(query), {}, std::move(headers));
  }
  Response PostForm(std::string target, const Pairs& form, Headers headers = {}) {
    return Send("POST", std::move(target), Encode(form), std::move(headers));
  }

  /// Chooses, consents, and returns the redirect to the client.
  std::string Walk(const Pairs& query, bool approve = true, std::vector<std::string> untick = {},
                   std::string account = "ada@example.com") {
    Request request;
    request.scheme = "http";
    request.host = "127.0.0.1:8025";
    const Authorize::Decision decision{std::move(account), approve, std::move(untick)};
    const auto location = google.authorize().Walk(request, Parameters::Parse(Encode(query)), decision);
    return location ? *location : "error " + location.error().code;
  }

  Pairs CodeForm(const std::string& code) const {
    return {{"grant_type", "authorization_code"},     {"code", code},
            {"client_id", settings.client_id},        {"client_secret", settings.client_secret},
            {"redirect_uri", std::string(kRedirect)}, {"code_verifier", std::string(kVerifier)}};
  }
  Pairs RefreshForm(const std::string& token) const {
    return {{"grant_type", "refresh_token"},
            {"refresh_token", token},
            {"client_id", settings.client_id},
            {"client_secret", settings.client_secret}};
  }

  /// Tokens of a complete flow for `scope`.
  boost::json::object Tokens(std::string_view scope, const Pairs& changes = {}, std::vector<std::string> untick = {}) {
    const std::string location = Walk(With(AuthorizeQuery(scope), changes), true, std::move(untick));
    return Json(PostForm("/google/token", CodeForm(Parameter(location, "code"))));
  }
  Response Refresh(const std::string& token) { return PostForm("/google/token", RefreshForm(token)); }

  ManualClock clock{Instant(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20))};
  AccountRegistry accounts;
  Account& ada = accounts.Add("ada@example.com", "Ada Example");
  Settings settings;
  GoogleIdentity google{clock, accounts, settings};
};

}  // namespace latchkey::simulator::testing
