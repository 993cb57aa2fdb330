#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include <boost/json/object.hpp>

#include "simulator/accounts.hpp"
#include "simulator/http/message.hpp"

namespace latchkey::simulator {

/// "GET /gmail/v1/users/{userId}/messages/{id}": ids out of the path, so that calls of one kind count together.
std::string RouteTemplate(const Request& request);

/// What tests ask afterwards: how many requests of each kind came, and how many of one account at a time. Loop thread
/// only; outlives every response it has marked as in progress.
class RequestCounters {
 public:
  /// Marks a request of `account` as in progress until the last copy of the result is gone.
  std::shared_ptr<void> Begin(const Account& account);
  std::uint64_t InProgress(const Account& account) const;
  void Count(const std::string& route, int status);

  boost::json::object Requests() const;
  /// Members "requests", "in_progress", "max_in_progress" of one account.
  boost::json::object OfAccount(const Account& account) const;
  /// Keeps what is in progress.
  void Reset();

 private:
  struct Route {
    std::uint64_t count = 0;
    std::map<int, std::uint64_t> statuses;
  };
  struct PerAccount {
    std::uint64_t requests = 0;
    std::uint64_t in_progress = 0;
    std::uint64_t max_in_progress = 0;
  };

  std::unordered_map<std::string, Route> routes_;
  std::unordered_map<const Account*, PerAccount> accounts_;
};

}  // namespace latchkey::simulator
