#pragma once

#include <string>
#include <string_view>

#include "simulator/http/message.hpp"

namespace latchkey::simulator {

// What every identity provider reads from an OAuth client, whoever it imitates.

struct ClientCredentials {
  std::string id;
  std::string secret;
};

/// From Basic or from the form (RFC 6749 section 2.3.1); empty where nothing was sent.
ClientCredentials ReadCredentials(const Request& request, const Parameters& form);

/// RFC 7636 section 4.6; `method` is "plain" or "S256".
bool VerifierMatches(std::string_view challenge, std::string_view method, std::string_view verifier);

/// The token of "Authorization: Bearer …" (the scheme in any case) or of ?access_token=; empty when there is none.
std::string_view BearerToken(const Request& request);

/// The value of a cookie; empty when it was not sent.
std::string_view CookieValue(const Request& request, std::string_view name);

/// http or https on localhost, 127.0.0.1 or [::1].
bool IsLoopbackUri(std::string_view uri);

}  // namespace latchkey::simulator
