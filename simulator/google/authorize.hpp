#pragma once

#include <list>
#include <string>

#include "simulator/google/authorization_request.hpp"
#include "simulator/google/grant_store.hpp"

namespace latchkey::simulator {

/// The authorization endpoint: account chooser, consent page, redirect. Loop thread only; everything it is given
/// outlives it.
class Authorize {
 public:
  Authorize(const AccountRegistry& accounts, GrantStore& grants, const Settings& settings)
      : accounts_(accounts), grants_(grants), settings_(settings) {}

  /// GET /google/o/oauth2/v2/auth
  Response Begin(const Request& request);
  /// POST /google/o/oauth2/v2/auth/account and /consent; GET of the latter shows the page.
  Response ChooseAccount(const Request& request);
  Response Consent(const Request& request);

  struct Decision {
    std::string account;  ///< Address or sub.
    bool approve = true;
    std::vector<std::string> untick;
  };
  /// Walks all pages at once with `decision`. The error is what a page would have shown.
  std::expected<std::string, PageError> Walk(const Request& request, const Parameters& query, const Decision& decision);

 private:
  struct Pending {
    std::string id;
    AuthorizationRequest request;
    const Account* account = nullptr;
  };

  Pending* FindPending(std::string_view id);
  const Account* FindAccount(std::string_view email_or_sub) const;
  /// Permissions that still need the person's word.
  std::vector<const Scope*> Asked(const AuthorizationRequest& request, const Account& account) const;
  bool NeedsConsent(const AuthorizationRequest& request, const Account& account) const;
  /// Ends the pending request with a code.
  std::string Approve(const Request& request, const Pending& pending, const std::vector<std::string_view>& ticked);
  Response AfterAccount(const Request& request, Pending& pending);
  Response Fail(const PageError& error) const;
  void Forget(const Pending& pending);

  const AccountRegistry& accounts_;
  GrantStore& grants_;
  const Settings& settings_;
  std::list<Pending> pending_;  ///< Oldest first.
};

}  // namespace latchkey::simulator
