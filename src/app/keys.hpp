#pragma once

#include <expected>

#include "app/command_line.hpp"
#include "app/exit_code.hpp"
#include "async/task.hpp"
#include "crypto/key_store.hpp"
#include "crypto/vault.hpp"

namespace latchkey::app {

/// At start: every stored token must be sealed with a key of the ring, and each known key must be the one that wrote
/// its check value. Stores the check value of a new active key; changes nothing else.
Task<std::expected<void, StartFailure>> CheckKeys(crypto::KeyStore& store, const crypto::Vault& vault);

/// `latchkey keys status|verify|rotate`; prints to standard output. Rotation goes account by account and can be
/// interrupted and repeated; a token refreshed meanwhile wins over its rewrite.
Task<int> RunKeysCommand(Command::Verb verb, crypto::KeyStore& store, const crypto::Vault& vault);

}  // namespace latchkey::app
