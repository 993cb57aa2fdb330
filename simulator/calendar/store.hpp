#pragma once

#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "simulator/accounts.hpp"
#include "simulator/calendar/model.hpp"

namespace latchkey::simulator::calendar {

/// All calendars of one account, both providers' shapes read the same ones. Made on first use with a primary calendar.
struct CalendarBook {
  std::deque<Calendar> calendars;  ///< Removed ones stay, marked.
  std::uint64_t revision = 0;      ///< Counts every change in the book.
  std::uint64_t first_revision = 0;
  /// Sync tokens of an older revision answer 410; raised by the control API.
  std::uint64_t oldest_token = 0;

  Calendar* Find(std::string_view id);
  /// The primary one, which always exists.
  Calendar& primary();
};

/// The calendars of everybody. Every change goes through here, so that revisions, instants and observers are right.
/// Loop thread only; clock and accounts outlive it.
class CalendarStore {
 public:
  static constexpr std::size_t kMaxEvents = 500'000;

  CalendarStore(const Clock& clock, std::uint64_t seed) : clock_(clock), random_(seed ^ 0x63616C656E646172ULL) {}

  CalendarBook& Book(const Account& account);

  /// A new calendar of the account; an empty zone is that of the primary one.
  Calendar& AddCalendar(const Account& account, std::string summary, std::string zone = {});
  /// Not the primary one: false.
  bool RemoveCalendar(const Account& account, Calendar& calendar);
  /// After a member of `calendar` itself was changed.
  void CalendarChanged(const Account& account, Calendar& calendar);

  /// Adds or replaces by id (made when empty; `created`, `updated`, `revision` are set here). An instance that was not
  /// stored before joins its master's.
  const Event& Put(const Account& account, Calendar& calendar, Event event);
  /// Marks as deleted. A master takes its stored instances with it without a word of their own, as Google does.
  /// False: there is none, or it is deleted already.
  bool Delete(const Account& account, Calendar& calendar, std::string_view id);

  /// Every sync token and delta link issued so far ends with 410.
  void ExpireTokens(const Account& account);

  std::string NewEventId();
  std::uint64_t NextNonce();
  Instant Now() const { return clock_.Now(); }

  /// `calendar` is nullptr when the list of calendars changed.
  using Observer = std::function<void(const Account&, const Calendar* calendar)>;
  void OnChange(Observer observer) { observers_.push_back(std::move(observer)); }
  /// Hears of each changed event as well; `created` when it was not there before.
  using EventObserver = std::function<void(const Account&, const Calendar&, const Event&, bool created)>;
  void OnEvent(EventObserver observer) { event_observers_.push_back(std::move(observer)); }

 private:
  Instant NextUpdated();
  void Notify(const Account& account, const Calendar* calendar);

  const Clock& clock_;
  std::uint64_t random_;
  Instant last_updated_{};
  std::map<std::string, std::unique_ptr<CalendarBook>, std::less<>> books_;  ///< By the account's sub.
  std::vector<Observer> observers_;
  std::vector<EventObserver> event_observers_;
};

}  // namespace latchkey::simulator::calendar
