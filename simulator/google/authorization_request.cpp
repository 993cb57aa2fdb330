#include "simulator/google/authorization_request.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "simulator/oauth_client.hpp"

namespace latchkey::simulator {
namespace {

std::unexpected<PageError> Bad(std::string code, std::string explanation, int status = 400) {
  return std::unexpected(PageError{status, std::move(code), std::move(explanation)});
}

}  // namespace

std::expected<AuthorizationRequest, PageError> AuthorizationRequest::Parse(const Parameters& query,
                                                                           const Settings& settings) {
  AuthorizationRequest request;
  request.client_id = query.Get("client_id");
  if (request.client_id.empty()) return Bad("invalid_request", "Missing required parameter: client_id");
  if (request.client_id != settings.client_id) return Bad("invalid_client", "The OAuth client was not found.", 401);
  if (settings.client_deleted) return Bad("deleted_client", "The OAuth client was deleted.", 401);

  request.redirect_uri = query.Get("redirect_uri");
  if (request.redirect_uri.empty()) return Bad("invalid_request", "Missing required parameter: redirect_uri");
  const bool registered = settings.redirect_uris.empty() ? IsLoopbackUri(request.redirect_uri)
                                                         : Contains(settings.redirect_uris, request.redirect_uri);
  if (!registered) {
    return Bad("redirect_uri_mismatch",
               fmt::format("You can't sign in to this app because it doesn't comply with Google's OAuth 2.0 policy. "
                           "If you're the app developer, register the redirect URI {} with the simulator "
                           "(--redirect-uri); it is compared exactly.",
                           request.redirect_uri));
  }
  const std::string_view type = query.Get("response_type");
  if (type.empty()) return Bad("invalid_request", "Missing required parameter: response_type");
  if (type != "code") return Bad("unsupported_response_type", fmt::format("Invalid response_type: {}", type));

  for (const std::string& name : SplitScopes(query.Get("scope"))) {
    const Scope* scope = FindScope(name);
    if (!scope) return Bad("invalid_scope", fmt::format("Some requested scopes were invalid: [{}]", name));
    if (!Contains(request.scopes, scope)) request.scopes.push_back(scope);
  }
  if (request.scopes.empty()) return Bad("invalid_request", "Missing required parameter: scope");

  const std::string_view access_type = query.Get("access_type");
  if (!access_type.empty() && access_type != "offline" && access_type != "online") {
    return Bad("invalid_request", fmt::format("Invalid parameter value for access_type: {}", access_type));
  }
  request.offline = access_type == "offline";
  request.include_granted = query.Get("include_granted_scopes") == "true";
  request.prompt_text = query.Get("prompt");
  for (const std::string& prompt : SplitScopes(request.prompt_text)) {
    if (prompt == "none") {
      request.prompt_none = true;
    } else if (prompt == "consent") {
      request.prompt_consent = true;
    } else if (prompt == "select_account") {
      request.prompt_select_account = true;
    } else {
      return Bad("invalid_request", fmt::format("Invalid parameter value for prompt: {}", prompt));
    }
  }
  if (request.prompt_none && (request.prompt_consent || request.prompt_select_account)) {
    return Bad("invalid_request", "prompt=none cannot be combined with other values");
  }

  request.challenge = query.Get("code_challenge");
  request.challenge_method = query.Get("code_challenge_method");
  if (!request.challenge.empty()) {
    // RFC 7636 section 4.3: the default is plain.
    if (request.challenge_method.empty()) request.challenge_method = "plain";
    if (request.challenge_method != "plain" && request.challenge_method != "S256") {
      return Bad("invalid_request", fmt::format("Unsupported code_challenge_method: {}", request.challenge_method));
    }
    if (request.challenge.size() < 43 || request.challenge.size() > 128) {
      return Bad("invalid_request", "code_challenge must have 43 to 128 characters");
    }
  } else if (!request.challenge_method.empty()) {
    return Bad("invalid_request", "code_challenge_method needs a code_challenge");
  }

  request.state = query.Get("state");
  request.nonce = query.Get("nonce");
  request.login_hint = query.Get("login_hint");
  request.hd = query.Get("hd");
  return request;
}

std::string AuthorizationRequest::Redirect(const std::vector<std::pair<std::string, std::string>>& parameters) const {
  std::string location = redirect_uri;
  char separator = location.contains('?') ? '&' : '?';
  const auto add = [&](std::string_view name, std::string_view value) {
    location += separator;
    location += name;
    location += '=';
    location += PercentEncode(value);
    separator = '&';
  };
  if (!state.empty()) add("state", state);
  for (const auto& [name, value] : parameters) add(name, value);
  return location;
}

bool AuthorizationRequest::Admits(const Account& account) const {
  if (account.provider != Provider::kGoogle) return false;
  return hd.empty() || (hd == "*" ? !account.hd.empty() : EqualsIgnoreCase(hd, account.hd));
}

}  // namespace latchkey::simulator
