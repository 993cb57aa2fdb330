#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "storage/engine.hpp"

namespace latchkey::storage::sqlite {

/// A bounded queue between the loop and the database threads. Bulk work stands in a line of its own behind the usual;
/// in either line the order of arrival holds. Any thread.
class WorkQueue {
 public:
  struct Order {
    /// How long after usual work more of it is waited for before bulk work is begun. What a person waits for is a chain
    /// of short writes, each of which is asked for a moment after the one before it.
    std::chrono::milliseconds anticipation{0};
    /// Bulk work that has waited so long has its turn, whatever else there is.
    std::chrono::milliseconds longest_passed_by{25};
  };

  WorkQueue(std::size_t limit, Order order) : limit_(limit), order_(order) {}

  /// Gives the unit back when the queue is full or closed.
  std::unique_ptr<Unit> Push(std::unique_ptr<Unit> unit) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || usual_.size() + bulk_.size() >= limit_) return unit;
      if (unit->urgency == Urgency::kBulk) {
        bulk_.push_back({.unit = std::move(unit), .since = SteadyClock::now()});
      } else {
        usual_.push_back(std::move(unit));
      }
    }
    ready_.notify_one();
    return nullptr;
  }

  /// Waits for at least one unit and takes up to `most`, or one alone that is bulk; empty only when closed and drained.
  std::vector<std::unique_ptr<Unit>> Take(std::size_t most) {
    std::unique_lock lock(mutex_);
    // Whoever comes for more has just finished what it took.
    if (std::exchange(usual_taken_, false)) quiet_since_ = SteadyClock::now();
    while (usual_.empty() && !closed_) {
      if (bulk_.empty()) {
        ready_.wait(lock);
        continue;
      }
      const auto begin = std::min(quiet_since_ + order_.anticipation, OverdueAt());
      if (SteadyClock::now() >= begin) break;
      ready_.wait_until(lock, begin);
    }
    std::vector<std::unique_ptr<Unit>> taken;
    if (!bulk_.empty() && (usual_.empty() || SteadyClock::now() >= OverdueAt())) {
      taken.push_back(std::move(bulk_.front().unit));
      bulk_.pop_front();
      return taken;
    }
    while (!usual_.empty() && taken.size() < most) {
      taken.push_back(std::move(usual_.front()));
      usual_.pop_front();
    }
    usual_taken_ = !taken.empty();
    return taken;
  }

  void Close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    ready_.notify_all();
  }

 private:
  using SteadyClock = std::chrono::steady_clock;
  struct Bulk {
    std::unique_ptr<Unit> unit;
    SteadyClock::time_point since;
  };

  SteadyClock::time_point OverdueAt() const { return bulk_.front().since + order_.longest_passed_by; }

  const std::size_t limit_;
  const Order order_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::unique_ptr<Unit>> usual_;
  std::deque<Bulk> bulk_;
  bool usual_taken_ = false;
  SteadyClock::time_point quiet_since_{};
  bool closed_ = false;
};

}  // namespace latchkey::storage::sqlite
