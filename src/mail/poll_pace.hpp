#pragma once

#include <chrono>

#include "base/id.hpp"

namespace latchkey::mail {

/// How often mailboxes are asked for changes when somebody also tells us of them. Loop thread only.
class PollPace {
 public:
  virtual ~PollPace() = default;
  /// The pause until the next poll, at a poll that has just caught up; `usual` where nobody tells us of changes.
  /// `found_changes`: there was something new.
  virtual std::chrono::milliseconds NextPoll(const ConnectedAccountId& account, std::chrono::milliseconds usual,
                                             bool found_changes) = 0;
};

}  // namespace latchkey::mail
