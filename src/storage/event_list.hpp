#pragma once

#include <span>
#include <string>
#include <string_view>

#include "calendar/calendar_store.hpp"
#include "storage/rows.hpp"
#include "storage/statement.hpp"

namespace latchkey::storage {

/// The events of a range: stored ones and the occurrences of stored series, merged by their starts, one page. On a
/// database thread.
Result<calendar::EventList> ListStoredEvents(Connection& connection, const calendar::EventQuery& query);
/// The event or occurrence of that id.
Result<calendar::ListedEvent> GetStoredEvent(Connection& connection, const UserId& user, const std::string& id);

/// What a list asks of the database, for the test that looks at their plans.
std::span<const Statement* const> EventListStatements();

}  // namespace latchkey::storage
