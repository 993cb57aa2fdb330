#include "providers/google/calendar.hpp"

#include "base/encoding.hpp"
#include "providers/google/calendar_events.hpp"

namespace latchkey::google {
namespace {

using calendar::Calendar;

/// Two hundred and fifty invitations to everybody are a large page.
constexpr std::size_t kMaxPage = 48 << 20;
constexpr int kMaxListPages = 40;

/// A sync token, and while a run of pages is being read, a line break and the next page's token. All other parameters
/// must stay as in the first request (Calendar API, "Synchronize resources efficiently").
struct Position {
  std::string sync, page;

  static Position Parse(const std::string& token) {
    const auto end = token.find('\n');
    if (end == std::string::npos) return {.sync = token, .page = {}};
    return {.sync = token.substr(0, end), .page = token.substr(end + 1)};
  }
};

class GoogleCalendars final : public calendar::CalendarProvider {
 public:
  GoogleCalendars(const GoogleParts& parts, ConnectedAccountId account) : client_(parts, std::move(account)) {}

  bool windows_are_parts() const override { return false; }

  Task<Result<std::vector<Calendar>>> ListCalendars() override {
    std::vector<Calendar> calendars;
    std::string next;
    for (int pages = 0; pages < kMaxListPages; ++pages) {
      GoogleRequest request = Request(GoogleCall::kCalendarList, "users/me/calendarList?maxResults=250");
      if (!next.empty()) request.path += "&pageToken=" + PercentEncode(next);
      auto body = co_await client_.Get(request);
      if (!body) co_return std::unexpected(std::move(body.error()));
      auto page = ParseCalendarList(*body);
      if (!page) co_return std::unexpected(std::move(page.error()));
      for (Calendar& calendar : page->calendars) calendars.push_back(std::move(calendar));
      next = std::move(page->next_page);
      if (next.empty()) co_return calendars;
    }
    // A list that is not read to its end must not take calendars away.
    co_return Fail(ErrorCode::kMalformedReply, "google calendar: the list of calendars does not end");
  }

  Task<Result<std::vector<calendar::Window>>> Windows(const Calendar&, const std::vector<calendar::Window>&, Instant,
                                                      bool) override {
    co_return std::vector<calendar::Window>{calendar::Window()};
  }

  Task<Result<calendar::ChangePage>> Changes(const Calendar& calendar, const calendar::Window&,
                                             const std::string& token) override {
    const Position position = Position::Parse(token);
    GoogleRequest request = Request(GoogleCall::kEvents, EventsOf(calendar) + "?maxResults=250");
    if (!position.sync.empty()) request.path += "&syncToken=" + PercentEncode(position.sync);
    if (!position.page.empty()) request.path += "&pageToken=" + PercentEncode(position.page);
    auto body = co_await client_.Get(request);
    if (!body && !token.empty() && body.error().code == ErrorCode::kInvalidArgument) {
      // A token that cannot be read (any more) comes back as a bad request.
      co_return Fail(ErrorCode::kCursorExpired, std::move(body.error().detail));
    }
    if (!body) co_return std::unexpected(std::move(body.error()));
    auto parse = [&] { return ParseEvents(*body, calendar.time_zone); };
    auto page = co_await client_.parts().pool.Run(parse);
    if (!page) co_return std::unexpected(std::move(page.error()));
    calendar::ChangePage result;
    result.events = std::move(page->events);
    result.removed = std::move(page->removed);
    result.more = !page->next_page.empty();
    result.next_token = result.more ? position.sync + '\n' + page->next_page : std::move(page->next_sync_token);
    co_return result;
  }

  Task<Result<calendar::Event>> GetEvent(const Calendar& calendar, const std::string& external_id) override {
    const GoogleRequest request = Request(GoogleCall::kMessage, EventsOf(calendar) + "/" + PercentEncode(external_id));
    auto body = co_await client_.Get(request);
    if (!body) co_return std::unexpected(std::move(body.error()));
    co_return ParseEvent(*body, calendar.time_zone);
  }

  Task<Result<calendar::EventIdPage>> ListIds(const Calendar& calendar, const std::vector<calendar::Window>&,
                                              const std::string& page) override {
    GoogleRequest request =
        Request(GoogleCall::kEvents,
                EventsOf(calendar) + "?maxResults=2500&fields=items(id,status,recurringEventId),nextPageToken");
    if (!page.empty()) request.path += "&pageToken=" + PercentEncode(page);
    auto body = co_await client_.Get(request);
    if (!body) co_return std::unexpected(std::move(body.error()));
    co_return ParseEventIds(*body);
  }

 private:
  static GoogleRequest Request(GoogleCall call, std::string path) {
    GoogleRequest request{.api = GoogleApi::kCalendar, .call = call, .path = std::move(path), .units = 1};
    request.max_response_bytes = kMaxPage;
    return request;
  }
  static std::string EventsOf(const Calendar& calendar) {
    return "calendars/" + PercentEncode(calendar.external_id) + "/events";
  }

  GoogleClient client_;
};

}  // namespace

Result<std::shared_ptr<calendar::CalendarProvider>> CalendarProviders::For(const ConnectedAccountId& account,
                                                                           std::string_view provider) {
  if (provider != "google") return Fail(ErrorCode::kNotFound, "no calendar adapter for this provider");
  return std::make_shared<GoogleCalendars>(parts_, account);
}

}  // namespace latchkey::google
