#pragma once

#include "calendar/calendar_store.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// calendar::CalendarReader over the database. Series are expanded on the reader's thread, which has a deadline, from a
/// budget per request. Loop thread.
class CalendarReader final : public calendar::CalendarReader {
 public:
  explicit CalendarReader(Engine& engine) : engine_(engine) {}

  Task<Result<std::vector<calendar::ListedCalendar>>> ListCalendars(const UserId& user,
                                                                    const ConnectedAccountId& account) override;
  Task<Result<calendar::ListedCalendar>> GetCalendar(const UserId& user, const calendar::CalendarId& calendar) override;
  Task<Result<calendar::EventList>> ListEvents(const calendar::EventQuery& query) override;
  Task<Result<calendar::ListedEvent>> GetEvent(const UserId& user, const std::string& id) override;

 private:
  Engine& engine_;
};

}  // namespace latchkey::storage
