#include "providers/google/calendar_events.hpp"

#include <optional>

#include "calendar/provider_json.hpp"
#include "calendar/time_zone.hpp"
#include "mail/html_text.hpp"
#include "telemetry/log.hpp"

namespace latchkey::google {
namespace {

using calendar::Event;
using calendar::EventKind;
using calendar::EventStatus;
using calendar::FlagOf;
using calendar::ForEachIn;
using calendar::JsonElement;
using calendar::MemberOf;
using calendar::TextOf;

constexpr std::size_t kMaxTitle = 2048, kMaxText = 128 << 10, kMaxLine = 2048, kMaxAttendees = 500, kMaxRules = 200;

Result<JsonElement> ReadObject(simdjson::dom::parser& parser, std::string& json) {
  const auto answer = calendar::ParseAnswer(parser, json);
  if (!answer || !answer->is_object()) return Fail(ErrorCode::kMalformedReply, "google calendar: no JSON object");
  return *answer;
}

std::string Line(JsonElement object, std::string_view name) {
  return calendar::CleanText(TextOf(object, name), kMaxLine);
}

/// A start or end: {date} or {dateTime with offset, timeZone}.
struct Moment {
  bool is_date = false;
  Instant instant{};
  std::string zone;
};

std::optional<Moment> ReadMoment(JsonElement event, std::string_view name, const std::string& calendar_zone) {
  const auto member = MemberOf(event, name);
  if (!member) return std::nullopt;
  if (const auto date = TextOf(*member, "date"); !date.empty()) {
    const auto day = calendar::ParseDate(date);
    if (!day) return std::nullopt;
    return Moment{.is_date = true, .instant = *day, .zone = {}};
  }
  Moment moment;
  moment.zone = calendar::ResolveZone(TextOf(*member, "timeZone"));
  if (moment.zone.empty()) moment.zone = calendar_zone;
  const std::string text(TextOf(*member, "dateTime"));
  if (const auto instant = ParseInstant(text)) {
    moment.instant = *instant;
    return moment;
  }
  // Without an offset it is a wall clock's reading.
  const auto local = ParseInstant(text + "Z");
  if (!local) return std::nullopt;
  auto zone = calendar::TimeZone::Find(moment.zone);
  if (!zone) zone = calendar::TimeZone::Utc();
  moment.instant =
      zone->ToUtc(calendar::LocalSeconds(std::chrono::floor<std::chrono::seconds>(*local).time_since_epoch()));
  return moment;
}

/// Descriptions may be HTML; what is shown and searched are their words.
std::string Words(std::string_view text) {
  const auto tag = text.find('<');
  const bool html = tag != std::string_view::npos && tag + 1 < text.size() &&
                    (std::isalpha(static_cast<unsigned char>(text[tag + 1])) != 0 || text[tag + 1] == '/');
  if (!html) return calendar::CleanText(text, kMaxText);
  return calendar::CleanText(mail::HtmlToText(text, kMaxText), kMaxText);
}

calendar::Response ResponseOf(std::string_view text) {
  if (text == "accepted") return calendar::Response::kAccepted;
  if (text == "declined") return calendar::Response::kDeclined;
  return text == "tentative" ? calendar::Response::kTentative : calendar::Response::kNeedsAction;
}

calendar::ShowsAs ShowsAsOf(JsonElement item) {
  const auto type = TextOf(item, "eventType");
  if (type == "outOfOffice") return calendar::ShowsAs::kOutOfOffice;
  if (type == "workingLocation") {
    const auto properties = MemberOf(item, "workingLocationProperties");
    return properties && TextOf(*properties, "type") == "officeLocation" ? calendar::ShowsAs::kFree
                                                                         : calendar::ShowsAs::kWorkingElsewhere;
  }
  return TextOf(item, "transparency") == "transparent" ? calendar::ShowsAs::kFree : calendar::ShowsAs::kBusy;
}

std::string ConferenceOf(JsonElement item) {
  std::string link;
  if (const auto conference = MemberOf(item, "conferenceData")) {
    ForEachIn(*conference, "entryPoints", [&](JsonElement entry) {
      if (link.empty() && TextOf(entry, "entryPointType") == "video") link = Line(entry, "uri");
    });
  }
  return link.empty() ? Line(item, "hangoutLink") : link;
}

void ReadPeople(JsonElement item, Event& event) {
  if (const auto organizer = MemberOf(item, "organizer")) {
    event.organizer = {.name = Line(*organizer, "displayName"),
                       .email = Line(*organizer, "email"),
                       .self = FlagOf(*organizer, "self")};
  }
  event.attendees_omitted = FlagOf(item, "attendeesOmitted");
  ForEachIn(item, "attendees", [&](JsonElement attendee) {
    if (FlagOf(attendee, "resource")) return;
    if (event.attendees.size() >= kMaxAttendees) {
      event.attendees_omitted = true;
      return;
    }
    event.attendees.push_back({.name = Line(attendee, "displayName"),
                               .email = Line(attendee, "email"),
                               .response = ResponseOf(TextOf(attendee, "responseStatus")),
                               .optional = FlagOf(attendee, "optional"),
                               .self = FlagOf(attendee, "self")});
  });
}

/// nullopt: not readable as an event, and left out.
std::optional<Event> ReadEvent(JsonElement item, const std::string& calendar_zone) {
  Event event;
  event.external_id = Line(item, "id");
  event.series_id = Line(item, "recurringEventId");
  const auto original = ReadMoment(item, "originalStartTime", calendar_zone);
  if (original) event.original_start = original->instant;
  if (!event.series_id.empty()) event.kind = EventKind::kException;
  if (event.external_id.empty()) return std::nullopt;

  const auto status = TextOf(item, "status");
  if (status == "cancelled") {
    // A called-off occurrence: of its fields only where it would have been is sure.
    if (!original) return std::nullopt;
    event.status = EventStatus::kCancelled;
    event.time = {.all_day = original->is_date,
                  .start = original->instant,
                  .end = original->instant + std::chrono::days(original->is_date ? 1 : 0),
                  .zone = original->zone};
    return event;
  }
  const auto start = ReadMoment(item, "start", calendar_zone);
  if (!start) return std::nullopt;
  const auto end = ReadMoment(item, "end", calendar_zone);
  event.time = {.all_day = start->is_date, .start = start->instant, .end = start->instant, .zone = start->zone};
  if (end && end->is_date == start->is_date) event.time.end = std::max(end->instant, start->instant);
  if (start->is_date && event.time.end == event.time.start) event.time.end += std::chrono::days(1);
  event.status = status == "tentative" ? EventStatus::kTentative : EventStatus::kConfirmed;
  event.title = calendar::CleanText(TextOf(item, "summary"), kMaxTitle);
  event.description = Words(TextOf(item, "description"));
  event.location = Line(item, "location");
  event.conference_url = ConferenceOf(item);
  event.html_link = Line(item, "htmlLink");
  const auto visibility = TextOf(item, "visibility");
  event.is_private = visibility == "private" || visibility == "confidential";
  event.shows_as = ShowsAsOf(item);
  ReadPeople(item, event);
  ForEachIn(item, "recurrence", [&](JsonElement line) {
    std::string_view text;
    if (line.get_string().get(text) == simdjson::SUCCESS && event.recurrence.size() < kMaxRules) {
      event.recurrence.push_back(calendar::CleanText(text, kMaxText));
    }
  });
  if (!event.recurrence.empty()) event.kind = EventKind::kMaster;
  return event;
}

bool IsTombstone(JsonElement item) {
  return TextOf(item, "status") == "cancelled" && TextOf(item, "recurringEventId").empty();
}

calendar::AccessRole RoleOf(std::string_view role) {
  if (role == "owner") return calendar::AccessRole::kOwner;
  if (role == "writer") return calendar::AccessRole::kWriter;
  return role == "freeBusyReader" ? calendar::AccessRole::kFreeBusy : calendar::AccessRole::kReader;
}

std::string ColorOf(std::string_view color) {
  const bool good = color.size() == 7 && color[0] == '#' &&
                    color.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string_view::npos;
  return good ? std::string(color) : std::string();
}

}  // namespace

Result<CalendarListPage> ParseCalendarList(std::string& json) {
  simdjson::dom::parser parser;
  const auto answer = ReadObject(parser, json);
  if (!answer) return Fail(answer.error());
  CalendarListPage page;
  page.next_page = TextOf(*answer, "nextPageToken");
  ForEachIn(*answer, "items", [&](JsonElement item) {
    calendar::Calendar entry;
    entry.external_id = Line(item, "id");
    if (entry.external_id.empty() || FlagOf(item, "deleted")) return;
    entry.name = Line(item, "summaryOverride");
    if (entry.name.empty()) entry.name = Line(item, "summary");
    entry.color = ColorOf(TextOf(item, "backgroundColor"));
    entry.time_zone = calendar::ResolveZone(TextOf(item, "timeZone"));
    entry.is_primary = FlagOf(item, "primary");
    entry.role = RoleOf(TextOf(item, "accessRole"));
    // A person's own calendars, and the others where they look at them at Google too.
    entry.suggested = entry.is_primary || entry.role == calendar::AccessRole::kOwner || FlagOf(item, "selected");
    page.calendars.push_back(std::move(entry));
  });
  return page;
}

Result<EventsPage> ParseEvents(std::string& json, const std::string& calendar_zone) {
  simdjson::dom::parser parser;
  const auto answer = ReadObject(parser, json);
  if (!answer) return Fail(answer.error());
  EventsPage page;
  page.next_page = TextOf(*answer, "nextPageToken");
  page.next_sync_token = TextOf(*answer, "nextSyncToken");
  if (page.next_page.empty() && page.next_sync_token.empty()) {
    return Fail(ErrorCode::kMalformedReply, "google calendar: a page that leads nowhere");
  }
  std::string zone = calendar::ResolveZone(TextOf(*answer, "timeZone"));
  if (zone.empty()) zone = calendar_zone;
  ForEachIn(*answer, "items", [&](JsonElement item) {
    if (IsTombstone(item)) {
      if (std::string id = Line(item, "id"); !id.empty()) page.removed.push_back(std::move(id));
      return;
    }
    if (auto event = ReadEvent(item, zone)) {
      page.events.push_back(std::move(*event));
    } else if (std::string id = Line(item, "id"); TextOf(item, "status") == "cancelled" && !id.empty()) {
      page.removed.push_back(std::move(id));
    } else {
      log::Warn("calendar.event_unreadable", {{"provider", "google"}});
    }
  });
  return page;
}

Result<Event> ParseEvent(std::string& json, const std::string& calendar_zone) {
  simdjson::dom::parser parser;
  const auto answer = ReadObject(parser, json);
  if (!answer) return Fail(answer.error());
  if (IsTombstone(*answer)) return Fail(ErrorCode::kGone, "google calendar: the event is cancelled");
  auto event = ReadEvent(*answer, calendar_zone);
  if (!event) return Fail(ErrorCode::kMalformedReply, "google calendar: no event");
  return std::move(*event);
}

Result<calendar::EventIdPage> ParseEventIds(std::string& json) {
  simdjson::dom::parser parser;
  const auto answer = ReadObject(parser, json);
  if (!answer) return Fail(answer.error());
  calendar::EventIdPage page;
  page.next_page = TextOf(*answer, "nextPageToken");
  ForEachIn(*answer, "items", [&](JsonElement item) {
    if (IsTombstone(item)) return;
    if (std::string id = Line(item, "id"); !id.empty()) page.ids.push_back(std::move(id));
  });
  return page;
}

}  // namespace latchkey::google
