#pragma once

#include <optional>

#include "async/task.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "identity/identity_store.hpp"

namespace latchkey::identity {

/// At start: a fresh one-time token for the setup link while no administrator exists (an older link dies), nullopt
/// afterwards.
Task<Result<std::optional<SecretString>>> OpenSetup(IdentityStore& store);

/// Whether this is the token of the setup that is still open; for the page behind the link.
Task<Result<bool>> SetupTokenIsOpen(IdentityStore& store, const SecretString& token);

}  // namespace latchkey::identity
