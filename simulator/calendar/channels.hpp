#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "simulator/accounts.hpp"
#include "simulator/calendar/model.hpp"
#include "simulator/outgoing.hpp"
#include "simulator/push_quirks.hpp"
#include "simulator/schedule.hpp"

namespace latchkey::simulator::calendar {

/// Notification channels of Google Calendar: a "sync" message first, "exists" after each change, an end and no renewal.
/// 500, 502, 503 and 504 are tried again with backoff. Loop thread only; schedule and outgoing outlive it.
class Channels {
 public:
  /// Default and longest life.
  static constexpr std::chrono::hours kLife{7 * 24};
  static constexpr std::size_t kMaxChannels = 10'000;

  Channels(Schedule& schedule, Outgoing& outgoing) : schedule_(schedule), outgoing_(outgoing) {}

  /// `calendar` nullptr: the list of calendars. The answer is Google's.
  Response Watch(const Account& account, const Calendar* calendar, std::string resource_uri,
                 const boost::json::object& body);
  Response Stop(const Account& account, const boost::json::object& body);
  /// `calendar` nullptr: the list changed.
  void Changed(const Account& account, const Calendar* calendar);

  PushQuirks& quirks() { return quirks_; }
  /// Living channels with what became of their last message, for the control API.
  boost::json::array Describe();

 private:
  struct Channel {
    std::string id;
    std::string resource_id;
    std::string resource_uri;
    std::string address;
    std::string token;
    std::string account;   ///< sub
    std::string calendar;  ///< Id; empty: the list.
    Instant expires;
    std::uint64_t next_number = 1;
    bool pending = false;  ///< An "exists" is on its way to be posted: further changes join it.
    bool stopped = false;
    int last_status = 0;
    std::uint64_t posted = 0;
  };

  void Post(const std::shared_ptr<Channel>& channel, std::string state);
  void Try(const std::shared_ptr<Channel>& channel, const std::string& state, std::uint64_t number, int attempt);
  void Forget(Instant now);

  Schedule& schedule_;
  Outgoing& outgoing_;
  PushQuirks quirks_;
  std::vector<std::shared_ptr<Channel>> channels_;
};

}  // namespace latchkey::simulator::calendar
