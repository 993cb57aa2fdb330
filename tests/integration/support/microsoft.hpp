#pragma once

#include <string>

#include "tests/integration/support/server.hpp"
#include "tests/integration/support/simulator.hpp"

namespace latchkey::integration {

/// Lets a server that was not started yet use the simulator's Microsoft too, and adds a mailbox there; its address.
std::string UseMicrosoft(Server& server, Simulator& simulator);

}  // namespace latchkey::integration
