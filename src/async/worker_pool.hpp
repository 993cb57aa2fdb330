#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "async/task.hpp"

namespace latchkey {

/// Threads for work that must not run on the loop: parsing large bodies, key derivation, compression.
class WorkerPool {
 public:
  explicit WorkerPool(std::size_t threads) : pool_(threads) {}
  ~WorkerPool() { pool_.join(); }

  /// Runs `work` (a callable without arguments) on a pool thread and returns its value on the caller's executor.
  /// Exceptions cross over. `work` is kept by reference: the caller's frame outlives it, because an interrupted wait
  /// still waits for the work to end.
  template <class Work>
  Task<std::invoke_result_t<Work&>> Run(Work& work) {
    using Value = std::invoke_result_t<Work&>;
    std::exception_ptr failure;
    if constexpr (std::is_void_v<Value>) {
      auto guarded = [&]() noexcept {
        try {
          work();
        } catch (...) {
          failure = std::current_exception();
        }
      };
      co_await OnPool(guarded);
      if (failure) std::rethrow_exception(failure);
    } else {
      std::optional<Value> value;
      auto guarded = [&]() noexcept {
        try {
          value.emplace(work());
        } catch (...) {
          failure = std::current_exception();
        }
      };
      co_await OnPool(guarded);
      if (failure) std::rethrow_exception(failure);
      co_return std::move(*value);
    }
  }

 private:
  /// Not cancellable once begun, so that the frame which `work` points into stays alive. The loop is kept running
  /// meanwhile.
  template <class Work>
  Task<void> OnPool(Work& work) {
    auto start = [this, &work](auto handler) {
      auto home = boost::asio::prefer(boost::asio::get_associated_executor(handler),
                                      boost::asio::execution::outstanding_work.tracked);
      boost::asio::post(pool_, [&work, home, handler = std::move(handler)]() mutable {
        work();
        boost::asio::post(home, std::move(handler));
      });
    };
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(start,
                                                                                       boost::asio::use_awaitable);
  }

  boost::asio::thread_pool pool_;
};

}  // namespace latchkey
