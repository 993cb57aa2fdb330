#include "providers/microsoft/request_gate.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

namespace latchkey::microsoft {
namespace {

constexpr std::chrono::milliseconds kLongestQueue = std::chrono::seconds(60);

}  // namespace

void RequestGate::MakeSemaphores(const Executor& executor) {
  if (slots_) return;
  const int slots = std::max(1, limits_.per_mailbox);
  slots_.emplace(executor, static_cast<std::size_t>(slots));
  backfill_.emplace(executor, static_cast<std::size_t>(std::max(1, slots - 1)));
  streams_.emplace(executor, static_cast<std::size_t>(std::max(1, slots / 2)));
  batch_turn_.emplace(executor, 1);
  if (total_.limit_ > 0 && !total_.slots_) {
    total_.slots_.emplace(executor, static_cast<std::size_t>(total_.limit_));
    total_.batch_turn_.emplace(executor, 1);
  }
}

Task<Result<RequestGate::Pass>> RequestGate::Enter(Kind kind) {
  MakeSemaphores(co_await boost::asio::this_coro::executor);
  Pass pass;
  Result<void> taken;
  int wanted = 1;
  // Always in the same order, and only one batch at a time collects slots: nobody waits for another in a circle.
  if (kind == Kind::kBackfill) taken = co_await Take(*backfill_, 1, pass);
  if (kind == Kind::kStream) taken = co_await Take(*streams_, 1, pass);
  if (kind == Kind::kBatch) {
    wanted = std::max(1, limits_.per_mailbox);
    taken = co_await Take(*batch_turn_, 1, pass);
  }
  if (taken) taken = co_await Take(*slots_, wanted, pass);
  if (taken && total_.slots_) {
    if (kind == Kind::kBatch) taken = co_await Take(*total_.batch_turn_, 1, pass);
    if (taken) taken = co_await Take(*total_.slots_, std::min(wanted, total_.limit_), pass);
  }
  if (!taken) co_return std::unexpected(std::move(taken.error()));
  if (limits_.seats != nullptr) {
    // As with the slots: batches of two processes must not wait for each other's half.
    if (wanted > 1) pass.batch_turn = co_await limits_.seats->Take("graph_batch", limits_.mailbox, 1, 1);
    pass.seats =
        co_await limits_.seats->Take("graph_requests", limits_.mailbox, std::max(1, limits_.per_mailbox), wanted);
  }
  co_return pass;
}

Task<Result<void>> RequestGate::Take(Semaphore& semaphore, int count, Pass& pass) {
  for (int i = 0; i < count; ++i) {
    auto permit = co_await semaphore.AcquireFor(kLongestQueue);
    if (!permit) co_return Fail(ErrorCode::kTimeout, "no request of this mailbox ended within a minute");
    pass.permits.push_back(std::move(*permit));
  }
  co_return Result<void>();
}

}  // namespace latchkey::microsoft
