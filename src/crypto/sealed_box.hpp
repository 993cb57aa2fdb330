#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"

namespace latchkey::crypto {

/// Seals short-lived values that travel through a browser: AES-256-GCM under a key derived from the server's secret for
/// one purpose, with an expiry inside. A box of one purpose cannot open what another sealed. Immutable; any thread.
class SealedBox {
 public:
  /// Derives the key with HKDF-SHA256; `purpose` is a constant such as "oauth transaction".
  SealedBox(const SecretString& secret, std::string_view purpose);

  /// base64url text.
  std::string Seal(std::string_view clear, Instant expires_at) const;
  /// kStateExpired after the expiry, kStateMismatch for anything this box did not seal.
  Result<std::string> Open(std::string_view sealed, Instant now) const;

 private:
  SecretString key_;
};

}  // namespace latchkey::crypto
