#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "simulator/graph/change_listener.hpp"
#include "simulator/graph/graph_service.hpp"
#include "simulator/outgoing.hpp"
#include "simulator/schedule.hpp"

namespace latchkey::simulator::graph {

/// Graph's change notifications: subscriptions to messages and events, their validation while the creating request is
/// still open, delivery with retries, lifecycle events. Loop thread only; what it is given outlives it.
class Subscriptions final : public Area, public ChangeListener {
 public:
  /// The longest life: just under seven days. Shorter wishes are raised to the shortest.
  static constexpr std::chrono::minutes kLongest{10'080};
  static constexpr std::chrono::minutes kShortest{45};
  /// All apps together, per mailbox.
  static constexpr std::size_t kMaxPerMailbox = 1'000;
  /// Notifications of one subscription on their way; what is more is reported as missed.
  static constexpr std::size_t kMaxWaiting = 1'000;

  Subscriptions(Settings& settings, Schedule& schedule, Outgoing& outgoing)
      : settings_(settings), schedule_(schedule), outgoing_(outgoing) {}

  void AddRoutes(Router& router) override;
  void Changed(const Account& account, const ItemChange& change) override;

  /// Finds the id behind a folder's or calendar's name in a resource ("inbox"); empty: there is none.
  using Resolve =
      std::function<std::string(const Account& account, std::string_view collection, const std::string& name)>;
  void SetResolve(Resolve resolve) { resolve_ = std::move(resolve); }
  /// Whether the app still has the person's consent: without it subscriptions die.
  void SetConsented(std::function<bool(const Account&)> consented) { consented_ = std::move(consented); }

  // Control.
  boost::json::array Describe();
  /// "reauthorizationRequired", "missed" or "subscriptionRemoved" (which also removes it). The error says what is
  /// wrong.
  std::expected<void, std::string> SendLifecycle(const std::string& id, const std::string& event);
  /// Without a word to anybody. False: there is none.
  bool Remove(const std::string& id) { return subscriptions_.erase(id) > 0; }

 private:
  struct Subscription {
    std::string id;
    const Account* account = nullptr;
    std::string client_id;
    std::string resource;    ///< As given.
    std::string collection;  ///< "messages" or "events".
    std::string container;   ///< Id of the folder or calendar; empty: all.
    std::string change_type;
    std::string notification_url;
    std::string lifecycle_url;
    std::string client_state;
    bool immutable_ids = false;
    Instant expires;
    std::size_t waiting = 0;
    std::uint64_t delivered = 0;
    std::uint64_t failed = 0;
    bool missed_told = false;
  };

  Response Create(Call& call);
  Response Renew(Call& call);
  Response One(Call& call);
  Response List(Call& call);
  Response Delete(Call& call);
  Response Reauthorize(Call& call);
  Subscription* Find(const Call& call, const std::string& id);
  /// Reads and checks a new subscription. The error is Graph's refusal.
  std::expected<Subscription, Response> Read(Call& call, const boost::json::object& body) const;
  std::expected<Instant, Response> ReadExpiry(const Call& call, const boost::json::object& body) const;
  /// "me/mailFolders('inbox')/messages" into collection and container. False: not a resource to subscribe to.
  bool ReadResource(const Account& account, Subscription& subscription) const;
  void Validate(std::shared_ptr<Subscription> subscription, std::string url, std::function<void(bool)> done);
  boost::json::object Resource(const Subscription& subscription) const;
  void DropExpired();
  void Notify(Subscription& subscription, boost::json::object notification);
  /// Posts, and again when that fails, for four hours.
  void Deliver(const std::string& id, const std::string& url, const std::string& body, Instant until,
               std::chrono::milliseconds pause);
  void Settled(const std::string& id, bool delivered);

  Settings& settings_;
  Schedule& schedule_;
  Outgoing& outgoing_;
  Resolve resolve_ = [](const Account&, std::string_view, const std::string&) { return std::string(); };
  std::function<bool(const Account&)> consented_ = [](const Account&) { return true; };
  std::map<std::string, Subscription> subscriptions_;
  std::set<std::string> pending_;  ///< "resource|changeType|account" of those being validated.
};

}  // namespace latchkey::simulator::graph
