#pragma once

#include "simulator/google/authorize.hpp"
#include "simulator/google/signing_keys.hpp"
#include "simulator/google/token_endpoint.hpp"

namespace latchkey::simulator {

/// Everything under /google: Google's identity platform. Loop thread only; clock, accounts and settings outlive it.
class GoogleIdentity {
 public:
  GoogleIdentity(const Clock& clock, const AccountRegistry& accounts, const Settings& settings);

  /// `variant` is how the ID token of this answer shall look, should there be one.
  Response Handle(Request& request, IdTokenVariant variant = IdTokenVariant::kCorrect);

  GrantStore& grants() { return grants_; }
  const GrantStore& grants() const { return grants_; }
  SigningKeys& keys() { return keys_; }
  Authorize& authorize() { return authorize_; }

 private:
  Response Discovery(const Request& request) const;

  const Settings& settings_;
  GrantStore grants_;
  SigningKeys keys_;
  Authorize authorize_;
  TokenEndpoint tokens_;
};

}  // namespace latchkey::simulator
