#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "simulator/calendar/store.hpp"
#include "simulator/graph/change_listener.hpp"
#include "simulator/graph/graph_service.hpp"
#include "simulator/graph_calendar/render.hpp"

namespace latchkey::simulator::graph {

/// Graph's calendars over the store both providers share: calendars, events, calendarView and its delta, answers to
/// invitations. Loop thread only; the store outlives it.
class CalendarArea final : public Area {
 public:
  explicit CalendarArea(calendar::CalendarStore& store);

  void AddRoutes(Router& router) override;
  /// Who hears of changed events; it outlives the area's last change.
  void SetListener(ChangeListener* listener) { listener_ = listener; }

 private:
  /// An event and where it is. For an occurrence that is stored nowhere, `event` is made from its master.
  struct Found {
    calendar::Calendar* calendar = nullptr;
    calendar::Event event;
  };
  using Told = std::map<std::string, std::uint64_t>;
  /// A round of delta in progress or completed: what its reader was told, and what it is still to be told.
  struct DeltaState {
    std::string account;   ///< sub
    std::string calendar;  ///< Id in the model.
    Instant from;
    Instant to;
    std::uint64_t revision = 0;
    /// Event id to the revision told. Shared by the pages of a round, like what they are to tell.
    std::shared_ptr<const Told> told;
    std::shared_ptr<const std::vector<std::string>> pending;  ///< Ids, "-" in front of removed ones.
    std::size_t next = 0;                                     ///< Of `pending`: what the next page begins with.
  };

  calendar::Calendar* CalendarOf(Call& call, bool named);
  std::expected<Found, Response> EventOf(Call& call, std::size_t parameter);
  Response ListCalendars(Call& call);
  Response GetCalendar(Call& call, bool named);
  Response ListEvents(Call& call, bool named);
  Response GetEvent(Call& call, std::size_t parameter);
  Response ListView(Call& call, bool named);
  Response ListInstances(Call& call);
  Response Delta(Call& call, bool named);
  Response CreateEvent(Call& call, bool named);
  Response UpdateEvent(Call& call, std::size_t parameter);
  Response DeleteEvent(Call& call, std::size_t parameter);
  Response CancelEvent(Call& call);
  Response Answer(Call& call, const char* response);

  /// Everything a view of the window holds: singles, occurrences, exceptions; masters as well when `masters`.
  std::vector<calendar::Event> View(const calendar::Calendar& calendar, Instant from, Instant to, bool masters) const;
  Response Page(Call& call, const std::string& context, std::vector<boost::json::object> items);
  std::uint64_t Keep(DeltaState state);
  DeltaState Begin(const calendar::Calendar& calendar, const Account& account, Instant from, Instant to,
                   const Told& told);
  Response DeltaPage(Call& call, const calendar::Calendar& calendar, DeltaState state, const std::string& path);
  void Changed(const Account& account, const calendar::Calendar& calendar, const calendar::Event& event, bool created);

  calendar::CalendarStore& store_;
  ChangeListener* listener_ = nullptr;
  std::map<std::uint64_t, DeltaState> states_;
  std::uint64_t next_state_ = 1;
};

}  // namespace latchkey::simulator::graph
