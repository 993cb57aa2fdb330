#include "tests/integration/support/microsoft.hpp"

#include <boost/json/object.hpp>

namespace latchkey::integration {

std::string UseMicrosoft(Server& server, Simulator& simulator) {
  auto& environment = server.environment();
  environment["AUTH_MICROSOFT_CLIENT_ID"] = kMicrosoftClientId;
  environment["AUTH_MICROSOFT_CLIENT_SECRET"] = kMicrosoftClientSecret;
  environment["MICROSOFT_DISCOVERY_URL"] = simulator.microsoft_discovery_url();
  environment["MICROSOFT_GRAPH_URL"] = simulator.url();
  const std::string email = "mia@outlook.example";
  simulator.Post("/accounts", boost::json::object{{"email", email}, {"provider", "microsoft"}, {"name", "Mia Sample"}});
  return email;
}

}  // namespace latchkey::integration
