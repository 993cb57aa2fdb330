#pragma once

#include <list>
#include <string>

#include "simulator/microsoft/entra_grants.hpp"
#include "simulator/microsoft/entra_request.hpp"

namespace latchkey::simulator::entra {

/// Entra's authorization endpoint and the administrator's consent. Loop thread only; everything it is given outlives
/// it.
class EntraAuthorize {
 public:
  EntraAuthorize(const AccountRegistry& accounts, EntraGrants& grants, const Settings& settings)
      : accounts_(accounts), grants_(grants), settings_(settings) {}

  /// GET or POST /{tenant}/oauth2/v2.0/authorize
  Response Begin(const Request& request);
  /// GET /{tenant}/v2.0/adminconsent
  Response BeginAdminConsent(const Request& request);
  /// POST …/authorize/account and …/authorize/consent; GET of the latter shows the page.
  Response ChooseAccount(const Request& request);
  Response Decide(const Request& request);
  Response Logout(const Request& request);

  struct Decision {
    std::string account;  ///< Address or object id.
    bool approve = true;
  };
  struct Walked {
    std::string location;
    ReplyParameters form;  ///< For response_mode=form_post: what would be posted there.
  };
  /// Walks all pages of an authorize or adminconsent URL at once. The error is what a page would have shown.
  std::expected<Walked, PageError> Walk(std::string_view path, const Parameters& query, const Decision& decision);

 private:
  struct Pending {
    std::string id;
    EntraRequest request;
    const Account* account = nullptr;
    bool admin = false;  ///< Administrator's consent for the whole tenant.
  };

  Pending* FindPending(std::string_view id);
  void Forget(const Pending& pending);
  const Account* FindAccount(std::string_view email_or_oid) const;
  Response Show(const Request& request, Pending pending);
  Response AfterAccount(const Request& request, Pending& pending);
  std::vector<const Scope*> Asked(const EntraRequest& request, const Account& account) const;
  bool NeedsConsent(const EntraRequest& request, const Account& account) const;
  std::expected<Pending, EntraRequest::Refused> ParseAdmin(std::string_view tenant, const Parameters& query) const;
  ReplyParameters Approve(const Pending& pending);
  ReplyParameters Refusal(const Pending& pending) const;
  Response Fail(const EntraRequest::Refused& refused) const;
  Response Fail(std::string_view slug, std::string_view detail = {}) const;

  const AccountRegistry& accounts_;
  EntraGrants& grants_;
  const Settings& settings_;
  std::list<Pending> pending_;  ///< Oldest first.
};

}  // namespace latchkey::simulator::entra
