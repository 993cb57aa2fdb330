#pragma once

#include "calendar/calendar_provider.hpp"
#include "providers/microsoft/graph_client.hpp"

namespace latchkey::microsoft {

/// Calendars at Microsoft, by calendarView/delta: Graph expands series and says what changed within a window. A window
/// is frozen into its links, so windows are fixed stretches of four years (Graph refuses more than five): nothing
/// slides, nothing has to be begun anew as time goes on; the next stretch is read two years before it begins. Further
/// ones are read as far as the calendar's events reach. Beyond them, series are expanded here by their rules. Loop
/// thread; must outlive what it hands out.
class CalendarProviders final : public calendar::CalendarProviders {
 public:
  /// `clients` are shared with all that call for an account: Graph counts them together.
  explicit CalendarProviders(GraphClients& clients) : clients_(clients) {}
  Result<std::shared_ptr<calendar::CalendarProvider>> For(const ConnectedAccountId& account,
                                                          std::string_view provider) override;

 private:
  GraphClients& clients_;
};

/// The windows for a calendar whose events lie between `earliest` and `latest`: those around `now` first, then the
/// later ones, then the earlier ones backwards. Windows already `known` stay.
std::vector<calendar::Window> CalendarWindows(Instant now, std::optional<Instant> earliest,
                                              std::optional<Instant> latest,
                                              const std::vector<calendar::Window>& known);

}  // namespace latchkey::microsoft
