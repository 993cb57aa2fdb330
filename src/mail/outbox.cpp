#include "mail/outbox.hpp"

#include <array>

namespace latchkey::mail {
namespace {

constexpr std::array<std::string_view, 7> kStates = {"queued",      "sending", "sent",     "failed",
                                                     "unconfirmed", "held",    "cancelled"};

}  // namespace

std::string SendKey(const OutboxId& id) { return std::string(kSendEmailKind) + ":" + id.text(); }

std::string_view ToString(OutboxState state) { return kStates[static_cast<std::size_t>(state)]; }

std::optional<OutboxState> ParseOutboxState(std::string_view text) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] == text) return static_cast<OutboxState>(i);
  }
  return std::nullopt;
}

std::string_view ToString(OutgoingMail::Relation relation) {
  switch (relation) {
    case OutgoingMail::Relation::kNew:
      return "new";
    case OutgoingMail::Relation::kReply:
      return "reply";
    case OutgoingMail::Relation::kForward:
      break;
  }
  return "forward";
}

}  // namespace latchkey::mail
