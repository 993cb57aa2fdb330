#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/error.hpp"
#include "crypto/key_store.hpp"
#include "crypto/vault.hpp"

namespace latchkey::crypto {

/// Where the stored tokens stand with the ring's keys: `latchkey keys status`.
struct KeyUse {
  std::string key_id;  ///< "fernet" for values of the former ENCRYPTION_KEY, "unknown" for text of no known form.
  bool in_ring = false;
  bool active = false;
  std::int64_t accounts = 0;  ///< That have a value under this key.
};
/// The ring's keys first, in its order, then every other key that stored values name.
Task<Result<std::vector<KeyUse>>> ReportKeyUse(KeyStore& store, const Vault& vault);

/// At start, before anything is opened: every stored check value of a key in the ring must open, and no stored token
/// may need a key that is not in it. kKeyUnavailable with the key id and the number of accounts in the detail; nothing
/// is changed then. Otherwise stores the check values that are missing.
Task<Result<void>> CheckKeysAtStart(KeyStore& store, const Vault& vault);

/// Opens every stored value: `latchkey keys verify`.
struct KeyVerification {
  std::int64_t accounts = 0;
  /// Accounts with a value that does not open.
  std::vector<std::string> damaged;
};
Task<Result<KeyVerification>> VerifyStoredValues(KeyStore& store, const Vault& vault);

/// Seals every value that is not under the first key anew: `latchkey keys rotate`. Row by row, so that it can run
/// beside the server, be killed at any point and be started again; a row that is refreshed meanwhile is left as it then
/// is.
struct KeyRotation {
  std::int64_t accounts = 0, rewritten = 0;
  /// Left as they are, because they do not open.
  std::vector<std::string> damaged;
};
Task<Result<KeyRotation>> RotateKeys(KeyStore& store, const Vault& vault);

}  // namespace latchkey::crypto
