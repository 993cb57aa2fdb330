#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/keys.hpp"

namespace latchkey::config {

inline Problem Fine() { return {}; }
inline Problem Wrong(std::string what, std::string remedy) { return {{}, std::move(what), std::move(remedy)}; }

/// The whole text as a number between the bounds.
std::optional<int> ParseNumber(std::string_view text, int lowest, int highest);

/// "localhost", 127.0.0.0/8 or ::1, with or without brackets.
bool IsLoopbackHost(std::string_view host);

/// An origin without path: https, or http where the host is this machine itself. Trailing slash is taken off.
Problem ParseOrigin(const std::string& text, std::string& out);
/// Any https address, or http where the host is this machine itself.
Problem ParseEndpoint(const std::string& text, std::string& out);
/// "host:port" with port 0 to 65535; IPv6 in brackets.
Problem ParseListen(const std::string& text, std::string& host, unsigned short& port);

/// At least 32 bytes and not one of the values that samples and tutorials show.
Problem CheckSecret(const std::string& text);
/// 32 bytes as base64, base64url or hex.
std::optional<std::string> ParseVaultKey(std::string_view text);

/// Separated by commas or blanks; empty pieces are skipped.
std::vector<std::string> SplitList(std::string_view text);

}  // namespace latchkey::config
