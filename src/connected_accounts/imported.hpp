#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace latchkey::connected_accounts {

/// An account that came out of an older program is known by less than the provider's own id: by its address
/// ("email:ada@example.com"), or only by the organisation that connected it ("org:Example Ltd"). Neither looks like an
/// id of a provider. The first sign-in there puts the provider's id in its place.
inline constexpr std::string_view kKnownByAddress = "email:";
inline constexpr std::string_view kKnownByOrganisation = "org:";

/// Whether a sign-in as `subject` with the address `email` is the account known as `provider_account_id`.
inline bool IsSameMailbox(std::string_view provider_account_id, std::string_view subject, std::string_view email) {
  if (provider_account_id.starts_with(kKnownByOrganisation)) return true;
  if (provider_account_id.starts_with(kKnownByAddress)) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    const auto known = provider_account_id.substr(kKnownByAddress.size());
    return !known.empty() && std::ranges::equal(known, email, {}, lower, lower);
  }
  return provider_account_id == subject;
}

}  // namespace latchkey::connected_accounts
