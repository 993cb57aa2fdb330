#pragma once

#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace latchkey::crypto {

/// 32 raw bytes.
std::string Sha256(std::string_view bytes);
std::string HmacSha256(std::string_view key, std::string_view bytes);
/// SHA-256 in hex: how session ids, states, tickets and tokens of ours are kept.
std::string Sha256Hex(std::string_view bytes);
/// RFC 5869. `size` at most 255 * 32.
std::string HkdfSha256(std::string_view secret, std::string_view salt, std::string_view info, std::size_t size);
/// Takes the same time wherever the texts differ (their lengths are not hidden).
bool EqualConstantTime(std::string_view a, std::string_view b);
/// A key for one purpose from the server's secret.
SecretString DeriveKey(const SecretString& secret, std::string_view purpose);

}  // namespace latchkey::crypto
