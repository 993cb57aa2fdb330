#pragma once

#include "simulator/microsoft/entra_grants.hpp"
#include "simulator/microsoft/entra_id_token.hpp"
#include "simulator/microsoft/entra_request.hpp"

namespace latchkey::simulator::entra {

/// POST /{tenant}/oauth2/v2.0/token and Graph's /oidc/userinfo. Loop thread only; everything it is given outlives it.
class EntraTokens {
 public:
  EntraTokens(const AccountRegistry& accounts, EntraGrants& grants, const EntraKeys& keys, const Settings& settings)
      : accounts_(accounts), grants_(grants), keys_(keys), settings_(settings) {}

  Response Token(const Request& request, IdTokenVariant variant);
  Response UserInfo(const Request& request) const;

 private:
  Response RedeemCode(const Request& request, const Tenant& tenant, const Parameters& form, IdTokenVariant variant);
  Response Refresh(const Request& request, const Tenant& tenant, const Parameters& form, IdTokenVariant variant);
  Response Answer(const Request& request, const Parameters& form, const Tokens& tokens, const std::string& nonce,
                  IdTokenVariant variant);
  /// What an access token for `asked` may do: the scopes of the first resource, as far as they were granted. The error
  /// is the refusal.
  std::expected<ScopeSet, Response> Narrow(const Grant& granted, const Parameters& form);
  /// nullopt: the account may have tokens here.
  std::optional<Response> RefuseAccount(const Account& account, const Tenant& tenant);
  Response Refuse(std::string_view slug, std::string_view detail = {});

  const AccountRegistry& accounts_;
  EntraGrants& grants_;
  const EntraKeys& keys_;
  const Settings& settings_;
};

}  // namespace latchkey::simulator::entra
