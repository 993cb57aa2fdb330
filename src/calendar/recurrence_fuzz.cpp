#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "calendar/series.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace latchkey;
  using namespace latchkey::calendar;
  Event master;
  master.kind = EventKind::kMaster;
  master.time.zone = "Europe/Berlin";
  master.time.start = *ParseInstant("2024-02-29T08:30:00Z");
  master.time.end = master.time.start + std::chrono::minutes(45);
  std::string_view text(reinterpret_cast<const char*>(data), size);
  while (!text.empty()) {
    const auto end = text.find('\n');
    master.recurrence.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  const Series series(master);
  ExpansionBudget budget(50'000);
  Series::Range range;
  range.from = *ParseInstant("2026-01-01T00:00:00Z");
  range.to = range.from + std::chrono::days(400);
  Instant before = Instant::min();
  for (const auto& occurrence : series.Expand(range, 500, {}, budget)) {
    if (occurrence.end <= range.from || occurrence.start >= range.to) std::abort();
    if (occurrence.start == before) std::abort();
    before = occurrence.start;
  }
  (void)series.End();
  return 0;
}
