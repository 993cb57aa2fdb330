#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/http/message.hpp"

namespace latchkey::simulator::calendar {

/// An error answer of Google Calendar by name ("calendar.fullSyncRequired.410"). nullopt for an unknown name.
std::optional<Response> MakePayload(std::string_view name);
std::vector<std::string> PayloadNames();

}  // namespace latchkey::simulator::calendar
