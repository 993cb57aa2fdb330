#pragma once

#include "connected_accounts/account.hpp"
#include "crypto/vault.hpp"

namespace latchkey::connected_accounts {

/// The place an account's token is sealed for. Points into `account`.
inline crypto::SealContext TokenContext(const ConnectedAccount& account, std::string_view column) {
  return {.table = "connected_accounts",
          .column = column,
          .account_id = account.id.text(),
          .user_id = account.user_id.text(),
          .provider = account.provider};
}
inline crypto::SealContext AccessTokenContext(const ConnectedAccount& account) {
  return TokenContext(account, "access_token");
}
inline crypto::SealContext RefreshTokenContext(const ConnectedAccount& account) {
  return TokenContext(account, "refresh_token");
}

}  // namespace latchkey::connected_accounts
