#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calendar/calendar_store.hpp"
#include "storage/rows.hpp"

/// How calendars and events look in rows; writing and reading side by side. Any thread.
namespace latchkey::storage {

/// The columns of ReadEvent, in its order, of table `e`.
extern const std::string_view kEventColumns;

struct EventRow {
  std::int64_t row = 0, calendar_row = 0;
  std::string id;
  calendar::Event event;
};
/// Reads kEventColumns beginning at column 0.
EventRow ReadEvent(const Rows& rows);

/// How many columns ReadEvent takes: what a statement adds begins there.
inline constexpr int kEventColumnCount = 31;

/// Writes the event into the calendar: inserts, or updates what differs; then notes window and epoch.
enum class EventChange { kNone, kInserted, kUpdated };
struct EventPlace {
  ConnectedAccountId account_id;
  std::int64_t calendar_row = 0;
  std::string_view window;
  std::int64_t epoch = 0;
};
EventChange UpsertEvent(Transaction& transaction, const EventPlace& place, const calendar::Event& event, Instant now);

/// Names of windows that are none of a provider's: see the column's comment in the migration.
inline constexpr std::string_view kDepartedWindow = "-", kAskedForWindow = "*";

std::string AttendeesJson(const std::vector<calendar::Attendee>& attendees);

}  // namespace latchkey::storage
