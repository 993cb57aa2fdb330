#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oauth/issuer_rules.hpp"

namespace latchkey::microsoft {

/// The tenant that all personal accounts are in (Entra, "OpenID Connect on the Microsoft identity platform").
inline constexpr std::string_view kPersonalTenant = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The tenant of a person's subject as EntraIssuer makes it ("<oid>.<tid>"); empty when it has none.
std::string_view TenantOf(std::string_view subject);

/// Entra's issuers: "<origin>/<tid>/v2.0" for each tenant, "<origin>/{tenantid}/v2.0" in the metadata of `common` and
/// `organizations`. A token is from the tenant it names only when its `iss` is that tenant's, and its key is one that
/// Entra publishes for that side: work tenants share keys whose issuer is the template, personal accounts have their
/// own. A person is tenant and object id; `email`, `preferred_username` and `upn` can be written by a tenant's
/// administrator and are for display.
class EntraIssuer final : public oauth::IssuerRules {
 public:
  /// `discovery_url`: "<origin>/<tenant>/v2.0/.well-known/openid-configuration", tenant being common, organizations,
  /// consumers, a tenant's id or its domain. `allowed_tenants`: ids of the tenants to admit, empty for all.
  /// kInvalidArgument for another form.
  static Result<EntraIssuer> Make(std::string_view discovery_url, std::vector<std::string> allowed_tenants);

  std::string_view origin() const override { return origin_; }
  bool MayDiscover(std::string_view issuer) const override;
  bool MayAnswer(std::string_view issuer, std::string_view discovered) const override;
  crypto::TokenResult<Expected> Expect(const boost::json::object& claims, const std::vector<std::string>& key_issuers,
                                       std::string_view discovered) const override;
  Result<void> Admit(const oauth::IdentityClaims& person) const override;

  /// As configured: "common", "organizations", "consumers", an id or a domain.
  const std::string& tenant() const { return tenant_; }

 private:
  EntraIssuer() = default;
  std::string IssuerOf(std::string_view tenant) const;
  std::string Template() const { return IssuerOf("{tenantid}"); }
  bool KeyMaySign(const std::vector<std::string>& key_issuers, std::string_view tid, std::string_view discovered) const;

  std::string origin_, tenant_;
  std::vector<std::string> allowed_tenants_;
};

}  // namespace latchkey::microsoft
