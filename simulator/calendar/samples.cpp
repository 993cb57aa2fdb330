#include "simulator/calendar/samples.hpp"

#include <fmt/format.h>

#include "simulator/calendar/series.hpp"

namespace latchkey::simulator::calendar {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::minutes;

constexpr const char* kBerlin = "Europe/Berlin";
const Attendee kMira{.person = {"mira@example.org", "Mira Beispiel"}, .response = "accepted"};
const Attendee kJonas{.person = {"jonas@example.org", "Jonas Muster"}, .response = "tentative"};
const Attendee kYuki{.person = {"yuki@example.net", "Yuki Mihon"}, .response = "accepted"};
const Attendee kSam{.person = {"sam@example.com", "Sam Sample"}, .response = "needsAction", .optional = true};

/// Builds events of one calendar around a Monday.
class Week {
 public:
  Week(CalendarStore& store, const Account& account, Calendar& calendar, Instant now)
      : store_(store), account_(account), calendar_(calendar), created_(now - days(120)) {
    today_ = std::chrono::floor<days>(ToLocal(now, kBerlin));
    monday_ = today_ - (std::chrono::weekday(today_) - std::chrono::Monday);
  }

  local_days today() const { return today_; }
  local_days monday() const { return monday_; }
  std::size_t count() const { return count_; }

  Event Timed(std::string summary, LocalTime start, minutes length, std::string zone = kBerlin) const {
    Event event = Empty(std::move(summary));
    event.start = {.local = start, .zone = zone};
    event.end = {.local = start + length, .zone = std::move(zone)};
    return event;
  }
  Event Days(std::string summary, local_days first, int length) const {
    Event event = Empty(std::move(summary));
    event.start = {.all_day = true, .local = first};
    event.end = {.all_day = true, .local = first + days(length)};
    event.show_as = "free";
    return event;
  }
  Event Add(Event event) {
    ++count_;
    // Ids of their own, so that the same sample has the same ones again; unlike those of the other calendars, since
    // Exchange's ids are unique over a mailbox.
    if (event.id.empty()) {
      const std::size_t place = store_.Book(account_).calendars.size();
      event.id = fmt::format("sample{:02}{:02}{:016}", place, count_, account_.email.size());
    }
    event.created = created_;
    return store_.Put(account_, calendar_, std::move(event));
  }
  /// The members of `self` as an attendee who has answered.
  Attendee Self(std::string response) const {
    return {.person = {account_.email, account_.name}, .response = std::move(response)};
  }

 private:
  Event Empty(std::string summary) const {
    Event event;
    event.summary = std::move(summary);
    event.creator = {account_.email, account_.name};
    event.organizer = calendar_.primary ? event.creator : Person{calendar_.id, calendar_.summary};
    return event;
  }

  CalendarStore& store_;
  const Account& account_;
  Calendar& calendar_;
  Instant created_;
  local_days today_;
  local_days monday_;
  std::size_t count_ = 0;
};

void AddStandUps(Week& week) {
  const local_days begin = week.monday() - days(12 * 7);
  Event series = week.Timed("Stand-up", begin + hours(9) + minutes(30), minutes(15));
  series.recurrence = {"RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"};
  series.conference_url = "https://meet.google.com/sim-ular-tor";
  series.attendees = {week.Self("accepted"), kMira, kJonas, kYuki};
  series.description = "What went well, what comes next.";
  const Event master = week.Add(std::move(series));
  Event moved = MakeInstance(master, week.monday() + days(1) + hours(9) + minutes(30));
  moved.start.local += hours(2);
  moved.end.local += hours(2);
  moved.summary = "Stand-up (later today)";
  ++moved.sequence;
  week.Add(std::move(moved));
  Event cancelled = MakeInstance(master, week.monday() + days(4) + hours(9) + minutes(30));
  cancelled.status = EventStatus::kCancelled;
  week.Add(std::move(cancelled));
}

void AddMeetings(Week& week) {
  Event call = week.Timed("Call with New York", week.monday() + days(2) + hours(10), minutes(45), "America/New_York");
  call.recurrence = {"RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=WE"};
  call.start.local -= days(28);
  call.end.local -= days(28);
  call.attendees = {week.Self("accepted"), kSam};
  call.conference_url = "https://video.example.com/j/4815162342";
  week.Add(std::move(call));
  Event tokyo = week.Timed("Planning with Tokyo", week.monday() + days(3) + hours(17), minutes(60), "Asia/Tokyo");
  tokyo.attendees = {week.Self("accepted"), kYuki};
  tokyo.location = "Room Fuji";
  week.Add(std::move(tokyo));
  Event review = week.Timed("Budget review", week.monday() - days(70) + hours(15), minutes(90));
  review.recurrence = {"RRULE:FREQ=MONTHLY;BYDAY=-1FR"};
  week.Add(std::move(review));
  Event invitation = week.Timed("Workshop: better release notes", week.monday() + days(8) + hours(13), minutes(180));
  invitation.organizer = kMira.person;
  invitation.creator = kMira.person;
  invitation.attendees = {kMira, week.Self("needsAction"), kJonas};
  invitation.location = "Harbour Street 5, 2nd floor";
  week.Add(std::move(invitation));
  Event tentative = week.Timed("Coffee with Jonas?", week.today() + days(1) + hours(16), minutes(30));
  tentative.status = EventStatus::kTentative;
  tentative.show_as = "tentative";
  week.Add(std::move(tentative));
  week.Add(week.Timed("Write the quarterly letter", week.today() + hours(14), minutes(60)));
  week.Add(week.Timed("Retrospective", week.monday() - days(4) + hours(11), minutes(60)));
}

void AddPrivateLife(Week& week) {
  Event dentist = week.Timed("Dentist", week.monday() + days(3) + hours(8), minutes(45));
  dentist.visibility = "private";
  dentist.location = "Dr. Beispiel";
  week.Add(std::move(dentist));
  Event trip = week.Days("Trip to Lisbon", week.monday() + days(10), 4);
  trip.show_as = "oof";
  trip.location = "Lisbon";
  week.Add(std::move(trip));
  week.Add(week.Days("Moving day", week.monday() - days(9), 1));
  Event birthday = week.Days("Noor's birthday", week.today() - days(363), 1);
  birthday.recurrence = {"RRULE:FREQ=YEARLY"};
  week.Add(std::move(birthday));
  Event flight = week.Timed("Flight to Lisbon", week.monday() + days(10) + hours(7) + minutes(20), minutes(200));
  flight.end = {.local = week.monday() + days(10) + hours(9) + minutes(40), .zone = "Europe/Lisbon"};
  week.Add(std::move(flight));
  Event choir = week.Timed("Choir", week.monday() - days(3 * 7 - 1) + hours(19), minutes(120));
  choir.recurrence = {"RRULE:FREQ=WEEKLY;COUNT=12;BYDAY=TU"};
  choir.categories = {"Music"};
  week.Add(std::move(choir));
}

}  // namespace

std::size_t AddSampleCalendars(CalendarStore& store, const Account& account, Instant now) {
  CalendarBook& book = store.Book(account);
  Calendar& primary = book.primary();
  primary.zone = kBerlin;
  Week own(store, account, primary, now);
  AddStandUps(own);
  AddMeetings(own);
  AddPrivateLife(own);

  Calendar& team = store.AddCalendar(account, "Team Harbour", kBerlin);
  Week shared(store, account, team, now);
  Event launch = shared.Days("Release 2.4", shared.monday() + days(14), 1);
  shared.Add(std::move(launch));
  Event duty = shared.Days("On call: Mira", shared.monday(), 7);
  duty.recurrence = {"RRULE:FREQ=WEEKLY;INTERVAL=3"};
  shared.Add(std::move(duty));
  shared.Add(shared.Timed("Team lunch", shared.monday() + days(2) + hours(12) + minutes(30), minutes(60)));

  Calendar& holidays = store.AddCalendar(account, "Holidays of Musterland", kBerlin);
  holidays.access_role = "reader";
  holidays.selected = true;
  store.CalendarChanged(account, holidays);
  Week off(store, account, holidays, now);
  Event day = off.Days("Day of the Harbour", off.monday() + days(16), 1);
  day.recurrence = {"RRULE:FREQ=YEARLY"};
  off.Add(std::move(day));
  store.CalendarChanged(account, primary);
  return own.count() + shared.count() + off.count();
}

}  // namespace latchkey::simulator::calendar
