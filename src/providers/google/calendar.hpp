#pragma once

#include "calendar/calendar_provider.hpp"
#include "providers/google/google_client.hpp"

namespace latchkey::google {

/// Calendars at Google: masters and exceptions, never occurrences (they are expanded here when they are asked for), one
/// sync token per calendar. Gives out adapters that share `parts`, whose budget is Calendar's own: one unit a request.
/// Loop thread; must outlive what it hands out.
class CalendarProviders final : public calendar::CalendarProviders {
 public:
  explicit CalendarProviders(const GoogleParts& parts) : parts_(parts) {}
  Result<std::shared_ptr<calendar::CalendarProvider>> For(const ConnectedAccountId& account,
                                                          std::string_view provider) override;

 private:
  const GoogleParts parts_;
};

}  // namespace latchkey::google
