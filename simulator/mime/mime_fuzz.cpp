#include <cstdint>
#include <cstdlib>

#include "simulator/mime/charset.hpp"
#include "simulator/mime/summary.hpp"

// Whatever the bytes are: no crash, and everything that is handed on as text is valid UTF-8.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace latchkey::simulator::mime;
  const Message message = Message::Parse({reinterpret_cast<const char*>(data), size});
  const Summary summary = Summarise(message);
  const std::string preview = PreviewText(message);
  bool valid = IsValidUtf8(summary.subject) && IsValidUtf8(summary.text) && IsValidUtf8(summary.html) &&
               IsValidUtf8(preview) && IsValidUtf8(summary.message_id);
  for (const Address& address : summary.from) valid = valid && IsValidUtf8(address.name) && IsValidUtf8(address.email);
  for (const NamedPart& part : summary.attachments) valid = valid && IsValidUtf8(part.name);
  if (!valid) std::abort();
  return 0;
}
