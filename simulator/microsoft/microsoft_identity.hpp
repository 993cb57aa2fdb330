#pragma once

#include "simulator/microsoft/entra_authorize.hpp"
#include "simulator/microsoft/entra_keys.hpp"
#include "simulator/microsoft/entra_tokens.hpp"

namespace latchkey::simulator::entra {

/// Microsoft's identity platform: everything under /{tenant}/ and /oidc/userinfo. Loop thread only; clock, accounts and
/// settings outlive it.
class MicrosoftIdentity {
 public:
  MicrosoftIdentity(const Clock& clock, const AccountRegistry& accounts, const Settings& settings);

  /// Whether a path is Entra's: its first segment is a tenant's name, which may be anything.
  static bool Owns(const Request& request);

  /// `variant` is how the ID token of this answer shall look, should there be one.
  Response Handle(Request& request, IdTokenVariant variant = IdTokenVariant::kCorrect);

  EntraGrants& grants() { return grants_; }
  const EntraGrants& grants() const { return grants_; }
  EntraKeys& keys() { return keys_; }
  EntraAuthorize& authorize() { return authorize_; }

 private:
  Response Discovery(const Request& request) const;

  const AccountRegistry& accounts_;
  const Settings& settings_;
  EntraGrants grants_;
  EntraKeys keys_;
  EntraAuthorize authorize_;
  EntraTokens tokens_;
};

}  // namespace latchkey::simulator::entra
