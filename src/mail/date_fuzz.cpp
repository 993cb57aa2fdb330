#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "mail/mail_date.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  // Whatever is read can be written and read again.
  if (const auto instant = latchkey::mail::ParseMailDate(input)) {
    if (latchkey::ParseInstant(latchkey::FormatInstant(*instant)) != instant) std::abort();
  }
  return 0;
}
