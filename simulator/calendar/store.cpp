#include "simulator/calendar/store.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "simulator/http/message.hpp"

namespace latchkey::simulator::calendar {
namespace {

/// RFC 4648 section 7 in lower case: what Google's event ids are made of.
std::string Base32Hex(std::uint64_t high, std::uint64_t low) {
  std::string text;
  for (int i = 0; i < 26; ++i) {
    text += "0123456789abcdefghijklmnopqrstuv"[low & 31];
    low = (low >> 5) | (high << 59);
    high >>= 5;
  }
  return text;
}

}  // namespace

Calendar* CalendarBook::Find(std::string_view id) {
  if (id == "primary") return &primary();
  for (Calendar& calendar : calendars) {
    if (!calendar.deleted && EqualsIgnoreCase(calendar.id, id)) return &calendar;
  }
  return nullptr;
}

Calendar& CalendarBook::primary() { return calendars.front(); }

CalendarBook& CalendarStore::Book(const Account& account) {
  auto found = books_.find(account.sub);
  if (found == books_.end()) {
    auto book = std::make_unique<CalendarBook>();
    // Milliseconds since some day of 2023: tokens from the simulator's former life are older than anything here, and
    // end in 410 instead of in silence.
    book->first_revision =
        static_cast<std::uint64_t>(std::max<std::int64_t>(ToMicros(clock_.Now()) / 1000 - 1'700'000'000'000, 1));
    book->revision = book->first_revision;
    book->oldest_token = book->first_revision;
    Calendar& primary = book->calendars.emplace_back();
    primary.id = account.email;
    primary.summary = account.email;
    primary.primary = true;
    primary.color_id = "14";
    primary.revision = book->revision;
    primary.updated = primary.events_updated = NextUpdated();
    found = books_.emplace(account.sub, std::move(book)).first;
  }
  CalendarBook& book = *found->second;
  book.calendars.front().id = account.email;  // An account's address may change.
  return book;
}

Calendar& CalendarStore::AddCalendar(const Account& account, std::string summary, std::string zone) {
  CalendarBook& book = Book(account);
  Calendar& calendar = book.calendars.emplace_back();
  calendar.id = fmt::format("c_{:016x}{:016x}{:016x}{:016x}@group.calendar.google.com", NextNonce(), NextNonce(),
                            NextNonce(), NextNonce());
  calendar.summary = std::move(summary);
  calendar.zone = zone.empty() ? book.primary().zone : std::move(zone);
  calendar.color_id = std::to_string(1 + book.calendars.size() % 24);
  calendar.events_updated = NextUpdated();
  CalendarChanged(account, calendar);
  return calendar;
}

bool CalendarStore::RemoveCalendar(const Account& account, Calendar& calendar) {
  if (calendar.primary || calendar.deleted) return false;
  calendar.deleted = true;
  calendar.events.clear();
  calendar.changes.clear();
  calendar.instances.clear();
  CalendarChanged(account, calendar);
  return true;
}

void CalendarStore::CalendarChanged(const Account& account, Calendar& calendar) {
  calendar.revision = ++Book(account).revision;
  calendar.updated = NextUpdated();
  Notify(account, nullptr);
}

const Event& CalendarStore::Put(const Account& account, Calendar& calendar, Event event) {
  CalendarBook& book = Book(account);
  if (event.id.empty()) event.id = NewEventId();
  if (event.ical_uid.empty()) event.ical_uid = event.id + "@google.com";
  Event& stored = calendar.events[event.id];
  const bool created = stored.id.empty();
  if (!created) calendar.changes.erase(stored.revision);
  event.updated = NextUpdated();
  if (event.created == Instant()) event.created = event.updated;
  event.revision = ++book.revision;
  stored = std::move(event);
  calendar.changes.emplace(stored.revision, stored.id);
  if (!stored.master_id.empty()) calendar.instances[stored.master_id].insert(stored.id);
  calendar.events_updated = stored.updated;
  Notify(account, &calendar);
  for (const EventObserver& observer : event_observers_) observer(account, calendar, stored, created);
  return stored;
}

bool CalendarStore::Delete(const Account& account, Calendar& calendar, std::string_view id) {
  const Event* found = calendar.Find(id);
  if (!found || found->is_cancelled()) return false;
  Event event = *found;
  event.status = EventStatus::kCancelled;
  event.deleted = true;
  ++event.sequence;
  if (event.is_master()) {
    if (const auto instances = calendar.instances.find(event.id); instances != calendar.instances.end()) {
      for (const std::string& instance : instances->second) {
        const auto stored = calendar.events.find(instance);
        calendar.changes.erase(stored->second.revision);
        calendar.events.erase(stored);
      }
      calendar.instances.erase(instances);
    }
  }
  Put(account, calendar, std::move(event));
  return true;
}

void CalendarStore::ExpireTokens(const Account& account) {
  CalendarBook& book = Book(account);
  book.oldest_token = ++book.revision;
}

std::string CalendarStore::NewEventId() { return Base32Hex(NextNonce(), NextNonce()); }

std::uint64_t CalendarStore::NextNonce() {
  random_ += 0x9E3779B97F4A7C15ULL;  // splitmix64
  std::uint64_t z = random_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

Instant CalendarStore::NextUpdated() {
  last_updated_ = std::max(clock_.Now(), last_updated_ + std::chrono::microseconds(1));
  return last_updated_;
}

void CalendarStore::Notify(const Account& account, const Calendar* calendar) {
  for (const Observer& observer : observers_) observer(account, calendar);
}

}  // namespace latchkey::simulator::calendar
