#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "simulator/calendar/channels.hpp"
#include "simulator/calendar/store.hpp"
#include "simulator/grant.hpp"
#include "simulator/http/message.hpp"
#include "simulator/mail_service.hpp"

namespace latchkey::simulator::calendar {

enum class MethodId {
  kCalendarListList,
  kCalendarListGet,
  kCalendarListWatch,
  kCalendarsGet,
  kEventsList,
  kEventsGet,
  kEventsInsert,
  kEventsImport,
  kEventsUpdate,
  kEventsPatch,
  kEventsDelete,
  kEventsInstances,
  kEventsWatch,
  kChannelsStop,
  kFreeBusyQuery,
};

/// One row of the API. Scopes are short names out of the discovery document.
struct Method {
  MethodId id;
  std::string_view name;  ///< "events.list": the key of the counters.
  std::string_view http_method;
  std::string_view path;    ///< Segments behind calendar/v3; "{}" is a parameter.
  std::string_view rpc;     ///< As Google names it in a scope error.
  std::string_view scopes;  ///< Separated by blanks.
};
std::span<const Method> AllMethods();

/// Google Calendar v3 over a store. Loop thread only; store, accounts and schedule outlive it.
class GoogleCalendarService {
 public:
  static constexpr std::int64_t kQueriesPerMinute = 600;

  GoogleCalendarService(CalendarStore& store, Schedule& schedule, Outgoing& outgoing);

  /// /calendar/v3/... and /batch/calendar/v3. The token was checked already; scopes, quota and everything after that
  /// are checked here.
  Response Handle(Request& request, const Grant& grant);

  void SetPartGate(MailService::PartGate gate) { gate_ = std::move(gate); }
  void EnforceQuota(bool enforce) { enforce_quota_ = enforce; }
  void SetListQuirks(ListQuirks quirks) { quirks_ = quirks; }
  /// Per account address: {"calls": n, "refused": n, "byMethod": {"events.list": n}}.
  boost::json::object QuotaCounters() const;
  void ResetCounters() { usage_.clear(); }
  Channels& channels() { return channels_; }

 private:
  /// One request on its way through a method.
  struct Call {
    Request& request;
    const Grant& grant;
    CalendarBook& book;
    const Method& method;
    std::vector<std::string_view> parameters;
    const Account& account() const { return *grant.account; }
  };
  struct Usage {
    std::deque<Instant> last_minute;
    std::int64_t calls = 0;
    std::int64_t refused = 0;
    std::map<std::string_view, std::int64_t> by_method;
  };
  /// What a reader of instances was last told: an incremental answer names what has gone since.
  struct Snapshot {
    std::string calendar;
    Instant from;
    Instant to;
    std::map<std::string, std::uint64_t> revisions;
  };
  /// The parameters of events.list, and the state its tokens carry.
  struct ListState;

  Response HandleOne(Request& request, const Grant& grant);
  Response Dispatch(Call& call);
  std::optional<Response> Charge(const Account& account, const Method& method);

  Response CalendarListList(Call& call);
  Response CalendarListGet(Call& call);
  Response CalendarsGet(Call& call);
  Response EventsList(Call& call);
  Response EventsInstances(Call& call);
  Response EventsGet(Call& call);
  Response EventsInsert(Call& call, bool import);
  Response EventsUpdate(Call& call, bool patch);
  Response EventsDelete(Call& call);
  Response WatchResource(Call& call);
  Response StopChannel(Call& call);
  Response FreeBusy(Call& call);

  std::expected<ListState, Response> ReadListState(const Call& call, const Calendar& calendar);
  /// The events a list answers with, in its order, from its place on; `more` tells whether a page follows.
  std::vector<boost::json::object> CollectPage(const Call& call, const Calendar& calendar, ListState& state,
                                               bool& more);
  std::vector<Event> CollectInstances(const Calendar& calendar, ListState& state);
  Response FinishList(const Call& call, const Calendar& calendar, const ListState& state,
                      std::vector<boost::json::object> items, bool more);
  std::uint64_t KeepSnapshot(Snapshot snapshot);

  /// The event or instance of the path, whoever cancelled it. nullopt: 404.
  std::optional<Event> FindEvent(const Calendar& calendar, std::string_view id) const;

  CalendarStore& store_;
  Channels channels_;
  MailService::PartGate gate_;
  bool enforce_quota_ = true;
  ListQuirks quirks_;
  std::map<std::string, Usage> usage_;
  std::map<std::uint64_t, Snapshot> snapshots_;
};

}  // namespace latchkey::simulator::calendar
