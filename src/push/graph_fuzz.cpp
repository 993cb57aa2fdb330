// Whatever bytes reach the webhook: a refusal or clean values, never a crash.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "push/notification.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto parsed = latchkey::push::ParseGraphNotifications(body);
  if (parsed) {
    if (parsed->size() > latchkey::push::kMaxGraphNotifications) std::abort();
    for (const auto& notification : *parsed) {
      if (notification.subscription_id.empty()) std::abort();
    }
  }
  if (latchkey::push::EscapeHtml(body).find('<') != std::string::npos) std::abort();
  return 0;
}
