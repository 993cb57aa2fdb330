#include "providers/google/message_parser.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <vector>

namespace latchkey::google {
namespace {

constexpr std::size_t kMaxBatch = 32;

}  // namespace

Task<Result<ParsedMessage>> MessageParser::Parse(std::string json) {
  // A cancelled caller stays until its item is parsed: whoever leads does it for all who wait behind, and would leave
  // them waiting for good. The caller's next wait then ends it.
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  Item item{.json = std::move(json), .result = std::nullopt, .wake = nullptr};
  pending_.push_back(&item);
  if (busy_) {
    auto start = [&item](auto handler) {
      item.wake = [handler = std::move(handler)]() mutable {
        const auto executor = boost::asio::get_associated_executor(handler);
        boost::asio::post(executor, std::move(handler));
      };
    };
    // The wait lasts one batch, and the item must outlive it.
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(start,
                                                                                       boost::asio::use_awaitable);
  }
  // Woken with a result, or as the one to lead the next batch.
  if (!item.result) co_await Lead();
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  co_return std::move(*item.result);
}

Task<void> MessageParser::Lead() {
  busy_ = true;
  std::vector<Item*> batch;
  while (!pending_.empty() && batch.size() < kMaxBatch) {
    batch.push_back(pending_.front());
    pending_.pop_front();
  }
  auto work = [&batch] {
    for (Item* item : batch) {
      try {
        item->result = ParseGmailMessage(item->json);
      } catch (const std::exception& failure) {
        item->result = Fail(ErrorCode::kInternal, failure.what());
      }
      item->json = std::string();
    }
  };
  co_await pool_.Run(work);
  // The leader stood first and has no wake of its own.
  for (Item* item : batch) {
    if (item->wake) std::exchange(item->wake, nullptr)();
  }
  if (pending_.empty()) {
    busy_ = false;
  } else {
    std::exchange(pending_.front()->wake, nullptr)();
  }
}

}  // namespace latchkey::google
