#pragma once

#include <set>
#include <string>
#include <string_view>

#include "simulator/accounts.hpp"

namespace latchkey::simulator {

/// Scopes as Google writes them out in a token response: "openid", "https://www.googleapis.com/auth/gmail.readonly".
using ScopeSet = std::set<std::string, std::less<>>;

/// What a valid access token permits: the outcome of the token check, handed to API handlers with each request.
struct Grant {
  const Account* account = nullptr;  ///< Never null in a handler.
  std::string client_id;
  ScopeSet scopes;

  bool Has(std::string_view scope) const { return scopes.contains(scope); }
};

}  // namespace latchkey::simulator
