#pragma once

#include "base/error.hpp"
#include "base/secret.hpp"

namespace latchkey::crypto {

/// Refuses signing and sealing secrets that are no secrets: shorter than 32 bytes, sample and default values of guides
/// (whatever their case), and texts of a few repeated characters. kInvalidArgument; the detail says what is wrong and
/// never holds the value.
Result<void> CheckSecretStrength(const SecretString& secret);

}  // namespace latchkey::crypto
