// The import of iCalendar files, and what reads its events afterwards: whatever the bytes, no crash and no endless
// series.
#include <cstdint>

#include "base/clock.hpp"
#include "simulator/calendar/ics.hpp"
#include "simulator/calendar/series.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace latchkey::simulator::calendar;
  if (size > 64 * 1024) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ImportedCalendar imported = ImportIcs(text, {"ada@example.com", "Ada"}, "Europe/Berlin");
  Calendar calendar;
  std::size_t masters = 0;
  for (const Event& event : imported.events) {
    if (!event.is_master() || ++masters > 3) continue;
    InstanceQuery query;
    query.now = latchkey::Instant(std::chrono::seconds(1'780'000'000));
    query.most = 100;
    for (const Event& instance : Instances(calendar, event, query)) {
      if (instance.id.empty() || instance.master_id != event.id) __builtin_trap();
    }
  }
  return 0;
}
