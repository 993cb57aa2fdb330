#include "storage/engine.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace latchkey::storage {

namespace asio = boost::asio;

template <class Handler>
class Engine::CallerOf final : public Engine::Caller {
 public:
  explicit CallerOf(Handler handler)
      : home_(asio::prefer(asio::get_associated_executor(handler), asio::execution::outstanding_work.tracked)),
        handler_(std::move(handler)) {}
  void Continue() override { asio::post(home_, std::move(handler_)); }

 private:
  using Home = std::decay_t<decltype(asio::prefer(asio::get_associated_executor(std::declval<Handler&>()),
                                                  asio::execution::outstanding_work.tracked))>;
  Home home_;
  Handler handler_;
};

Task<void> Engine::Enter(std::unique_ptr<CallersUnit> unit, Kind kind) {
  auto start = [this, kind, entered = std::move(unit)](auto handler) mutable {
    entered->caller = std::make_unique<CallerOf<decltype(handler)>>(std::move(handler));
    switch (kind) {
      case Kind::kWrite:
        return EnqueueWrite(std::move(entered));
      case Kind::kRead:
        return EnqueueRead(std::move(entered));
      case Kind::kCompute:
        return EnqueueCompute(std::move(entered));
    }
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(start), asio::use_awaitable);
}

}  // namespace latchkey::storage
