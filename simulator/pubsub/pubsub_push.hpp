#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "simulator/google/signing_keys.hpp"
#include "simulator/outgoing.hpp"
#include "simulator/push_quirks.hpp"
#include "simulator/schedule.hpp"

namespace latchkey::simulator {

/// A Pub/Sub push subscription with authentication.
struct PubSubSubscription {
  std::string endpoint;  ///< Empty: nothing is pushed, messages wait for GET /control/pubsub.
  std::string audience;  ///< Empty: the endpoint itself, as Pub/Sub does.
  std::string service_account = "push-sa@my-project.iam.gserviceaccount.com";
  std::string issuer;  ///< Of the bearer token; at Google https://accounts.google.com.
  /// How the token is wrong: "correct", "wrong_audience", "wrong_email", "unverified", "expired", "wrong_issuer",
  /// "bad_signature", "none" (no Authorization at all).
  std::string token = "correct";
  PushQuirks quirks;
};

/// Posts messages to the subscription's endpoint until each is acknowledged (102, 200, 201, 202, 204), with backoff
/// from a tenth of a second to a minute, for seven days. Loop thread only; schedule, outgoing and keys outlive it.
class PubSubPush {
 public:
  static constexpr std::size_t kMaxOutstanding = 10'000;

  PubSubPush(Schedule& schedule, Outgoing& outgoing, const SigningKeys& keys)
      : schedule_(schedule), outgoing_(outgoing), keys_(keys) {}

  PubSubSubscription& subscription() { return subscription_; }
  /// Why a subscription cannot be used, or "".
  static std::string Check(const PubSubSubscription& subscription);
  /// `envelope` is what Pub/Sub posts: {"message": …, "subscription": …}.
  void Publish(const boost::json::object& envelope);

  /// The subscription and {"published", "attempts", "acknowledged", "outstanding", "last_status", "last_problem"}.
  boost::json::object Describe() const;

 private:
  struct Message {
    std::string body;
    Instant published;
    bool done = false;
  };

  void Try(const std::shared_ptr<Message>& message, int attempt);
  std::string BearerToken() const;

  Schedule& schedule_;
  Outgoing& outgoing_;
  const SigningKeys& keys_;
  PubSubSubscription subscription_;
  std::uint64_t published_ = 0;
  std::uint64_t attempts_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t outstanding_ = 0;
  int last_status_ = 0;
  std::string last_problem_;
};

}  // namespace latchkey::simulator
