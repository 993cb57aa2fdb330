#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "calendar/event.hpp"

namespace latchkey::calendar {

/// A stretch of time that a provider's record of changes covers. Where changes are kept for a calendar as a whole
/// (Google) there is one window without bounds and without a name.
struct Window {
  std::string name;
  std::optional<Instant> from, to;  ///< [from, to)
  /// Changes here are looked for at every visit; elsewhere now and then.
  bool near = true;
  friend bool operator==(const Window&, const Window&) = default;
};

/// Changes of one window since a token, in the provider's order.
struct ChangePage {
  std::vector<Event> events;
  /// No longer in this window. Where the provider's windows are parts of a calendar, an event may have moved to
  /// another one.
  std::vector<std::string> removed;
  /// To be stored with this page's data; goes on from behind it.
  std::string next_token;
  bool more = false;
};

/// One page of the ids of everything a calendar holds: what an audit compares.
struct EventIdPage {
  std::vector<std::string> ids;
  std::string next_page;  ///< Empty on the last page.
};

/// The calendars of one account at their provider. Calls carry deadlines of their own, refresh the access token when
/// needed, respect the account's budget and translate every vendor error into an ErrorCode. Loop thread only.
class CalendarProvider {
 public:
  virtual ~CalendarProvider() = default;
  /// All calendars, read to the end.
  virtual Task<Result<std::vector<Calendar>>> ListCalendars() = 0;
  /// The windows that together hold everything of the calendar, in the order in which they should be read. With
  /// `search`, the provider is asked how far its events reach; otherwise `known` is enough.
  virtual Task<Result<std::vector<Window>>> Windows(const Calendar& calendar, const std::vector<Window>& known,
                                                    Instant now, bool search) = 0;
  /// An empty token begins a full read. kCursorExpired: the token is no longer known, begin anew. kNotFound: there is
  /// no such calendar. kForbidden: it may not be read.
  virtual Task<Result<ChangePage>> Changes(const Calendar& calendar, const Window& window,
                                           const std::string& token) = 0;
  /// kGone when there is none.
  virtual Task<Result<Event>> GetEvent(const Calendar& calendar, const std::string& external_id) = 0;
  /// Single events, masters, and what differs from a rule (in `windows`, where a provider has to be asked for a time).
  virtual Task<Result<EventIdPage>> ListIds(const Calendar& calendar, const std::vector<Window>& windows,
                                            const std::string& page) = 0;
  /// True when what is removed from a window may be in another one.
  virtual bool windows_are_parts() const = 0;
};

class CalendarProviders {
 public:
  virtual ~CalendarProviders() = default;
  /// kNotFound when the provider has no calendar adapter.
  virtual Result<std::shared_ptr<CalendarProvider>> For(const ConnectedAccountId& account,
                                                        std::string_view provider) = 0;
};

}  // namespace latchkey::calendar
