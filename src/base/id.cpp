#include "base/id.hpp"

#include <cstdint>
#include <mutex>

#include "base/encoding.hpp"
#include "base/random.hpp"

namespace latchkey {

std::string NewUuid(Instant now) {
  // RFC 9562 section 6.2 method 1: a 12-bit counter in rand_a keeps ids of one millisecond in order.
  static std::mutex mutex;
  static std::int64_t last_millis = 0;
  static std::uint32_t counter = 0;
  std::int64_t millis = std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count();
  std::uint32_t sequence = 0;
  {
    const std::scoped_lock lock(mutex);
    if (millis > last_millis) {
      last_millis = millis;
      counter = 0;
    } else if (++counter > 0xfff) {
      ++last_millis;
      counter = 0;
    }
    millis = last_millis;
    sequence = counter;
  }
  std::string bytes = RandomBytes(16);
  for (int i = 0; i < 6; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<char>(millis >> (40 - 8 * i) & 0xff);
  bytes[6] = static_cast<char>(0x70 | (sequence >> 8 & 0x0f));
  bytes[7] = static_cast<char>(sequence & 0xff);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  const std::string hex = HexEncode(bytes);
  return hex.substr(0, 8) + '-' + hex.substr(8, 4) + '-' + hex.substr(12, 4) + '-' + hex.substr(16, 4) + '-' +
         hex.substr(20);
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return false;
    } else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
      return false;
    }
  }
  return true;
}

}  // namespace latchkey
