#include "simulator/send_plan.hpp"

#include <algorithm>
#include <array>

namespace latchkey::simulator {

bool SendsMail(std::string_view method, std::string_view path) {
  constexpr std::array kEnds = {"/messages/send", "/drafts/send"};
  constexpr std::array kActions = {"/sendMail", "/send", "/reply", "/replyAll", "/forward"};
  if (method != "POST" && method != "PUT") return false;
  const auto ends = [&](std::string_view end) { return path.ends_with(end); };
  if (path.contains("/gmail/v1/")) return std::ranges::any_of(kEnds, ends);
  return path.starts_with("/v1.0/") && method == "POST" && std::ranges::any_of(kActions, ends);
}

}  // namespace latchkey::simulator
