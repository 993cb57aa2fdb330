#pragma once

#include "simulator/google/signing_keys.hpp"

namespace latchkey::simulator::entra {

/// The keys of both sides of Entra: those of organisations and those of personal accounts. Each is published with the
/// issuer it may sign for. Loop thread only.
class EntraKeys {
 public:
  SigningKeys& Side(bool personal) { return personal ? personal_ : work_; }
  const SigningKeys& Side(bool personal) const { return personal ? personal_ : work_; }

  /// The key set of `/{tenant}/discovery/v2.0/keys`; the issuers begin with `base`.
  std::string Jwks(const std::string& base) const;
  void Rotate();
  std::vector<std::string> kids() const;

 private:
  SigningKeys work_;
  SigningKeys personal_;
};

}  // namespace latchkey::simulator::entra
