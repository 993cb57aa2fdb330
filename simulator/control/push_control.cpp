// The part of the control API about what the simulator sends out: pushes, and mail that was dispatched.
#include <fmt/format.h>

#include "simulator/control/control_api.hpp"
#include "simulator/json_fields.hpp"

namespace latchkey::simulator {

ControlApi::Outcome ControlApi::Subscription(const Request& request, const boost::json::object& body) {
  if (request.method == "DELETE") {
    parts_.pubsub.subscription().endpoint.clear();
  } else if (request.method == "PUT" || request.method == "POST" || request.method == "PATCH") {
    JsonFields fields(body);
    PubSubSubscription wanted = parts_.pubsub.subscription();
    for (const auto& [name, target] : {std::pair("endpoint", &wanted.endpoint), std::pair("audience", &wanted.audience),
                                       std::pair("service_account", &wanted.service_account),
                                       std::pair("issuer", &wanted.issuer), std::pair("token", &wanted.token)}) {
      if (const auto text = fields.Text(name)) *target = *text;
    }
    wanted.quirks.Read(fields);
    if (const std::string complaint = PubSubPush::Check(wanted); !complaint.empty()) fields.Complain(complaint);
    if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
    // Where the token endpoint is reached from here, unless somebody said otherwise.
    if (wanted.issuer.empty()) wanted.issuer = request.Base() + "/google";
    parts_.pubsub.subscription() = wanted;
  } else if (request.method != "GET") {
    return Refuse(405, "the subscription knows GET, PUT and DELETE");
  }
  return parts_.pubsub.Describe();
}

ControlApi::Outcome ControlApi::Sent(const Request& request) {
  if (request.segments.size() != 3) return Refuse(404, "sent mail is at /control/sent/{email}");
  const Account* account = parts_.accounts.FindByEmail(request.segments[2]);
  if (!account) return Refuse(404, fmt::format("there is no account {}", request.segments[2]));
  if (request.method != "GET" && request.method != "DELETE") return Refuse(405, "sent mail knows GET and DELETE");
  boost::json::object sent = parts_.sent.Describe(*account);
  if (request.method == "DELETE") parts_.sent.Clear(*account);
  return sent;
}

}  // namespace latchkey::simulator
