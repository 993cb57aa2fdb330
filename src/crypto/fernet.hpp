#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace latchkey::crypto {

/// True for text that has the form of a Fernet token (version 0x80), whoever made it.
bool LooksLikeFernet(std::string_view text);

/// Reads a token of the Fernet specification (github.com/fernet/spec), as the former ENCRYPTION_KEY made them: 32-byte
/// key, HMAC-SHA256 checked before AES-128-CBC is opened. The age is not limited: these are values at rest. nullopt for
/// everything that this key did not make.
std::optional<std::string> FernetOpen(std::string_view key, std::string_view token);

}  // namespace latchkey::crypto
