#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace latchkey::crypto {

/// What a sealed value is bound to: it opens only in the place it was sealed for (a moved ciphertext does not decrypt).
struct SealContext {
  std::string_view table;
  std::string_view column;
  std::string_view account_id;
  std::string_view user_id;
  std::string_view provider;
};

/// One key of the ring: 32 bytes, named by the first 8 bytes of a digest of it, in hex.
struct VaultKey {
  std::string id;
  SecretString bytes;
};

/// Seals provider tokens: AES-256-GCM under a key derived per account with HKDF-SHA256 from the ring's first key; text
/// form "lk1.<key id>.<base64url nonce|ciphertext|tag>". Immutable after construction; any thread.
class Vault {
 public:
  /// `keys`: the first encrypts, all decrypt. kInvalidArgument for an empty ring or a key that is not 32 bytes.
  static Result<Vault> Make(std::vector<SecretString> keys);

  std::string Seal(const SealContext& context, const SecretString& clear) const;
  /// kKeyUnavailable for a key id not in the ring; kInternal for damaged or moved text.
  Result<SecretString> Open(const SealContext& context, std::string_view sealed) const;
  /// The id of the key that seals.
  const std::string& ActiveKeyId() const;
  std::vector<std::string> KeyIds() const;
  /// The key id a sealed text names; empty when it is not of our form.
  static std::string KeyIdOf(std::string_view sealed);
  /// A value stored once per key: opening it proves that a key of the ring is the one that wrote it.
  std::string MakeCheckValue() const;
  Result<void> VerifyCheckValue(std::string_view check) const;

 private:
  explicit Vault(std::vector<VaultKey> keys);
  std::vector<VaultKey> keys_;
};

}  // namespace latchkey::crypto
