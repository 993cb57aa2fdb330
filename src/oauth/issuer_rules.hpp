#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "crypto/jws.hpp"

namespace latchkey::oauth {

struct IdentityClaims;

/// The rules of a provider that has one issuer per tenant, where comparing with one configured text is not enough.
/// Implemented beside the provider's adapter. Immutable; any thread.
class IssuerRules {
 public:
  virtual ~IssuerRules() = default;
  /// Scheme, host and port of the provider, without a trailing slash: no endpoint may be elsewhere.
  virtual std::string_view origin() const = 0;
  /// Whether the configured discovery address may answer with this issuer, which may be a template.
  virtual bool MayDiscover(std::string_view issuer) const = 0;
  /// Whether an authorization response may come from this issuer (RFC 9207), which is never a template.
  virtual bool MayAnswer(std::string_view issuer, std::string_view discovered) const = 0;

  /// What the token must say to be from the tenant it names, and who it is about.
  struct Expected {
    std::string issuer;
    /// Unique over all tenants, so that an account is found by it alone.
    std::string subject;
    std::string email;  ///< For display.
    bool email_verified = false;
    bool email_is_own = false;  ///< See IdentityClaims.
  };
  /// `claims` are those of a token signed by a key that names `key_issuers`; `discovered` is the issuer of the
  /// metadata.
  virtual crypto::TokenResult<Expected> Expect(const boost::json::object& claims,
                                               const std::vector<std::string>& key_issuers,
                                               std::string_view discovered) const = 0;
  /// Whether this installation serves the person's organisation. kTenantNotAllowed.
  virtual Result<void> Admit(const IdentityClaims& person) const = 0;
};

}  // namespace latchkey::oauth
