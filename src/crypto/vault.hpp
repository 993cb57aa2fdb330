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
  /// `keys`: the first encrypts, all decrypt. kInvalidArgument for an empty ring, a key that is not 32 bytes, or the
  /// same key twice.
  static Result<Vault> Make(std::vector<SecretString> keys);
  /// Reads one key as settings spell it: 32 bytes in hex, base64 or base64url (the form of a Fernet key).
  /// kInvalidArgument.
  static Result<SecretString> ParseKey(std::string_view text);
  /// A fresh key in base64url, for the key file.
  static SecretString GenerateKey();

  std::string Seal(const SealContext& context, const SecretString& clear) const;
  /// Also opens Fernet values made with a key of the ring (the former ENCRYPTION_KEY); see IsLegacy. kKeyUnavailable
  /// for a key id not in the ring; kInternal for damaged, moved or unknown text.
  Result<SecretString> Open(const SealContext& context, std::string_view sealed) const;
  /// True for text that ought to be sealed anew: a Fernet value, or one under another key than the first.
  bool IsLegacy(std::string_view sealed) const;

  /// The id of the key that seals.
  const std::string& ActiveKeyId() const;
  std::vector<std::string> KeyIds() const;
  bool HasKey(std::string_view key_id) const;
  /// The key id a sealed text names; empty when it is not of our form.
  static std::string KeyIdOf(std::string_view sealed);
  /// A value stored once per key: opening it proves that a key of the ring is the one that wrote it. `key_id`: one of
  /// KeyIds().
  std::string MakeCheckValue(std::string_view key_id) const;
  std::string MakeCheckValue() const { return MakeCheckValue(ActiveKeyId()); }
  Result<void> VerifyCheckValue(std::string_view check) const;

 private:
  explicit Vault(std::vector<VaultKey> keys) : keys_(std::move(keys)) {}
  const VaultKey* Find(std::string_view key_id) const;
  std::vector<VaultKey> keys_;
};

}  // namespace latchkey::crypto
