#pragma once

#include <string>
#include <string_view>

#include "oauth/identity_provider.hpp"

namespace latchkey::connected_accounts {

/// An account that came out of an older program is known by less than the provider's own id: by its address
/// ("email:ada@example.com"), or only by the organisation that connected it ("org:Example Ltd"). Neither looks like an
/// id of a provider. The first sign-in there puts the provider's id in its place.
inline constexpr std::string_view kKnownByAddress = "email:";
inline constexpr std::string_view kKnownByOrganisation = "org:";

/// Whether the provider's own id is still unknown.
inline bool IsImportedId(std::string_view provider_account_id) {
  return provider_account_id.starts_with(kKnownByOrganisation) || provider_account_id.starts_with(kKnownByAddress);
}

/// The id of an account that is known by the address of this sign-in; empty when the address proves nothing.
inline std::string KnownByAddressOf(const oauth::IdentityClaims& claims) {
  if (claims.email.empty() || !claims.email_is_own) return {};
  std::string id(kKnownByAddress);
  for (const char c : claims.email) id += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return id;
}

/// Whether a sign-in with these claims is the account known as `provider_account_id`.
inline bool IsSameMailbox(std::string_view provider_account_id, const oauth::IdentityClaims& claims) {
  if (provider_account_id.starts_with(kKnownByOrganisation)) return true;
  if (provider_account_id.starts_with(kKnownByAddress)) return provider_account_id == KnownByAddressOf(claims);
  return provider_account_id == claims.subject;
}

}  // namespace latchkey::connected_accounts
