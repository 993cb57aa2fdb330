#include "calendar/event.hpp"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace latchkey::calendar {
namespace {

template <class Value, std::size_t N>
using Names = std::array<std::pair<Value, std::string_view>, N>;

constexpr Names<EventKind, 4> kKinds{{{EventKind::kSingle, "single"},
                                      {EventKind::kMaster, "master"},
                                      {EventKind::kException, "exception"},
                                      {EventKind::kOccurrence, "occurrence"}}};
constexpr Names<EventStatus, 3> kStatuses{{{EventStatus::kConfirmed, "confirmed"},
                                           {EventStatus::kTentative, "tentative"},
                                           {EventStatus::kCancelled, "cancelled"}}};
constexpr Names<ShowsAs, 5> kShowsAs{{{ShowsAs::kBusy, "busy"},
                                      {ShowsAs::kFree, "free"},
                                      {ShowsAs::kTentative, "tentative"},
                                      {ShowsAs::kOutOfOffice, "out_of_office"},
                                      {ShowsAs::kWorkingElsewhere, "working_elsewhere"}}};
constexpr Names<Response, 4> kResponses{{{Response::kNeedsAction, "needs_action"},
                                         {Response::kAccepted, "accepted"},
                                         {Response::kDeclined, "declined"},
                                         {Response::kTentative, "tentative"}}};
constexpr Names<AccessRole, 4> kRoles{{{AccessRole::kOwner, "owner"},
                                       {AccessRole::kWriter, "writer"},
                                       {AccessRole::kReader, "reader"},
                                       {AccessRole::kFreeBusy, "free_busy"}}};

template <class Value, std::size_t N>
std::string_view NameOf(const Names<Value, N>& names, Value value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  return {};
}

template <class Value, std::size_t N>
std::optional<Value> ValueOf(const Names<Value, N>& names, std::string_view text) {
  for (const auto& [value, name] : names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view ToString(EventKind kind) { return NameOf(kKinds, kind); }
std::string_view ToString(EventStatus status) { return NameOf(kStatuses, status); }
std::string_view ToString(ShowsAs shows_as) { return NameOf(kShowsAs, shows_as); }
std::string_view ToString(Response response) { return NameOf(kResponses, response); }
std::string_view ToString(AccessRole role) { return NameOf(kRoles, role); }
std::optional<EventKind> ParseEventKind(std::string_view text) { return ValueOf(kKinds, text); }
std::optional<EventStatus> ParseEventStatus(std::string_view text) { return ValueOf(kStatuses, text); }
std::optional<ShowsAs> ParseShowsAs(std::string_view text) { return ValueOf(kShowsAs, text); }
std::optional<Response> ParseResponse(std::string_view text) { return ValueOf(kResponses, text); }
std::optional<AccessRole> ParseAccessRole(std::string_view text) { return ValueOf(kRoles, text); }

void InheritFrom(const Event& master, Event& occurrence) {
  const auto takes = [&](std::uint32_t flag) { return (occurrence.inherits & flag) != 0; };
  if (takes(inherit::kTitle)) occurrence.title = master.title;
  if (takes(inherit::kDescription)) occurrence.description = master.description;
  if (takes(inherit::kLocation)) occurrence.location = master.location;
  if (takes(inherit::kAttendees)) {
    occurrence.attendees = master.attendees;
    occurrence.attendees_omitted = master.attendees_omitted;
  }
  if (takes(inherit::kOrganizer)) occurrence.organizer = master.organizer;
  if (takes(inherit::kConference)) occurrence.conference_url = master.conference_url;
  if (takes(inherit::kShowsAs)) occurrence.shows_as = master.shows_as;
  if (takes(inherit::kPrivate)) occurrence.is_private = master.is_private;
  if (takes(inherit::kZone)) occurrence.time.zone = master.time.zone;
  if (takes(inherit::kLink)) occurrence.html_link = master.html_link;
  if (takes(inherit::kStatus)) occurrence.status = master.status;
}

std::string FormatDate(Instant midnight) {
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(midnight)};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::optional<Instant> ParseDate(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t length) {
    int value = 0;
    for (std::size_t i = at; i < at + length; ++i) {
      if (text[i] < '0' || text[i] > '9') return -1;
      value = value * 10 + (text[i] - '0');
    }
    return value;
  };
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (year < 1 || month < 1 || day < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return Instant(std::chrono::sys_days(date));
}

std::string CleanText(std::string_view text, std::size_t max_bytes) {
  std::string out;
  out.reserve(std::min(text.size(), max_bytes));
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\0') continue;
    if (c == '\r') {
      if (i + 1 < text.size() && text[i + 1] == '\n') continue;
      c = '\n';
    }
    out += c;
    if (out.size() > max_bytes) break;
  }
  if (out.size() > max_bytes) {
    std::size_t end = max_bytes;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;
    out.resize(end);
  }
  return out;
}

}  // namespace latchkey::calendar
