#pragma once

#include <functional>
#include <vector>

#include "calendar/calendar_provider.hpp"

namespace latchkey::app {

/// The calendars of all providers that are set up, each asked in turn. Loop thread.
class AllCalendars final : public calendar::CalendarProviders {
 public:
  void Add(calendar::CalendarProviders& provider) { providers_.emplace_back(provider); }

  Result<std::shared_ptr<calendar::CalendarProvider>> For(const ConnectedAccountId& account,
                                                          std::string_view provider) override {
    for (calendar::CalendarProviders& each : providers_) {
      auto found = each.For(account, provider);
      if (found || found.error().code != ErrorCode::kNotFound) return found;
    }
    return Fail(ErrorCode::kNotFound, "no calendars of this provider");
  }

 private:
  std::vector<std::reference_wrapper<calendar::CalendarProviders>> providers_;
};

}  // namespace latchkey::app
