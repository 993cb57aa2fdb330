#include "async/fiber.hpp"

#include <cxxabi.h>
#include <sys/mman.h>
#include <unistd.h>

#include <boost/context/detail/fcontext.hpp>
#include <cassert>
#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LATCHKEY_FIBER_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if __has_feature(thread_sanitizer)
#define LATCHKEY_FIBER_TSAN 1
#include <sanitizer/tsan_interface.h>
#endif
#endif

namespace latchkey {
namespace {

namespace context = boost::context::detail;

/// The runtime's own note of which exceptions are in flight: one per thread, as the Itanium ABI lays it out
/// (section 2.2.2). Several fibers share a thread, so each carries its copy along.
struct ExceptionState {
  void* caught = nullptr;
  unsigned int uncaught = 0;
};

void Exchange(ExceptionState& kept) {
  auto* current = reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals());
  std::swap(*current, kept);
}

struct Stack {
  std::byte* lowest = nullptr;  ///< The guard page.
  std::size_t size = 0;         ///< With the guard page.
};

/// Stacks that are not in use, for the next fiber: mapping one costs more than running most bodies.
class StackPool {
 public:
  static StackPool& Instance() {
    static StackPool* pool = new StackPool;  // never destroyed: fibers of static objects may outlive it otherwise
    return *pool;
  }

  Stack Take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        const Stack stack = free_.back();
        free_.pop_back();
        return stack;
      }
    }
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t size = Fiber::kStackBytes + page;
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    if (::mprotect(memory, page, PROT_NONE) != 0) {
      ::munmap(memory, size);
      throw std::bad_alloc();
    }
    return {.lowest = static_cast<std::byte*>(memory), .size = size};
  }

  void Give(Stack stack) {
#ifdef LATCHKEY_FIBER_ASAN
    // What the last frames poisoned must not be met by the next.
    __asan_unpoison_memory_region(stack.lowest + (stack.size - Fiber::kStackBytes), Fiber::kStackBytes);
#endif
    {
      const std::lock_guard lock(mutex_);
      if (free_.size() < kKept) {
        free_.push_back(stack);
        return;
      }
    }
    ::munmap(stack.lowest, stack.size);
  }

 private:
  static constexpr std::size_t kKept = 16;
  std::mutex mutex_;
  std::vector<Stack> free_;
};

thread_local Fiber* current_fiber = nullptr;

}  // namespace

struct Fiber::State {
  std::function<void()> body;
  Stack stack;
  context::fcontext_t inside = nullptr;   ///< Where the fiber goes on.
  context::fcontext_t outside = nullptr;  ///< Where its resumer does.
  ExceptionState exceptions;              ///< Of whichever of the two does not run.
  bool ended = false;
#ifdef LATCHKEY_FIBER_ASAN
  void* fake_inside = nullptr;
  void* fake_outside = nullptr;
  const void* outside_bottom = nullptr;
  std::size_t outside_size = 0;
#endif
#ifdef LATCHKEY_FIBER_TSAN
  void* tsan_inside = nullptr;
  void* tsan_outside = nullptr;
#endif

  static void Enter(context::transfer_t from) noexcept {
    auto* state = static_cast<State*>(from.data);
    state->Arrived(from);
    state->body();
    state->body = nullptr;  // what it captured goes while its stack is there
    state->ended = true;
    state->Leave();
  }

  /// Inside: the first thing after a switch to here.
  void Arrived(context::transfer_t from) {
    outside = from.fctx;
#ifdef LATCHKEY_FIBER_ASAN
    __sanitizer_finish_switch_fiber(fake_inside, &outside_bottom, &outside_size);
#endif
  }

  /// Inside: back to the resumer. Returns at the next Resume; never when ended.
  void Leave() {
#ifdef LATCHKEY_FIBER_ASAN
    // Without a place to keep it, the sanitizer frees what it holds of this stack.
    __sanitizer_start_switch_fiber(ended ? nullptr : &fake_inside, outside_bottom, outside_size);
#endif
#ifdef LATCHKEY_FIBER_TSAN
    __tsan_switch_to_fiber(tsan_outside, 0);
#endif
    Arrived(context::jump_fcontext(outside, this));
  }

  /// Outside: runs the fiber until it leaves.
  void GoInside() {
    Exchange(exceptions);
#ifdef LATCHKEY_FIBER_ASAN
    __sanitizer_start_switch_fiber(&fake_outside, stack.lowest + (stack.size - kStackBytes), kStackBytes);
#endif
#ifdef LATCHKEY_FIBER_TSAN
    tsan_outside = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(tsan_inside, 0);
#endif
    const context::transfer_t back = context::jump_fcontext(inside, this);
#ifdef LATCHKEY_FIBER_ASAN
    __sanitizer_finish_switch_fiber(fake_outside, nullptr, nullptr);
#endif
    inside = back.fctx;
    Exchange(exceptions);
  }
};

Fiber::Fiber(std::function<void()> body) : state_(std::make_unique<State>()) {
  state_->body = std::move(body);
  state_->stack = StackPool::Instance().Take();
  state_->inside = context::make_fcontext(state_->stack.lowest + state_->stack.size, kStackBytes, &State::Enter);
#ifdef LATCHKEY_FIBER_TSAN
  state_->tsan_inside = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
  // Half a frame cannot be taken down: what it points to would dangle.
  if (!state_->ended && state_->outside) std::terminate();
#ifdef LATCHKEY_FIBER_TSAN
  __tsan_destroy_fiber(state_->tsan_inside);
#endif
  StackPool::Instance().Give(state_->stack);
}

void Fiber::Resume() {
  assert(!current_fiber);
  if (state_->ended) return;
  current_fiber = this;
  state_->GoInside();
  current_fiber = nullptr;
}

bool Fiber::Ended() const { return state_->ended; }

Fiber* Fiber::Current() { return current_fiber; }

void Fiber::Suspend() {
  assert(current_fiber);
  current_fiber->state_->Leave();
}

}  // namespace latchkey
