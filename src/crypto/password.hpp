#pragma once

#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace latchkey::crypto {

/// Argon2id (19 MiB, 2 passes, 1 lane) in its PHC text form. Takes tens of milliseconds: run it on a WorkerPool. Every
/// byte of the password counts. Throws std::bad_alloc when the memory is not to be had.
std::string HashPassword(const SecretString& password);
/// False also for text that is not such a hash.
bool PasswordMatches(const SecretString& password, const std::string& hash);
/// True when `hash` was made with other parameters than HashPassword uses now.
bool PasswordNeedsRehash(const std::string& hash);

}  // namespace latchkey::crypto
