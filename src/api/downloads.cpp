#include "api/downloads.hpp"

#include <functional>
#include <utility>

namespace latchkey::api {
namespace {

constexpr std::size_t kRunning = 64;
constexpr std::size_t kRunningOfUser = 6;
constexpr std::size_t kOrders = 1024;
constexpr std::size_t kOrdersOfUser = 128;
/// In line, before a refusal.
constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::seconds kComeAgain{5};
/// Of one wait; who waits asks again, because the other side's own deadlines end it.
constexpr std::chrono::minutes kWait{1};

/// Ends the pipe for the fetching side when the answer is over, however it ends.
struct Closer {
  explicit Closer(std::shared_ptr<Pipe> closed) : pipe(std::move(closed)) {}
  ~Closer() { pipe->Close(); }
  Closer(const Closer&) = delete;
  Closer& operator=(const Closer&) = delete;
  std::shared_ptr<Pipe> pipe;
};

}  // namespace

Task<bool> Pipe::Put(std::string_view bytes) {
  while (!piece_.empty() && !closed_) co_await emptied_.Wait(kWait);
  if (closed_) co_return false;
  piece_.assign(bytes);
  filled_.Raise();
  co_return true;
}

void Pipe::End(Result<void> result) {
  if (!result_) result_ = std::move(result);
  filled_.Raise();
}

void Pipe::Close() {
  closed_ = true;
  emptied_.Raise();
}

Task<void> Pipe::Fill() {
  while (piece_.empty() && !result_) co_await filled_.Wait(kWait);
}

std::string Pipe::Take() {
  emptied_.Raise();
  return std::exchange(piece_, {});
}

/// What one person has in line and running; forgotten with the last order.
struct Downloads::Share {
  explicit Share(const Executor& executor) : slots(executor, kRunningOfUser) {}
  Semaphore slots;
  std::size_t orders = 0;
};

struct Downloads::Order {
  Order(Downloads& downloads, const UserId& of_user) : owner(downloads), user(of_user) {
    auto& known = owner.shares_[user];
    share = known.lock();
    if (!share) known = share = std::make_shared<Share>(owner.executor_);
    ++share->orders;
    ++owner.orders_;
  }
  ~Order() {
    --owner.orders_;
    if (--share->orders == 0) owner.shares_.erase(user);
  }
  Order(const Order&) = delete;
  Order& operator=(const Order&) = delete;

  Downloads& owner;
  UserId user;
  std::shared_ptr<Share> share;
  Semaphore::Permit of_user, of_all;
  std::shared_ptr<mail::Mailbox> provider;
  std::string external_id;
  mail::Attachment attachment;
  std::shared_ptr<Pipe> pipe;
};

Downloads::Downloads(Executor executor) : executor_(executor), room_(executor, kRunning), tasks_(executor) {}
Downloads::~Downloads() = default;

Task<Result<void>> Downloads::Admit(Order& order) {
  const auto refusal = [](ErrorCode code) {
    return std::unexpected(Error{.code = code, .detail = "too many downloads at once", .retry_after = kComeAgain});
  };
  if (order.share->orders > kOrdersOfUser) co_return refusal(ErrorCode::kTooManyRequests);
  if (orders_ > kOrders) co_return refusal(ErrorCode::kOverloaded);
  auto of_user = co_await order.share->slots.AcquireFor(kPatience);
  if (!of_user) co_return refusal(ErrorCode::kTooManyRequests);
  order.of_user = std::move(*of_user);
  auto of_all = co_await room_.AcquireFor(kPatience);
  if (!of_all) co_return refusal(ErrorCode::kOverloaded);
  order.of_all = std::move(*of_all);
  co_return Result<void>();
}

Task<void> Downloads::Fetch(std::shared_ptr<Order> order) {
  struct Leave {
    Order& order;
    ~Leave() { order.pipe->End(Fail(ErrorCode::kCancelled, "the download was stopped")); }
  };
  const Leave leave{*order};
  const std::function<Task<bool>(std::string_view)> sink = [&order](std::string_view piece) {
    return order->pipe->Put(piece);
  };
  auto fetched = co_await order->provider->GetAttachment(order->external_id, order->attachment, sink);
  // What the provider did not understand was our request, not that of whoever asks us.
  if (!fetched && fetched.error().code == ErrorCode::kInvalidArgument)
    fetched.error().code = ErrorCode::kMalformedReply;
  order->pipe->End(std::move(fetched));
}

Task<Result<std::shared_ptr<Pipe>>> Downloads::Begin(const UserId& user, std::shared_ptr<mail::Mailbox> provider,
                                                     std::string external_id, mail::Attachment attachment) {
  auto order = std::make_shared<Order>(*this, user);
  order->provider = std::move(provider);
  order->external_id = std::move(external_id);
  order->attachment = std::move(attachment);
  if (auto admitted = co_await Admit(*order); !admitted) co_return Fail(admitted.error());
  order->pipe = std::make_shared<Pipe>(executor_);
  // The handle that the answer holds: when it goes, so does the interest in the bytes.
  auto closer = std::make_shared<Closer>(order->pipe);
  if (!tasks_.Spawn("download", [this, order] { return Fetch(order); }))
    co_return Fail(ErrorCode::kOverloaded, "the server stops");
  std::shared_ptr<Pipe> pipe(closer, order->pipe.get());
  order.reset();
  co_await pipe->Fill();
  if (pipe->result() && !*pipe->result()) co_return Fail(pipe->result()->error());
  co_return pipe;
}

}  // namespace latchkey::api
