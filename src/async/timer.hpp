#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include <utility>

#include "async/task.hpp"

namespace latchkey {

/// Waits on the loop. Throws boost::system::system_error(operation_aborted) when the surrounding task is cancelled.
Task<void> SleepFor(std::chrono::milliseconds duration);

/// A latch that many coroutines can wait on and anyone on the loop can raise; raising wakes all who wait at that moment
/// and, when nobody waits, the next one to come. Loop thread only.
class Signal {
 public:
  explicit Signal(Executor executor);
  ~Signal();
  void Raise();
  /// True when raised, false when `timeout` passed first.
  Task<bool> Wait(std::chrono::milliseconds timeout);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// At most `permits` coroutines at a time hold a permit; the others wait in order of arrival. Loop thread only.
class Semaphore {
 public:
  Semaphore(Executor executor, std::size_t permits);
  ~Semaphore();

  class Permit {
   public:
    Permit() = default;
    explicit Permit(Semaphore* owner) : owner_(owner) {}
    Permit(Permit&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    Permit& operator=(Permit&& other) noexcept {
      Release();
      owner_ = std::exchange(other.owner_, nullptr);
      return *this;
    }
    ~Permit() { Release(); }
    void Release();

   private:
    Semaphore* owner_ = nullptr;
  };

  /// The semaphore must outlive the permit.
  Task<Permit> Acquire();
  /// nullopt when `timeout` passed first.
  Task<std::optional<Permit>> AcquireFor(std::chrono::milliseconds timeout);
  /// How many wait now.
  std::size_t waiting() const;

 private:
  friend class Permit;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace latchkey
