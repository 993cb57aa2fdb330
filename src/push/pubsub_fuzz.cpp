// Whatever bytes reach the webhook: a refusal or clean values, never a crash.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "push/notification.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto parsed = latchkey::push::ParseGmailNotification(body);
  if (parsed && (parsed->email.empty() || parsed->history_id.empty())) std::abort();
  return 0;
}
