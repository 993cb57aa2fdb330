#include "crypto/vault.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "crypto/aead.hpp"
#include "crypto/fernet.hpp"
#include "crypto/hash.hpp"

namespace latchkey::crypto {
namespace {

constexpr std::size_t kKeySize = 32;
constexpr std::size_t kKeyIdDigits = 16;
constexpr std::string_view kVersion = "lk1";
constexpr std::string_view kCheckClear = "latchkey vault check";
constexpr SealContext kCheckContext{
    .table = "vault_keys", .column = "check_value", .account_id = "", .user_id = "", .provider = ""};

std::string KeyIdFor(const std::string& key) {
  return HexEncode(Sha256("latchkey vault key id" + key)).substr(0, kKeyIdDigits);
}

/// Every part is preceded by its length, so that no two contexts have one spelling.
std::string AdditionalData(const SealContext& context, std::string_view key_id) {
  std::string out;
  for (const std::string_view part :
       {kVersion, key_id, context.table, context.column, context.account_id, context.user_id, context.provider}) {
    out += static_cast<char>(part.size() >> 8 & 0xff);
    out += static_cast<char>(part.size() & 0xff);
    out += part;
  }
  return out;
}

std::string AccountKey(const VaultKey& key, std::string_view account_id) {
  return HkdfSha256(key.bytes.Reveal(), kVersion, std::string("account ").append(account_id), kKeySize);
}

std::string SealWith(const VaultKey& key, const SealContext& context, std::string_view clear) {
  const std::string sealed = AeadSeal(AccountKey(key, context.account_id), AdditionalData(context, key.id), clear);
  return std::string(kVersion) + '.' + key.id + '.' + Base64UrlEncode(sealed);
}

bool IsKeyId(std::string_view text) {
  return text.size() == kKeyIdDigits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

Result<Vault> Vault::Make(std::vector<SecretString> keys) {
  if (keys.empty()) return Fail(ErrorCode::kInvalidArgument, "the key ring is empty");
  std::vector<VaultKey> ring;
  for (SecretString& key : keys) {
    if (key.Reveal().size() != kKeySize) return Fail(ErrorCode::kInvalidArgument, "a vault key is not 32 bytes");
    std::string id = KeyIdFor(key.Reveal());
    if (std::ranges::any_of(ring, [&](const VaultKey& other) { return other.id == id; })) {
      return Fail(ErrorCode::kInvalidArgument, "vault key " + id + " is in the ring twice");
    }
    ring.push_back({.id = std::move(id), .bytes = std::move(key)});
  }
  return Vault(std::move(ring));
}

Result<SecretString> Vault::ParseKey(std::string_view text) {
  for (auto decoded :
       {text.size() == 2 * kKeySize ? HexDecode(text) : std::nullopt, Base64UrlDecode(text), Base64Decode(text)}) {
    if (decoded && decoded->size() == kKeySize) return SecretString(std::move(*decoded));
  }
  return Fail(ErrorCode::kInvalidArgument, "a vault key must be 32 bytes in hex or base64");
}

SecretString Vault::GenerateKey() { return SecretString(Base64UrlEncode(RandomBytes(kKeySize)) + '='); }

std::string Vault::Seal(const SealContext& context, const SecretString& clear) const {
  return SealWith(keys_.front(), context, clear.Reveal());
}

Result<SecretString> Vault::Open(const SealContext& context, std::string_view sealed) const {
  if (LooksLikeFernet(sealed)) {
    for (const VaultKey& key : keys_) {
      if (auto clear = FernetOpen(key.bytes.Reveal(), sealed)) return SecretString(std::move(*clear));
    }
    return Fail(ErrorCode::kKeyUnavailable, "no key of the ring opens this Fernet value");
  }
  const std::string key_id = KeyIdOf(sealed);
  if (key_id.empty()) return Fail(ErrorCode::kInternal, "not a sealed value");
  const VaultKey* key = Find(key_id);
  if (key == nullptr) return Fail(ErrorCode::kKeyUnavailable, "vault key " + key_id + " is not in the ring");
  const auto bytes = Base64UrlDecode(sealed.substr(kVersion.size() + kKeyIdDigits + 2));
  if (!bytes) return Fail(ErrorCode::kInternal, "sealed value is not base64url");
  auto clear = AeadOpen(AccountKey(*key, context.account_id), AdditionalData(context, key_id), *bytes);
  if (!clear) return Fail(ErrorCode::kInternal, "sealed value is damaged or was moved");
  return SecretString(std::move(*clear));
}

bool Vault::IsLegacy(std::string_view sealed) const { return KeyIdOf(sealed) != ActiveKeyId(); }

const std::string& Vault::ActiveKeyId() const { return keys_.front().id; }

std::vector<std::string> Vault::KeyIds() const {
  std::vector<std::string> ids;
  for (const VaultKey& key : keys_) ids.push_back(key.id);
  return ids;
}

bool Vault::HasKey(std::string_view key_id) const { return Find(key_id) != nullptr; }

std::string Vault::KeyIdOf(std::string_view sealed) {
  const std::size_t prefix = kVersion.size() + 1;
  if (sealed.size() < prefix + kKeyIdDigits + 1 || !sealed.starts_with(kVersion) || sealed[kVersion.size()] != '.' ||
      sealed[prefix + kKeyIdDigits] != '.') {
    return {};
  }
  const std::string_view id = sealed.substr(prefix, kKeyIdDigits);
  return IsKeyId(id) ? std::string(id) : std::string();
}

std::string Vault::MakeCheckValue(std::string_view key_id) const {
  const VaultKey* key = Find(key_id);
  return key == nullptr ? std::string() : SealWith(*key, kCheckContext, kCheckClear);
}

Result<void> Vault::VerifyCheckValue(std::string_view check) const {
  const auto clear = Open(kCheckContext, check);
  if (!clear) return Fail(clear.error());
  if (clear->Reveal() != kCheckClear) return Fail(ErrorCode::kInternal, "check value holds something else");
  return {};
}

const VaultKey* Vault::Find(std::string_view key_id) const {
  const auto it = std::ranges::find_if(keys_, [&](const VaultKey& key) { return key.id == key_id; });
  return it == keys_.end() ? nullptr : &*it;
}

}  // namespace latchkey::crypto
