#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/support/person.hpp"

namespace latchkey::chaos {

/// Somebody who goes on working while everything breaks: sends mails and tries each again, with the same idempotency
/// key, until the server has acknowledged it. On a thread of its own.
class Customer {
 public:
  /// `person` is signed in and stays somebody else's to use; `account` may send.
  Customer(integration::Person& person, std::string account, std::string recipient);
  ~Customer() { Stop(); }

  /// Ends after the mail it is at.
  void Stop();

  struct Sent {
    std::string outbox_id, subject;
  };
  /// What was acknowledged.
  std::vector<Sent> acknowledged();
  int refusals() const { return refusals_; }

 private:
  void Run();
  bool SendOne(int number);

  const std::string url_, cookies_, csrf_, origin_, account_, recipient_;
  std::atomic<bool> stop_{false};
  std::atomic<int> refusals_{0};
  std::mutex mutex_;
  std::vector<Sent> acknowledged_;
  std::thread thread_;
};

}  // namespace latchkey::chaos
