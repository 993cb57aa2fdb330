#include "providers/microsoft/graph_calendar_events.hpp"

#include <array>
#include <set>

#include "calendar/time_zone.hpp"
#include "mail/html_text.hpp"
#include "providers/microsoft/graph_recurrence.hpp"
#include "telemetry/log.hpp"

namespace latchkey::microsoft {
namespace {

using calendar::Event;
using calendar::EventKind;
using calendar::FlagOf;
using calendar::ForEachIn;
using calendar::JsonElement;
using calendar::MemberOf;
using calendar::TextOf;
namespace inherit = calendar::inherit;
using std::chrono::days;

constexpr std::size_t kMaxTitle = 2048, kMaxText = 128 << 10, kMaxLine = 2048, kMaxAttendees = 500;

Result<JsonElement> ReadObject(simdjson::dom::parser& parser, std::string& json) {
  const auto answer = calendar::ParseAnswer(parser, json);
  if (!answer || !answer->is_object()) return Fail(ErrorCode::kMalformedReply, "graph calendar: no JSON object");
  return *answer;
}

std::string Line(JsonElement object, std::string_view name) {
  return calendar::CleanText(TextOf(object, name), kMaxLine);
}

/// "2026-05-04T09:00:00.0000000" beside a zone's name; UTC is asked for, but others are understood.
std::optional<Instant> ReadMoment(JsonElement event, std::string_view name) {
  const auto member = MemberOf(event, name);
  if (!member) return std::nullopt;
  std::string text(TextOf(*member, "dateTime"));
  if (const auto exact = ParseInstant(text)) return exact;
  const auto local = ParseInstant(text + "Z");
  if (!local) return std::nullopt;
  const auto zone = calendar::TimeZone::Find(calendar::ResolveZone(TextOf(*member, "timeZone")));
  if (!zone || zone->name() == "UTC") return local;
  return zone->ToUtc(calendar::LocalSeconds(std::chrono::floor<std::chrono::seconds>(*local).time_since_epoch()));
}

bool IsMidnight(Instant instant) { return instant == std::chrono::floor<days>(instant); }

/// The date that an all-day event begins or ends with. As written it is a midnight; where it was converted to another
/// zone it is one in the event's own (Graph, "event resource type": midnight to midnight in the given zone).
Instant DateOf(JsonElement event, std::string_view name, Instant converted, const std::string& own_zone) {
  if (const auto member = MemberOf(event, name)) {
    const std::string text(TextOf(*member, "dateTime"));
    if (const auto local = ParseInstant(text + "Z"); local && IsMidnight(*local)) return *local;
  }
  const auto zone = calendar::TimeZone::Find(own_zone);
  if (!zone) return std::chrono::floor<days>(converted + std::chrono::hours(12));
  return Instant(std::chrono::floor<days>(zone->ToLocal(converted) + std::chrono::hours(12)).time_since_epoch());
}

std::string Words(JsonElement body) {
  const auto content = TextOf(body, "content");
  if (TextOf(body, "contentType") != "html") return calendar::CleanText(content, kMaxText);
  return calendar::CleanText(mail::HtmlToText(content, kMaxText), kMaxText);
}

calendar::Response ResponseOf(std::string_view text) {
  if (text == "accepted" || text == "organizer") return calendar::Response::kAccepted;
  if (text == "declined") return calendar::Response::kDeclined;
  return text == "tentativelyAccepted" ? calendar::Response::kTentative : calendar::Response::kNeedsAction;
}

calendar::ShowsAs ShowsAsOf(std::string_view text) {
  if (text == "free") return calendar::ShowsAs::kFree;
  if (text == "tentative") return calendar::ShowsAs::kTentative;
  if (text == "oof") return calendar::ShowsAs::kOutOfOffice;
  return text == "workingElsewhere" ? calendar::ShowsAs::kWorkingElsewhere : calendar::ShowsAs::kBusy;
}

EventKind KindOf(std::string_view type) {
  if (type == "seriesMaster") return EventKind::kMaster;
  if (type == "occurrence") return EventKind::kOccurrence;
  return type == "exception" ? EventKind::kException : EventKind::kSingle;
}

void ReadPeople(JsonElement item, Event& event) {
  if (const auto organizer = MemberOf(item, "organizer")) {
    if (const auto address = MemberOf(*organizer, "emailAddress")) {
      event.organizer = {.name = Line(*address, "name"), .email = Line(*address, "address")};
    }
    event.organizer.self = FlagOf(item, "isOrganizer");
  }
  event.attendees_omitted = FlagOf(item, "hideAttendees");
  ForEachIn(item, "attendees", [&](JsonElement attendee) {
    const auto type = TextOf(attendee, "type");
    if (type == "resource") return;
    if (event.attendees.size() >= kMaxAttendees) {
      event.attendees_omitted = true;
      return;
    }
    const auto address = MemberOf(attendee, "emailAddress"), status = MemberOf(attendee, "status");
    calendar::Attendee read{.optional = type == "optional"};
    if (address) {
      read.name = Line(*address, "name");
      read.email = Line(*address, "address");
    }
    if (status) read.response = ResponseOf(TextOf(*status, "response"));
    event.attendees.push_back(std::move(read));
  });
}

/// What the item does not say itself; only occurrences and exceptions have a series to take it from.
std::uint32_t MissingIn(JsonElement item) {
  std::uint32_t missing = 0;
  const auto note = [&](std::string_view name, std::uint32_t flag) {
    simdjson::dom::object members;
    if (item.get_object().get(members) == simdjson::SUCCESS && members.at_key(name).error() != simdjson::SUCCESS) {
      missing |= flag;
    }
  };
  note("subject", inherit::kTitle);
  note("body", inherit::kDescription);
  note("location", inherit::kLocation);
  note("attendees", inherit::kAttendees);
  note("organizer", inherit::kOrganizer);
  note("onlineMeeting", inherit::kConference);
  note("showAs", inherit::kShowsAs);
  note("sensitivity", inherit::kPrivate);
  note("originalStartTimeZone", inherit::kZone);
  note("webLink", inherit::kLink);
  note("isCancelled", inherit::kStatus);
  note("isAllDay", inherit::kAllDay);
  return missing;
}

std::optional<Event> ReadEvent(JsonElement item) {
  Event event;
  event.external_id = Line(item, "id");
  event.kind = KindOf(TextOf(item, "type"));
  event.series_id = Line(item, "seriesMasterId");
  const bool of_series = event.kind == EventKind::kOccurrence || event.kind == EventKind::kException;
  if (of_series) {
    event.inherits = MissingIn(item);
  } else {
    event.series_id.clear();
  }
  const auto start = ReadMoment(item, "start");
  if (event.external_id.empty() || !start) return std::nullopt;
  const Instant end = std::max(ReadMoment(item, "end").value_or(*start), *start);
  event.time = {.all_day = FlagOf(item, "isAllDay"),
                .start = *start,
                .end = end,
                .zone = calendar::ResolveZone(TextOf(item, "originalStartTimeZone"))};
  if (event.time.all_day) {
    event.time.start = DateOf(item, "start", *start, event.time.zone);
    event.time.end = std::max(DateOf(item, "end", end, event.time.zone), event.time.start + days(1));
  }
  if (event.kind == EventKind::kException) {
    event.original_start = ParseInstant(TextOf(item, "originalStart"));
    if (event.original_start && event.time.all_day) {
      event.original_start = Instant(std::chrono::floor<days>(*event.original_start + std::chrono::hours(12)));
    }
  }
  event.status = FlagOf(item, "isCancelled") ? calendar::EventStatus::kCancelled : calendar::EventStatus::kConfirmed;
  event.title = calendar::CleanText(TextOf(item, "subject"), kMaxTitle);
  if (const auto body = MemberOf(item, "body")) event.description = Words(*body);
  if (const auto location = MemberOf(item, "location")) event.location = Line(*location, "displayName");
  if (const auto meeting = MemberOf(item, "onlineMeeting")) event.conference_url = Line(*meeting, "joinUrl");
  if (event.conference_url.empty()) event.conference_url = Line(item, "onlineMeetingUrl");
  event.html_link = Line(item, "webLink");
  const auto sensitivity = TextOf(item, "sensitivity");
  event.is_private = sensitivity == "private" || sensitivity == "confidential" || sensitivity == "personal";
  event.shows_as = ShowsAsOf(TextOf(item, "showAs"));
  ReadPeople(item, event);
  if (const auto recurrence = MemberOf(item, "recurrence"); recurrence && event.kind == EventKind::kMaster) {
    if (std::string rule = RecurrenceLine(*recurrence); !rule.empty()) event.recurrence.push_back(std::move(rule));
  }
  return event;
}

std::string ColorOf(JsonElement item) {
  const auto hex = TextOf(item, "hexColor");
  if (hex.size() == 7 && hex[0] == '#' &&
      hex.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string_view::npos) {
    return std::string(hex);
  }
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kNamed{{{"lightBlue", "#a6d1f5"},
                                                                                        {"lightGreen", "#87d28e"},
                                                                                        {"lightOrange", "#fcab73"},
                                                                                        {"lightGray", "#c0c0c0"},
                                                                                        {"lightYellow", "#f4d07a"},
                                                                                        {"lightTeal", "#4adacc"},
                                                                                        {"lightPink", "#f08cc0"},
                                                                                        {"lightBrown", "#cba287"},
                                                                                        {"lightRed", "#f88c9b"}}};
  const auto name = TextOf(item, "color");
  for (const auto& [known, color] : kNamed) {
    if (known == name) return std::string(color);
  }
  return {};
}

}  // namespace

Result<CalendarsPage> ParseCalendars(std::string& json) {
  simdjson::dom::parser parser;
  const auto answer = ReadObject(parser, json);
  if (!answer) return Fail(answer.error());
  if (!MemberOf(*answer, "value")) return Fail(ErrorCode::kMalformedReply, "graph calendars: no list");
  CalendarsPage page;
  page.next_link = TextOf(*answer, "@odata.nextLink");
  ForEachIn(*answer, "value", [&](JsonElement item) {
    calendar::Calendar entry;
    entry.external_id = Line(item, "id");
    if (entry.external_id.empty()) return;
    entry.name = Line(item, "name");
    entry.color = ColorOf(item);
    entry.is_primary = FlagOf(item, "isDefaultCalendar");
    entry.role = FlagOf(item, "canShare") || entry.is_primary ? calendar::AccessRole::kOwner
                 : FlagOf(item, "canEdit")                    ? calendar::AccessRole::kWriter
                                                              : calendar::AccessRole::kReader;
    // Birthdays and holidays come with every mailbox; they are there to be chosen.
    entry.suggested = entry.role != calendar::AccessRole::kReader;
    page.calendars.push_back(std::move(entry));
  });
  return page;
}

Result<EventsPage> ParseEvents(std::string& json) {
  simdjson::dom::parser parser;
  const auto answer = ReadObject(parser, json);
  if (!answer) return Fail(answer.error());
  EventsPage page;
  page.next_link = TextOf(*answer, "@odata.nextLink");
  page.delta_link = TextOf(*answer, "@odata.deltaLink");
  if (page.next_link.empty() && page.delta_link.empty()) {
    return Fail(ErrorCode::kMalformedReply, "graph events: a page that leads nowhere");
  }
  std::set<std::string> timed, all_day;
  ForEachIn(*answer, "value", [&](JsonElement item) {
    if (MemberOf(item, "@removed")) {
      if (std::string id = Line(item, "id"); !id.empty()) page.removed.push_back(std::move(id));
      return;
    }
    auto event = ReadEvent(item);
    if (!event) {
      log::Warn("calendar.event_unreadable", {{"provider", "microsoft"}});
      return;
    }
    if (event->kind == EventKind::kMaster) (event->time.all_day ? all_day : timed).insert(event->external_id);
    page.events.push_back(std::move(*event));
  });
  for (std::size_t i = 0; i < page.events.size(); ++i) {
    Event& event = page.events[i];
    if ((event.inherits & inherit::kAllDay) == 0) continue;
    event.inherits &= ~inherit::kAllDay;
    if (!IsMidnight(event.time.start) || !IsMidnight(event.time.end) || event.time.start == event.time.end ||
        timed.contains(event.series_id)) {
      continue;
    }
    if (all_day.contains(event.series_id)) {
      MakeAllDay(event);
    } else {
      page.undecided.push_back(i);
    }
  }
  return page;
}

void MakeAllDay(Event& event) {
  event.time.all_day = true;
  event.time.start = std::chrono::floor<days>(event.time.start);
  event.time.end = std::max<Instant>(std::chrono::floor<days>(event.time.end), event.time.start + days(1));
}

Result<Event> ParseEvent(std::string& json) {
  simdjson::dom::parser parser;
  const auto answer = ReadObject(parser, json);
  if (!answer) return Fail(answer.error());
  auto event = ReadEvent(*answer);
  if (!event) return Fail(ErrorCode::kMalformedReply, "graph calendar: no event");
  event->inherits &= ~inherit::kAllDay;
  return std::move(*event);
}

Result<EventSpan> ParseSpan(std::string& json) {
  simdjson::dom::parser parser;
  const auto answer = ReadObject(parser, json);
  if (!answer) return Fail(answer.error());
  if (!MemberOf(*answer, "value")) return Fail(ErrorCode::kMalformedReply, "graph events: no list");
  EventSpan span;
  span.next_link = TextOf(*answer, "@odata.nextLink");
  ForEachIn(*answer, "value", [&](JsonElement item) {
    if (std::string id = Line(item, "id"); !id.empty()) {
      if (TextOf(item, "type") == "exception") span.exceptions.push_back(id);
      span.ids.push_back(std::move(id));
    }
    const auto start = ReadMoment(item, "start"), end = ReadMoment(item, "end");
    if (start && (!span.earliest || *start < *span.earliest)) span.earliest = start;
    if (end && (!span.latest || *end > *span.latest)) span.latest = end;
  });
  return span;
}

}  // namespace latchkey::microsoft
