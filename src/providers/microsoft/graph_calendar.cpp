#include "providers/microsoft/graph_calendar.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "calendar/time_zone.hpp"
#include "providers/microsoft/graph_calendar_events.hpp"

namespace latchkey::microsoft {
namespace {

using calendar::Calendar;
using calendar::Window;
using std::chrono::days;

constexpr int kYearsAWindow = 4;
/// Nobody's calendar; a date beyond is a mistake, and still shown by its series or not at all.
constexpr int kFirstYear = 1900, kLastYear = 2200;
constexpr days kPast{365}, kFuture{730};
constexpr int kMaxListPages = 100;
/// Of a year, and room to spare; a path has its bar, if any, further behind.
constexpr std::size_t kLongestWindowName = 8;
constexpr std::string_view kUtc = "outlook.timezone=\"UTC\"";

int YearOf(Instant instant) {
  return static_cast<int>(std::chrono::year_month_day(std::chrono::floor<days>(instant)).year());
}

/// The number of the window that holds the instant.
int TileOf(Instant instant) { return std::clamp(YearOf(instant), kFirstYear, kLastYear - 1) / kYearsAWindow; }

Instant TileStart(int tile) {
  return std::chrono::sys_days(std::chrono::year(tile * kYearsAWindow) / std::chrono::January / 1);
}

std::string Text(Instant instant) { return FormatInstant(instant).substr(0, 19) + "Z"; }

class GraphCalendars final : public calendar::CalendarProvider {
 public:
  explicit GraphCalendars(std::shared_ptr<GraphClient> client) : client_(std::move(client)) {}

  bool windows_are_parts() const override { return true; }

  Task<Result<std::vector<Calendar>>> ListCalendars() override {
    std::vector<Calendar> calendars;
    std::string path = "me/calendars?$top=100";
    for (int pages = 0; pages < kMaxListPages; ++pages) {
      const GraphRequest request{.call = GraphCall::kList, .path = path};
      auto answer = co_await client_->Send(request);
      if (!answer) co_return std::unexpected(std::move(answer.error()));
      auto page = ParseCalendars(answer->body);
      if (!page) co_return std::unexpected(std::move(page.error()));
      for (Calendar& entry : page->calendars) calendars.push_back(std::move(entry));
      if (page->next_link.empty()) co_return calendars;
      auto next = client_->PathOf(page->next_link);
      if (!next) co_return std::unexpected(std::move(next.error()));
      path = std::move(*next);
    }
    co_return Fail(ErrorCode::kMalformedReply, "graph: the list of calendars does not end");
  }

  Task<Result<std::vector<Window>>> Windows(const Calendar& calendar, const std::vector<Window>& known, Instant now,
                                            bool search) override {
    std::optional<Instant> earliest, latest;
    std::string page;
    for (int pages = 0; search && pages < kMaxListPages; ++pages) {
      auto span = co_await ReadSpan(calendar, page);
      if (!span) co_return std::unexpected(std::move(span.error()));
      if (span->earliest && (!earliest || *span->earliest < *earliest)) earliest = span->earliest;
      if (span->latest && (!latest || *span->latest > *latest)) latest = span->latest;
      if (span->next_link.empty()) break;
      page = std::move(span->next_link);
    }
    co_return CalendarWindows(now, earliest, latest, known);
  }

  Task<Result<calendar::ChangePage>> Changes(const Calendar& calendar, const Window& window,
                                             const std::string& token) override {
    GraphRequest request{.call = token.empty() ? GraphCall::kDeltaStart : GraphCall::kDeltaLink, .path = token};
    if (token.empty()) {
      request.path = fmt::format("me/calendars/{}/calendarView/delta?startDateTime={}&endDateTime={}",
                                 PercentEncode(calendar.external_id), PercentEncode(Text(*window.from)),
                                 PercentEncode(Text(*window.to)));
    }
    request.prefer = {std::string(kUtc), "odata.maxpagesize=100"};
    request.max_response_bytes = 32 << 20;
    auto answer = co_await client_->Send(request);
    if (!answer && answer.error().code == ErrorCode::kGone) {
      co_return Fail(ErrorCode::kNotFound, std::move(answer.error().detail));
    }
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    auto page = ParseEvents(answer->body);
    if (!page) co_return std::unexpected(std::move(page.error()));
    auto decided = co_await Decide(*page);
    if (!decided) co_return std::unexpected(std::move(decided.error()));
    calendar::ChangePage result;
    result.more = !page->next_link.empty();
    auto next = client_->PathOf(result.more ? page->next_link : page->delta_link);
    if (!next) co_return std::unexpected(std::move(next.error()));
    result.next_token = std::move(*next);
    result.events = std::move(page->events);
    result.removed = std::move(page->removed);
    co_return result;
  }

  Task<Result<calendar::Event>> GetEvent(const Calendar&, const std::string& external_id) override {
    GraphRequest request{.call = GraphCall::kEvent, .path = "me/events/" + PercentEncode(external_id)};
    request.prefer = {std::string(kUtc)};
    auto answer = co_await client_->Send(request);
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    co_return ParseEvent(answer->body);
  }

  /// First the single events and masters; then, window by window, what differs from its series, which no other list
  /// tells of. A page of a window is "<window>|<path>".
  Task<Result<calendar::EventIdPage>> ListIds(const Calendar& calendar, const std::vector<Window>& windows,
                                              const std::string& page) override {
    calendar::EventIdPage ids;
    const std::size_t bar = page.find('|');
    const bool viewing = bar != std::string::npos && bar < kLongestWindowName;
    const std::string name = viewing ? page.substr(0, bar) : std::string();
    auto span =
        viewing ? co_await ReadView(calendar, windows, name, page.substr(bar + 1)) : co_await ReadSpan(calendar, page);
    if (!span) co_return std::unexpected(std::move(span.error()));
    ids.ids = std::move(viewing ? span->exceptions : span->ids);
    ids.next_page = std::move(span->next_link);
    if (!ids.next_page.empty()) {
      if (viewing) ids.next_page.insert(0, name + '|');
      co_return ids;
    }
    const Window* next = nullptr;
    for (const Window& window : windows) {
      if (window.from && window.to && window.name > name && (!next || window.name < next->name)) next = &window;
    }
    if (next) ids.next_page = next->name + '|';
    co_return ids;
  }

 private:
  /// One page of the single events and masters; `page` is a path, and so is the next link.
  Task<Result<EventSpan>> ReadSpan(const Calendar& calendar, const std::string& page) {
    GraphRequest request{.call = GraphCall::kCalendar, .path = page};
    if (page.empty()) {
      request.path =
          fmt::format("me/calendars/{}/events?$select=id,type,start,end&$top=500", PercentEncode(calendar.external_id));
    }
    request.prefer = {std::string(kUtc)};
    auto answer = co_await client_->Send(request);
    if (!answer && answer.error().code == ErrorCode::kGone) {
      co_return Fail(ErrorCode::kNotFound, std::move(answer.error().detail));
    }
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    auto span = ParseSpan(answer->body);
    if (!span) co_return std::unexpected(std::move(span.error()));
    if (!span->next_link.empty()) {
      auto next = client_->PathOf(span->next_link);
      if (!next) co_return std::unexpected(std::move(next.error()));
      span->next_link = std::move(*next);
    }
    co_return span;
  }

  /// One page of everything that happens in a window; empty when there is no such window any more.
  Task<Result<EventSpan>> ReadView(const Calendar& calendar, const std::vector<Window>& windows,
                                   const std::string& name, std::string page) {
    const auto window = std::ranges::find(windows, name, &Window::name);
    if (window == windows.end() || !window->from || !window->to) co_return EventSpan();
    if (page.empty()) {
      page = fmt::format("me/calendars/{}/calendarView?startDateTime={}&endDateTime={}&$select=id,type&$top=500",
                         PercentEncode(calendar.external_id), PercentEncode(Text(*window->from)),
                         PercentEncode(Text(*window->to)));
    }
    co_return co_await ReadSpan(calendar, page);
  }

  /// Thin occurrences that lie from midnight to midnight: whether they are days or hours is their master's to say.
  Task<Result<void>> Decide(EventsPage& page) {
    for (const std::size_t index : page.undecided) {
      calendar::Event& event = page.events[index];
      auto known = all_day_.find(event.series_id);
      if (known == all_day_.end()) {
        const Calendar any;
        auto master = co_await GetEvent(any, event.series_id);
        if (!master && master.error().code != ErrorCode::kGone && master.error().code != ErrorCode::kNotFound) {
          co_return std::unexpected(std::move(master.error()));
        }
        known = all_day_.try_emplace(event.series_id, master && master->time.all_day).first;
      }
      if (known->second) MakeAllDay(event);
    }
    co_return Result<void>();
  }

  std::shared_ptr<GraphClient> client_;
  /// Of series met in this visit.
  std::map<std::string, bool> all_day_;
};

}  // namespace

std::vector<Window> CalendarWindows(Instant now, std::optional<Instant> earliest, std::optional<Instant> latest,
                                    const std::vector<Window>& known) {
  const int near_first = TileOf(now - kPast), near_last = TileOf(now + kFuture);
  int first = near_first, last = near_last;
  if (earliest) first = std::min(first, TileOf(*earliest));
  if (latest) last = std::max(last, TileOf(*latest));
  for (const Window& window : known) {
    if (window.from) first = std::min(first, TileOf(*window.from));
    if (window.from) last = std::max(last, TileOf(*window.from));
  }
  std::vector<int> order;
  const int today = TileOf(now);
  order.push_back(today);
  for (int tile = near_first; tile <= near_last; ++tile) {
    if (tile != today) order.push_back(tile);
  }
  for (int tile = near_last + 1; tile <= last; ++tile) order.push_back(tile);
  for (int tile = near_first - 1; tile >= first; --tile) order.push_back(tile);
  std::vector<Window> windows;
  for (const int tile : order) {
    windows.push_back({.name = std::to_string(tile * kYearsAWindow),
                       .from = TileStart(tile),
                       .to = TileStart(tile + 1),
                       .near = tile >= near_first && tile <= near_last});
  }
  return windows;
}

Result<std::shared_ptr<calendar::CalendarProvider>> CalendarProviders::For(const ConnectedAccountId& account,
                                                                           std::string_view provider) {
  if (provider != "microsoft") return Fail(ErrorCode::kNotFound, "no calendar adapter for this provider");
  return std::make_shared<GraphCalendars>(clients_.For(account));
}

}  // namespace latchkey::microsoft
