#include "simulator/gmail/watch.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.hpp"

namespace latchkey::simulator {
namespace {

/// "projects/my-project/topics/gmail" has the subscription "projects/my-project/subscriptions/gmail-push".
std::string SubscriptionOf(const std::string& topic) {
  const std::size_t topics = topic.find("/topics/");
  if (topics == std::string::npos) return topic + "-push";
  return topic.substr(0, topics) + "/subscriptions/" + topic.substr(topics + 8) + "-push";
}

}  // namespace

Instant Watches::Start(const Account& account, Watch watch, std::uint64_t history_id, Instant now) {
  watch.expires = now + kLife;
  std::ranges::sort(watch.labels);
  Watch& stored = watches_[account.sub] = std::move(watch);
  Notify(account, stored, history_id, now);
  return stored.expires;
}

void Watches::Changed(const Account& account, const LabelSet& touched, std::uint64_t history_id, Instant now) {
  const auto found = watches_.find(account.sub);
  if (found == watches_.end()) return;
  Watch& watch = found->second;
  if (watch.expires <= now) {
    watches_.erase(found);
    return;
  }
  if (!watch.labels.empty()) {
    const bool hit = std::ranges::any_of(
        touched, [&](LabelIndex label) { return std::ranges::binary_search(watch.labels, label) != watch.exclude; });
    if (!hit) return;
  }
  if (watch.last_notification && now - *watch.last_notification < std::chrono::seconds(1)) return;
  Notify(account, watch, history_id, now);
}

void Watches::Notify(const Account& account, Watch& watch, std::uint64_t history_id, Instant now) {
  watch.last_notification = now;
  const std::string data =
      Base64Encode(fmt::format(R"({{"emailAddress":"{}","historyId":{}}})", account.email, history_id));
  const std::string id = std::to_string(next_message_id_++);
  const std::string time = FormatInstant(now).substr(0, 23) + "Z";
  queue_.push_back(
      {{"message",
        {{"data", data}, {"messageId", id}, {"message_id", id}, {"publishTime", time}, {"publish_time", time}}},
       {"subscription", SubscriptionOf(watch.topic)}});
  if (listener_) listener_(queue_.back());
  if (queue_.size() > kMaxQueued) queue_.pop_front();
}

boost::json::array Watches::Messages(bool clear) {
  boost::json::array out;
  for (const boost::json::object& message : queue_) out.push_back(message);
  if (clear) queue_.clear();
  return out;
}

}  // namespace latchkey::simulator
