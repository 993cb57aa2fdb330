#include "storage/calendar_reader.hpp"

#include "storage/event_list.hpp"

namespace latchkey::storage {
namespace {

using calendar::ListedCalendar;

const Statement kOwns("SELECT 1 FROM connected_accounts WHERE id = $1 AND user_id = $2 AND disconnecting = FALSE");
const std::string kCalendars = R"sql(
SELECT c.id, c.connected_account_id, c.external_id, c.name, c.color, c.time_zone, c.is_primary, c.access_role,
       c.selected, c.last_synced_at,
       CASE WHEN c.selected = FALSE THEN 0 ELSE (SELECT count(*) FROM calendar_events e
         WHERE e.calendar_row = c.row_id AND e.kind IN ('single', 'master')) END
FROM connected_accounts a JOIN calendars c ON c.connected_account_id = a.id
WHERE a.user_id = $1 AND a.disconnecting = FALSE AND c.removed = FALSE)sql";
const Statement kListCalendars(
    kCalendars + " AND (a.id = $2 OR $2 IS NULL) ORDER BY a.created_at, a.id, c.is_primary DESC, c.name, c.id");
const Statement kGetCalendar(kCalendars + " AND c.id = $2");

ListedCalendar ReadCalendar(const Rows& rows) {
  ListedCalendar listed;
  listed.id = rows.IdOf<calendar::CalendarId>(0);
  listed.account_id = rows.IdOf<ConnectedAccountId>(1);
  listed.calendar = {.external_id = rows.String(2),
                     .name = rows.String(3),
                     .color = rows.String(4),
                     .time_zone = rows.String(5),
                     .is_primary = rows.Bool(6),
                     .role = calendar::ParseAccessRole(rows.Text(7)).value_or(calendar::AccessRole::kReader)};
  listed.selected = rows.Bool(8);
  listed.last_synced_at = rows.MaybeTime(9);
  listed.event_count = rows.Int(10);
  return listed;
}

}  // namespace

Task<Result<std::vector<ListedCalendar>>> CalendarReader::ListCalendars(const UserId& user,
                                                                        const ConnectedAccountId& account) {
  auto read = [&](Connection& connection) -> Result<std::vector<ListedCalendar>> {
    if (!account.empty() && !connection.Query(kOwns, account, user).Step()) {
      return Fail(ErrorCode::kNotFound, "no such account");
    }
    std::vector<ListedCalendar> calendars;
    Rows rows = connection.Query(kListCalendars, user, OrNull(account));
    while (rows.Step()) calendars.push_back(ReadCalendar(rows));
    return calendars;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<ListedCalendar>> CalendarReader::GetCalendar(const UserId& user, const calendar::CalendarId& calendar) {
  auto read = [&](Connection& connection) -> Result<ListedCalendar> {
    Rows rows = connection.Query(kGetCalendar, user, calendar);
    if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such calendar");
    return ReadCalendar(rows);
  };
  co_return co_await engine_.Read(read);
}

Task<Result<calendar::EventList>> CalendarReader::ListEvents(const calendar::EventQuery& query) {
  auto read = [&](Connection& connection) { return ListStoredEvents(connection, query); };
  co_return co_await engine_.Read(read);
}

Task<Result<calendar::ListedEvent>> CalendarReader::GetEvent(const UserId& user, const std::string& id) {
  auto read = [&](Connection& connection) { return GetStoredEvent(connection, user, id); };
  co_return co_await engine_.Read(read);
}

}  // namespace latchkey::storage
