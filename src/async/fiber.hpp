#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace latchkey {

/// A callable with a stack of its own, for code that is written as if it waited while its thread does other things:
/// what a coroutine is for code that may co_await, for code that may not.
///
/// Begins at the first Resume, runs until it calls Suspend or returns, and belongs to one thread all its life. An
/// exception that leaves the callable ends the program, as one that leaves a thread does. Suspending is allowed
/// anywhere, also inside a catch block and while an exception unwinds: each fiber keeps its own state of exceptions.
/// Not allowed: to keep a reference to anything thread-local across Suspend that another fiber changes too.
class Fiber {
 public:
  explicit Fiber(std::function<void()> body);
  /// The callable has returned, or never begun.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// From the thread's own stack, not from another fiber. Nothing happens after the end.
  void Resume();
  bool Ended() const;

  /// The fiber that runs on this thread; null on the thread's own stack.
  static Fiber* Current();
  /// Gives the thread back to whoever called Resume. Inside a fiber only.
  static void Suspend();

  /// Bytes of address space for one stack. Memory is taken page by page as it is used; below it lies a page that must
  /// not be touched, so that an overflow ends the program instead of writing over others.
  static constexpr std::size_t kStackBytes = std::size_t{1} << 20;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace latchkey
