#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "mail/address_parser.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto list = latchkey::mail::ParseAddressList(input);
  if (list.addresses.size() > latchkey::mail::kMaxAddresses) std::abort();
  for (const auto& address : list.addresses) {
    // What comes out is storable.
    if (!simdjson::validate_utf8(address.name) || !simdjson::validate_utf8(address.address)) std::abort();
    if (address.address.find('\0') != std::string::npos || address.name.find('\0') != std::string::npos) std::abort();
  }
  return 0;
}
