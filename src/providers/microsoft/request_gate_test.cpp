#include "providers/microsoft/request_gate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace latchkey::microsoft {
namespace {

using std::chrono::milliseconds;

/// Seats as all processes of a test share them.
class CountedSeats final : public limits::Seats {
 public:
  Task<Hold> Take(std::string_view name, std::string_view key, int limit, int count) override {
    const std::string which = std::string(name) + ' ' + std::string(key);
    int held = 0;
    // One at a time, as they become free: like this two who need several can get in each other's way.
    while (held < count) {
      if (taken_[which] < limit) {
        ++taken_[which];
        ++held;
      } else {
        co_await SleepFor(milliseconds(1));
      }
    }
    std::function<void()> give_back = [this, which, count] { taken_[which] -= count; };
    co_return Hold(std::move(give_back));
  }
  int taken() const {
    int sum = 0;
    for (const auto& [which, count] : taken_) sum += count;
    return sum;
  }

 private:
  std::map<std::string, int> taken_;
};

class RequestGateTest : public ::testing::Test {
 protected:
  using Kind = RequestGate::Kind;
  struct Process {
    Process(limits::Seats* seats, const std::string& mailbox)
        : gate({.per_mailbox = 4, .seats = seats, .mailbox = mailbox}, total) {}
    RequestGate::Total total{0};
    RequestGate gate;
  };
  /// Requests of this kind through the gate, one after the other.
  Task<bool> Work(RequestGate& gate, Kind kind, int requests) {
    const int weight = kind == Kind::kBatch ? 4 : 1;
    for (int i = 0; i < requests; ++i) {
      const auto pass = co_await gate.Enter(kind);
      if (!pass) co_return false;
      inside_ += weight;
      most_ = std::max(most_, inside_);
      co_await SleepFor(milliseconds(1));
      inside_ -= weight;
    }
    co_return true;
  }
  void Start(RequestGate& gate, Kind kind, int requests) {
    ++started_;
    boost::asio::co_spawn(loop_, Work(gate, kind, requests),
                          [this](const std::exception_ptr& failure, bool fine) { done_ += !failure && fine ? 1 : 0; });
  }

  boost::asio::io_context loop_;
  CountedSeats seats_;
  int inside_ = 0, most_ = 0, started_ = 0, done_ = 0;
};

TEST_F(RequestGateTest, AMailboxSeesNoMoreThanItsLimitFromAllProcessesTogether) {
  Process first(&seats_, "mailbox"), second(&seats_, "mailbox");
  for (auto* process : {&first, &second}) {
    for (const Kind kind : {Kind::kLive, Kind::kLive, Kind::kBackfill, Kind::kBackfill, Kind::kStream, Kind::kBatch}) {
      Start(process->gate, kind, 10);
    }
  }
  loop_.run();
  EXPECT_EQ(done_, started_);
  EXPECT_EQ(most_, 4);
  EXPECT_EQ(seats_.taken(), 0);
}

TEST_F(RequestGateTest, WithoutSeatsEachProcessHasItsOwnLimit) {
  Process first(nullptr, "mailbox"), second(nullptr, "mailbox");
  for (auto* process : {&first, &second}) {
    for (int i = 0; i < 6; ++i) Start(process->gate, Kind::kLive, 5);
  }
  loop_.run();
  EXPECT_EQ(done_, started_);
  EXPECT_EQ(most_, 8);
}

TEST_F(RequestGateTest, MailboxesDoNotTakeEachOthersSeats) {
  Process first(&seats_, "one"), second(&seats_, "two");
  for (auto* process : {&first, &second}) Start(process->gate, Kind::kBatch, 5);
  loop_.run();
  EXPECT_EQ(done_, started_);
  EXPECT_EQ(most_, 8);
}

}  // namespace
}  // namespace latchkey::microsoft
