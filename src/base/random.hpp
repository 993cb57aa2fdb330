#pragma once

#include <cstddef>
#include <string>

namespace latchkey {

/// `count` bytes of the operating system's cryptographic generator. Throws std::runtime_error if that fails. Any
/// thread.
std::string RandomBytes(std::size_t count);
/// base64url of `bytes` random bytes: states, nonces, session ids.
std::string RandomToken(std::size_t bytes = 32);

}  // namespace latchkey
