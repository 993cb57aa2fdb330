// What a stranger's server sends: one of four types or none, never a crash.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "images/image_proxy.hpp"
#include "images/image_type.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto type = latchkey::images::ImageTypeOf(bytes);
  if (type && !type->starts_with("image/")) std::abort();
  if (size < 4096) {
    const std::string location(bytes.substr(0, bytes.find('\0')));
    (void)latchkey::images::ResolveUrl("https://example.com/a/b", location);
  }
  return 0;
}
