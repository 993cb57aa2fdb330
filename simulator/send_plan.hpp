#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace latchkey::simulator {

/// What faults have decided about the mail that a request sends, whatever its answer says. The provider's code asks
/// before it dispatches; the honest default sends once and at once.
struct SendPlan {
  bool lose = false;                   ///< The answer says success and nothing leaves; there is no sent copy either.
  std::uint64_t extra_copies = 0;      ///< Processed so many times more: each is dispatched and has its own sent copy.
  std::chrono::milliseconds delay{0};  ///< Dispatch and sent copy come later, on the simulator's clock.
};

/// Whether a request sends mail: Gmail's messages.send and drafts.send (also as uploads), Graph's sendMail, send,
/// reply, replyAll and forward.
bool SendsMail(std::string_view method, std::string_view path);

}  // namespace latchkey::simulator
