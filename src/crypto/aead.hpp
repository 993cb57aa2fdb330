#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace latchkey::crypto {

/// AES-256-GCM with a fresh random nonce: nonce (12) | ciphertext | tag (16). `key` is 32 bytes. With keys derived per
/// account or purpose, random nonces stay far below the 2^32 messages of NIST SP 800-38D section 8.3. Throws
/// std::runtime_error when OpenSSL fails (a broken invariant, not input).
std::string AeadSeal(std::string_view key, std::string_view additional, std::string_view clear);
/// nullopt when the text was not sealed with this key and this additional data.
std::optional<std::string> AeadOpen(std::string_view key, std::string_view additional, std::string_view sealed);

}  // namespace latchkey::crypto
