#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/error.hpp"

namespace latchkey::crypto {

/// What the vault's keys need of the database (table vault_keys and the token columns of connected_accounts).
/// Implemented in storage/.
class KeyStore {
 public:
  virtual ~KeyStore() = default;

  struct KeyCheck {
    std::string key_id;
    std::string check_value;
  };
  virtual Task<Result<std::vector<KeyCheck>>> ListKeyChecks() = 0;
  /// Does nothing when the key id is there already.
  virtual Task<Result<void>> InsertKeyCheck(const KeyCheck& check) = 0;

  /// The token columns of one account.
  struct SealedRow {
    std::string account_id, user_id, provider;
    std::string access_token, refresh_token;
    std::int64_t version = 0;  ///< As in SealedTokens: a refresh meanwhile wins over a rewrite.
  };
  /// All accounts with tokens, by account id, after `after_account_id`; at most `limit`.
  virtual Task<Result<std::vector<SealedRow>>> ListSealedRows(std::string_view after_account_id, int limit) = 0;
  /// Rewrites the two columns if the row still has `row.version`; false when it has moved on or is gone. The version
  /// stays: the tokens are the same.
  virtual Task<Result<bool>> ReplaceSealedRow(const SealedRow& row) = 0;
};

}  // namespace latchkey::crypto
