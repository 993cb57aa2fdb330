#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "storage/engine.hpp"

namespace latchkey::storage::sqlite {

/// A bounded queue between the loop and the database threads. Any thread.
class WorkQueue {
 public:
  explicit WorkQueue(std::size_t limit) : limit_(limit) {}

  /// Gives the unit back when the queue is full or closed.
  std::unique_ptr<Unit> Push(std::unique_ptr<Unit> unit) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || units_.size() >= limit_) return unit;
      units_.push_back(std::move(unit));
    }
    ready_.notify_one();
    return nullptr;
  }

  /// Waits for at least one unit and takes up to `most`; empty only when closed and drained.
  std::vector<std::unique_ptr<Unit>> Take(std::size_t most) {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return closed_ || !units_.empty(); });
    std::vector<std::unique_ptr<Unit>> taken;
    while (!units_.empty() && taken.size() < most) {
      taken.push_back(std::move(units_.front()));
      units_.pop_front();
    }
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
  const std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::unique_ptr<Unit>> units_;
  bool closed_ = false;
};

}  // namespace latchkey::storage::sqlite
