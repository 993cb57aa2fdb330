#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <boost/json/array.hpp>

#include "base/clock.hpp"
#include "simulator/accounts.hpp"
#include "simulator/mailbox/mailbox.hpp"

namespace latchkey::simulator {

/// What a mailbox's owner asked to be told about.
struct Watch {
  std::string topic;
  LabelSet labels;  ///< Empty: all.
  bool exclude = false;
  Instant expires;
  std::optional<Instant> last_notification;
};

/// Watches of all accounts and the Pub/Sub messages they made, until somebody takes them for delivery. As Gmail: one
/// notification at once, at most one a second per user (more are dropped), an end after seven days.
class Watches {
 public:
  static constexpr std::chrono::hours kLife{7 * 24};
  /// Nobody may ever fetch them: the oldest go.
  static constexpr std::size_t kMaxQueued = 10'000;

  Instant Start(const Account& account, Watch watch, std::uint64_t history_id, Instant now);
  void Stop(const Account& account) { watches_.erase(account.sub); }
  void Changed(const Account& account, const LabelSet& touched, std::uint64_t history_id, Instant now);

  /// Called with each envelope when it is made.
  void OnMessage(std::function<void(const boost::json::object&)> listener) { listener_ = std::move(listener); }
  /// Envelopes as Pub/Sub posts them, oldest first.
  boost::json::array Messages(bool clear);

 private:
  void Notify(const Account& account, Watch& watch, std::uint64_t history_id, Instant now);

  std::map<std::string, Watch> watches_;  ///< By the account's sub: its address may change.
  std::deque<boost::json::object> queue_;
  std::function<void(const boost::json::object&)> listener_;
  std::uint64_t next_message_id_ = 2'070'443'601'311'540;
};

}  // namespace latchkey::simulator
