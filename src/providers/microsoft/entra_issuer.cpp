#include "providers/microsoft/entra_issuer.hpp"

#include <algorithm>

#include "base/id.hpp"
#include "crypto/strict_json.hpp"
#include "oauth/email_address.hpp"
#include "oauth/identity_provider.hpp"
#include "oauth/provider_url.hpp"

namespace latchkey::microsoft {
namespace {

namespace bj = boost::json;
using crypto::TokenFault;
using crypto::TokenResult;

constexpr std::string_view kVersionPath = "/v2.0";

TokenResult<std::string> Guid(const bj::object& claims, std::string_view name) {
  if (!claims.contains(name)) return std::unexpected(TokenFault::kClaimMissing);
  const auto text = crypto::StringMember(claims, name);
  if (!text || !IsUuid(*text)) return std::unexpected(TokenFault::kClaimType);
  return std::string(*text);
}

/// "The domain's owner is verified"; comes as boolean, number or text.
bool DomainOwnerIsVerified(const bj::object& claims) {
  const bj::value* claim = claims.if_contains("xms_edov");
  if (claim == nullptr) return false;
  if (claim->is_bool()) return claim->get_bool();
  if (claim->is_string()) return claim->get_string() == "1" || claim->get_string() == "true";
  return (claim->is_int64() && claim->get_int64() == 1) || (claim->is_uint64() && claim->get_uint64() == 1);
}

std::string AddressIn(const bj::object& claims, std::string_view name) {
  const auto address = oauth::EmailAddress::Parse(crypto::StringMember(claims, name).value_or(""));
  return address ? address->text() : std::string();
}

bool IsTenantName(std::string_view text) {
  const auto ok = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, ok);
}

}  // namespace

std::string_view TenantOf(std::string_view subject) {
  const std::size_t dot = subject.find('.');
  return dot == std::string_view::npos ? std::string_view() : subject.substr(dot + 1);
}

Result<EntraIssuer> EntraIssuer::Make(std::string_view discovery_url, std::vector<std::string> allowed_tenants) {
  const auto base = oauth::IssuerOf(discovery_url);
  if (!base) return Fail(base.error());
  std::string_view rest = *base;
  const auto wrong = [] {
    return Fail(ErrorCode::kInvalidArgument,
                "Entra's discovery address is https://HOST/TENANT/v2.0/.well-known/openid-configuration");
  };
  if (!rest.ends_with(kVersionPath)) return wrong();
  rest.remove_suffix(kVersionPath.size());
  const std::size_t slash = rest.rfind('/');
  const std::size_t host = rest.find("://");
  if (slash == std::string_view::npos || host == std::string_view::npos || slash < host + 3) return wrong();
  EntraIssuer issuer;
  issuer.origin_ = std::string(rest.substr(0, slash));
  issuer.tenant_ = std::string(rest.substr(slash + 1));
  if (issuer.origin_.find('/', host + 3) != std::string::npos || !IsTenantName(issuer.tenant_)) return wrong();
  for (const std::string& tenant : allowed_tenants) {
    if (!IsUuid(tenant)) return Fail(ErrorCode::kInvalidArgument, "an allowed tenant is named by its id");
  }
  issuer.allowed_tenants_ = std::move(allowed_tenants);
  return issuer;
}

std::string EntraIssuer::IssuerOf(std::string_view tenant) const {
  return origin_ + '/' + std::string(tenant) + std::string(kVersionPath);
}

bool EntraIssuer::MayDiscover(std::string_view issuer) const {
  if (tenant_ == "common" || tenant_ == "organizations") return issuer == Template();
  if (tenant_ == "consumers") return issuer == IssuerOf(kPersonalTenant);
  if (IsUuid(tenant_)) return issuer == IssuerOf(tenant_);
  // A domain: only Entra knows the tenant's id.
  const std::string prefix = origin_ + '/';
  if (!issuer.starts_with(prefix) || !issuer.ends_with(kVersionPath)) return false;
  issuer.remove_prefix(prefix.size());
  issuer.remove_suffix(std::min(issuer.size(), kVersionPath.size()));
  return IsUuid(issuer);
}

bool EntraIssuer::MayAnswer(std::string_view issuer, std::string_view discovered) const {
  if (discovered != Template()) return issuer == discovered;
  const std::string prefix = origin_ + '/';
  if (!issuer.starts_with(prefix) || !issuer.ends_with(kVersionPath)) return false;
  issuer.remove_prefix(prefix.size());
  issuer.remove_suffix(std::min(issuer.size(), kVersionPath.size()));
  return IsUuid(issuer);
}

bool EntraIssuer::KeyMaySign(const std::vector<std::string>& key_issuers, std::string_view tid,
                             std::string_view discovered) const {
  // The key set of one tenant's own metadata need not say again whose it is; that of all tenants must.
  if (key_issuers.empty()) return discovered != Template();
  const std::string own = IssuerOf(tid);
  return std::ranges::any_of(key_issuers, [&](const std::string& issuer) {
    // The keys that all work tenants share say nothing about personal accounts.
    return issuer == own || (issuer == Template() && tid != kPersonalTenant);
  });
}

TokenResult<oauth::IssuerRules::Expected> EntraIssuer::Expect(const bj::object& claims,
                                                              const std::vector<std::string>& key_issuers,
                                                              std::string_view discovered) const {
  const auto tid = Guid(claims, "tid");
  if (!tid) return std::unexpected(tid.error());
  const auto oid = Guid(claims, "oid");
  if (!oid) return std::unexpected(oid.error());
  if (!claims.contains("ver")) return std::unexpected(TokenFault::kClaimMissing);
  if (crypto::StringMember(claims, "ver") != "2.0") return std::unexpected(TokenFault::kClaimType);
  Expected expected;
  expected.issuer = IssuerOf(*tid);
  if (discovered != Template() && discovered != expected.issuer) return std::unexpected(TokenFault::kWrongIssuer);
  if (tenant_ == "organizations" && *tid == kPersonalTenant) return std::unexpected(TokenFault::kWrongIssuer);
  if (!KeyMaySign(key_issuers, *tid, discovered)) return std::unexpected(TokenFault::kWrongKeyIssuer);
  // Both, so that a subject is one person wherever it is kept without its issuer.
  expected.subject = *oid + '.' + *tid;
  const std::string email = AddressIn(claims, "email");
  if (!email.empty() && (*tid == kPersonalTenant || DomainOwnerIsVerified(claims))) {
    expected.email = email;
    expected.email_verified = true;
    expected.email_is_own = true;
  } else {
    // A sign-in name is at least in a domain of its tenant; the mail attribute may be anybody's.
    expected.email = AddressIn(claims, "preferred_username");
    expected.email_is_own = !expected.email.empty();
    if (expected.email.empty()) expected.email = email;
  }
  return expected;
}

Result<void> EntraIssuer::Admit(const oauth::IdentityClaims& person) const {
  if (allowed_tenants_.empty() || std::ranges::find(allowed_tenants_, person.organisation) != allowed_tenants_.end()) {
    return {};
  }
  return Fail(ErrorCode::kTenantNotAllowed, "the person's tenant is not among AUTH_MICROSOFT_ALLOWED_TENANTS");
}

}  // namespace latchkey::microsoft
