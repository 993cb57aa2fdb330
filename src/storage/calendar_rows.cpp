#include "storage/calendar_rows.hpp"

#include <boost/json.hpp>

#include "base/json_writer.hpp"
#include "calendar/series.hpp"

namespace latchkey::storage {
namespace {

using calendar::Event;
using calendar::EventKind;

const Statement kFind(
    "SELECT row_id, fingerprint FROM calendar_events WHERE calendar_row = $1 AND external_event_id = $2");
const Statement kInsert(R"sql(
INSERT INTO calendar_events (id, connected_account_id, calendar_row, external_event_id, "window", epoch, kind, status,
  series_external_id, original_start, title, description, start_time, end_time, start_date, end_date, is_all_day,
  time_zone, sort_start, sort_end, recurrence, attendees, attendees_omitted, location, organizer_name, organizer_email,
  organizer_self, conference_url, html_link, is_private, shows_as, inherits, fingerprint, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
  $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $34))sql");
const Statement kUpdate(R"sql(
UPDATE calendar_events SET kind = $2, status = $3, series_external_id = $4, original_start = $5, title = $6,
  description = $7, start_time = $8, end_time = $9, start_date = $10, end_date = $11, is_all_day = $12,
  time_zone = $13, sort_start = $14, sort_end = $15, recurrence = $16, attendees = $17, attendees_omitted = $18,
  location = $19, organizer_name = $20, organizer_email = $21, organizer_self = $22, conference_url = $23,
  html_link = $24, is_private = $25, shows_as = $26, inherits = $27, fingerprint = $28, updated_at = $29
WHERE row_id = $1)sql");
const Statement kPlace(R"sql(
UPDATE calendar_events SET "window" = $2, epoch = $3 WHERE row_id = $1 AND ("window" <> $2 OR epoch <> $3))sql");

/// FNV-1a: the same in every build, unlike std::hash.
class Fingerprint {
 public:
  void Add(std::string_view text) {
    for (const char c : text) Byte(static_cast<unsigned char>(c));
    Byte(0);
  }
  void Add(std::int64_t number) { Add(std::string_view(reinterpret_cast<const char*>(&number), sizeof number)); }
  std::int64_t value() const { return static_cast<std::int64_t>(value_); }

 private:
  void Byte(unsigned char c) { value_ = (value_ ^ c) * 1099511628211ULL; }
  std::uint64_t value_ = 1469598103934665603ULL;
};

std::int64_t FingerprintOf(const Event& event, std::string_view attendees, std::string_view recurrence) {
  Fingerprint print;
  for (const std::string_view text :
       {ToString(event.kind), ToString(event.status), ToString(event.shows_as), std::string_view(event.title),
        std::string_view(event.description), std::string_view(event.location), std::string_view(event.series_id),
        std::string_view(event.time.zone), std::string_view(event.organizer.name),
        std::string_view(event.organizer.email), std::string_view(event.conference_url),
        std::string_view(event.html_link), attendees, recurrence}) {
    print.Add(text);
  }
  const auto original = event.original_start ? ToMicros(*event.original_start) : INT64_MIN;
  for (const std::int64_t number :
       {ToMicros(event.time.start), ToMicros(event.time.end), original, std::int64_t{event.time.all_day},
        std::int64_t{event.organizer.self}, std::int64_t{event.attendees_omitted}, std::int64_t{event.is_private},
        std::int64_t{event.inherits}}) {
    print.Add(number);
  }
  return print.value();
}

std::vector<calendar::Attendee> ParseAttendees(std::string_view text) {
  std::vector<calendar::Attendee> attendees;
  if (text.empty()) return attendees;
  boost::system::error_code error;
  const auto parsed = boost::json::parse(boost::json::string_view(text.data(), text.size()), error);
  if (error || !parsed.is_array()) return attendees;
  for (const auto& item : parsed.get_array()) {
    if (!item.is_object()) continue;
    const auto& object = item.get_object();
    const auto string = [&](std::string_view name) {
      const auto* value = object.if_contains(boost::json::string_view(name.data(), name.size()));
      return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
    };
    const auto flag = [&](std::string_view name) {
      const auto* value = object.if_contains(boost::json::string_view(name.data(), name.size()));
      return value != nullptr && value->is_bool() && value->get_bool();
    };
    attendees.push_back({.name = string("name"),
                         .email = string("email"),
                         .response = calendar::ParseResponse(string("response")).value_or(calendar::Response{}),
                         .optional = flag("optional"),
                         .self = flag("self")});
  }
  return attendees;
}

}  // namespace

const std::string_view kEventColumns =
    "e.row_id, e.calendar_row, e.id, e.external_event_id, e.kind, e.status, e.series_external_id, e.original_start, "
    "e.title, e.description, e.sort_start, e.start_time, e.end_time, e.start_date, e.end_date, e.is_all_day, "
    "e.time_zone, e.recurrence, e.attendees, e.attendees_omitted, e.location, e.organizer_name, e.organizer_email, "
    "e.organizer_self, e.conference_url, e.html_link, e.is_private, e.shows_as, e.inherits, e.\"window\", e.epoch";

EventRow ReadEvent(const Rows& rows) {
  EventRow read{.row = rows.Int(0), .calendar_row = rows.Int(1), .id = rows.String(2)};
  Event& event = read.event;
  event.external_id = rows.String(3);
  event.kind = calendar::ParseEventKind(rows.Text(4)).value_or(EventKind::kSingle);
  event.status = calendar::ParseEventStatus(rows.Text(5)).value_or(calendar::EventStatus::kConfirmed);
  event.series_id = rows.String(6);
  event.original_start = rows.MaybeTime(7);
  event.title = rows.String(8);
  event.description = rows.String(9);
  event.time.all_day = rows.Bool(15);
  if (event.time.all_day) {
    event.time.start = calendar::ParseDate(rows.Text(13)).value_or(FromMicros(rows.Int(10)));
    event.time.end = calendar::ParseDate(rows.Text(14)).value_or(event.time.start + std::chrono::days(1));
  } else {
    event.time.start = rows.Time(11);
    event.time.end = rows.Time(12);
  }
  event.time.zone = rows.String(16);
  if (!rows.IsNull(17)) event.recurrence = ParseJsonArray(rows.Text(17));
  if (!rows.IsNull(18)) event.attendees = ParseAttendees(rows.Text(18));
  event.attendees_omitted = rows.Bool(19);
  event.location = rows.String(20);
  event.organizer = {.name = rows.String(21), .email = rows.String(22), .self = rows.Bool(23)};
  event.conference_url = rows.String(24);
  event.html_link = rows.String(25);
  event.is_private = rows.Bool(26);
  event.shows_as = calendar::ParseShowsAs(rows.Text(27)).value_or(calendar::ShowsAs::kBusy);
  event.inherits = static_cast<std::uint32_t>(rows.Int(28));
  return read;
}

std::string AttendeesJson(const std::vector<calendar::Attendee>& attendees) {
  json::Writer out(attendees.size() * 96 + 2);
  out.BeginArray();
  for (const auto& attendee : attendees) {
    out.BeginObject()
        .Member("name", attendee.name)
        .Member("email", attendee.email)
        .Member("response", ToString(attendee.response))
        .Member("optional", attendee.optional)
        .Member("self", attendee.self)
        .EndObject();
  }
  out.EndArray();
  return out.Take();
}

EventChange UpsertEvent(Transaction& transaction, const EventPlace& place, const Event& event, Instant now) {
  const std::string attendees = event.attendees.empty() ? std::string() : AttendeesJson(event.attendees);
  const std::string recurrence = event.recurrence.empty() ? std::string() : ToJsonArray(event.recurrence);
  const std::int64_t print = FingerprintOf(event, attendees, recurrence);
  std::int64_t row = 0;
  {
    Rows rows = transaction.Query(kFind, place.calendar_row, event.external_id);
    if (rows.Step()) {
      row = rows.Int(0);
      if (rows.Int(1) == print) {
        transaction.Send(kPlace, row, place.window, place.epoch);
        return EventChange::kNone;
      }
    }
  }
  const auto& time = event.time;
  std::optional<Instant> start, end;
  std::optional<std::string> start_date, end_date;
  if (time.all_day) {
    start_date = calendar::FormatDate(time.start);
    end_date = calendar::FormatDate(time.end);
  } else {
    start = time.start;
    end = time.end;
  }
  // Numbers on both engines: a series may have no end.
  const std::int64_t sort_end = ToMicros(event.kind == EventKind::kMaster ? calendar::Series(event).End() : time.end);
  const auto zone = OrNull(std::string_view(time.zone)), series = OrNull(std::string_view(event.series_id));
  const auto description = OrNull(std::string_view(event.description));
  const auto location = OrNull(std::string_view(event.location));
  const auto people = OrNull(std::string_view(attendees)), rules = OrNull(std::string_view(recurrence));
  const auto name = OrNull(std::string_view(event.organizer.name));
  const auto email = OrNull(std::string_view(event.organizer.email));
  const auto conference = OrNull(std::string_view(event.conference_url));
  const auto link = OrNull(std::string_view(event.html_link));
  if (row == 0) {
    transaction.Send(kInsert, NewUuid(now), place.account_id, place.calendar_row, event.external_id, place.window,
                     place.epoch, ToString(event.kind), ToString(event.status), series, event.original_start,
                     event.title, description, start, end, start_date, end_date, time.all_day, zone,
                     ToMicros(time.start), sort_end, rules, people, event.attendees_omitted, location, name, email,
                     event.organizer.self, conference, link, event.is_private, ToString(event.shows_as), event.inherits,
                     print, now);
    return EventChange::kInserted;
  }
  transaction.Send(kUpdate, row, ToString(event.kind), ToString(event.status), series, event.original_start,
                   event.title, description, start, end, start_date, end_date, time.all_day, zone, ToMicros(time.start),
                   sort_end, rules, people, event.attendees_omitted, location, name, email, event.organizer.self,
                   conference, link, event.is_private, ToString(event.shows_as), event.inherits, print, now);
  transaction.Send(kPlace, row, place.window, place.epoch);
  return EventChange::kUpdated;
}

}  // namespace latchkey::storage
