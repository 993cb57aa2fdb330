#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "push/hints.hpp"
#include "push/notification.hpp"
#include "push/pub_sub_token.hpp"
#include "push/push_store.hpp"

namespace latchkey::push {

/// What comes in at the webhooks: proved to be the provider's, and turned into hints. Answers are quick: nothing is
/// asked of a provider here, but for Google's signing keys now and then. Loop thread only.
class Receiver {
 public:
  struct Parts {
    PushStore& store;
    Hints& hints;
    const Clock& clock;
    /// Null where Gmail's push is not configured.
    PubSubToken* pub_sub = nullptr;
  };
  explicit Receiver(const Parts& parts) : parts_(parts) {}

  /// Success: acknowledge, also for a mailbox that nobody here has. kUnauthenticated, kInvalidArgument; kNotFound when
  /// it is not configured.
  Task<Result<void>> Gmail(std::string_view authorization, std::string_view body);

  /// kNotFound for a channel that is not (or no longer) ours: Google stops it after a while. kUnauthenticated for a
  /// wrong token.
  Task<Result<void>> Calendar(const std::function<std::optional<std::string_view>(std::string_view)>& header);

  /// A POST of Graph. Entries of unknown subscriptions, and with a wrong clientState, change nothing.
  Task<Result<void>> Graph(std::string_view body);
  /// The validation handshake of a subscription that we are creating at this moment: what to answer. kInvalidArgument
  /// at any other time, so that nobody makes us say what they like.
  Task<Result<std::string>> Validate(std::string_view validation_token);

 private:
  Task<void> Heard(const Channel& channel);

  Parts parts_;
};

}  // namespace latchkey::push
