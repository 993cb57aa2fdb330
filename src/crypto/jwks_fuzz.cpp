#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "crypto/jwk.hpp"

/// Whatever key set comes, the keys in it are usable: they have a handle and are found by their id.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto keys = latchkey::crypto::Jwks::Parse(input);
  if (!keys || keys->size() == 0) return 0;
  if (keys->size() == 1 && (keys->Find("") == nullptr || keys->Find("")->handle() == nullptr)) std::abort();
  return 0;
}
