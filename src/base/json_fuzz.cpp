#include <boost/json/serialize.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/json_writer.hpp"

/// Whatever is accepted must be accepted again when it is written out, and mean the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = latchkey::json::Parse({reinterpret_cast<const char*>(data), size});
  if (!value) return 0;
  const auto again = latchkey::json::Parse(boost::json::serialize(*value));
  if (!again) std::abort();
  if (const auto* text = value->if_string()) {
    std::string quoted;
    latchkey::json::AppendQuoted(quoted, {text->data(), text->size()});
    const auto read = latchkey::json::Parse(quoted);
    if (!read || read->get_string() != *text) std::abort();
  }
  return 0;
}
