#pragma once

#include <string>
#include <string_view>

#include "simulator/http/message.hpp"

namespace latchkey::simulator::calendar {

/// The Calendar API's error envelope. `location` is a parameter's or header's name, or empty.
Response GoogleError(int status, std::string_view reason, std::string_view message, std::string_view domain = "global",
                     std::string_view location = {}, std::string_view location_type = "parameter");

Response NotFound();
Response Invalid(std::string_view message, std::string_view parameter = {});
/// "Missing end time."
Response Required(std::string_view message);
/// `rpc` as Google names it: "calendar.v3.Events.Insert".
Response InsufficientScopes(std::string_view rpc);
Response FullSyncRequired();
Response NeedsAccess(std::string_view role);
/// The two shapes of a spent minute.
Response QuotaExceeded(bool new_envelope);

}  // namespace latchkey::simulator::calendar
