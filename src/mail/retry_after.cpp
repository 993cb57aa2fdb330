#include "mail/retry_after.hpp"

#include <algorithm>
#include <charconv>

#include "mail/charset.hpp"
#include "mail/mail_date.hpp"

namespace latchkey::mail {

using std::chrono::milliseconds;

std::optional<milliseconds> ReadRetryAfter(std::string_view header, Instant now) {
  constexpr milliseconds kShortest = std::chrono::seconds(1);
  constexpr milliseconds kLongest = std::chrono::hours(24);
  header = TrimAscii(header);
  if (header.empty()) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), value);
  if (error == std::errc() && end == header.data() + header.size()) {
    // Not a number and negative ones fail the comparison.
    if (!(value >= 0)) return std::nullopt;
    const auto wait = milliseconds(static_cast<std::int64_t>(std::min(value, 86400.0) * 1000));
    return std::clamp(wait, kShortest, kLongest);
  }
  const auto when = ParseMailDate(header);
  if (!when) return std::nullopt;
  return std::clamp(std::chrono::ceil<milliseconds>(*when - now), kShortest, kLongest);
}

}  // namespace latchkey::mail
