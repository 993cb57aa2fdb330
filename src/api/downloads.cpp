#include "api/downloads.hpp"

#include <functional>
#include <utility>

namespace latchkey::api {
namespace {

constexpr std::size_t kMost = 64;
constexpr int kMostOfUser = 6;
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

struct Downloads::Order {
  UserId user;
  std::shared_ptr<mail::Mailbox> provider;
  std::string external_id;
  mail::Attachment attachment;
  std::shared_ptr<Pipe> pipe;
};

Task<void> Downloads::Fetch(std::shared_ptr<Order> order) {
  struct Leave {
    Downloads& owner;
    Order& order;
    ~Leave() {
      order.pipe->End(Fail(ErrorCode::kCancelled, "the download was stopped"));
      const auto found = owner.of_user_.find(order.user);
      if (--found->second == 0) owner.of_user_.erase(found);
    }
  };
  const Leave leave{*this, *order};
  const std::function<Task<bool>(std::string_view)> sink = [&order](std::string_view piece) {
    return order->pipe->Put(piece);
  };
  auto fetched = co_await order->provider->GetAttachment(order->external_id, order->attachment, sink);
  order->pipe->End(std::move(fetched));
}

Task<Result<std::shared_ptr<Pipe>>> Downloads::Begin(const UserId& user, std::shared_ptr<mail::Mailbox> provider,
                                                     std::string external_id, mail::Attachment attachment) {
  if (tasks_.size() >= kMost) co_return Fail(ErrorCode::kOverloaded, "too many downloads at once");
  int& mine = of_user_[user];
  if (mine >= kMostOfUser) {
    co_return std::unexpected(Error{.code = ErrorCode::kTooManyRequests,
                                    .detail = "too many downloads at once",
                                    .retry_after = std::chrono::seconds(5)});
  }
  auto order = std::make_shared<Order>();
  order->user = user;
  order->provider = std::move(provider);
  order->external_id = std::move(external_id);
  order->attachment = std::move(attachment);
  order->pipe = std::make_shared<Pipe>(executor_);
  ++mine;
  // The handle that the answer holds: when it goes, so does the interest in the bytes.
  auto closer = std::make_shared<Closer>(order->pipe);
  if (!tasks_.Spawn("download", [this, order] { return Fetch(order); })) {
    if (--mine == 0) of_user_.erase(user);
    co_return Fail(ErrorCode::kOverloaded, "the server stops");
  }
  std::shared_ptr<Pipe> pipe(closer, order->pipe.get());
  co_await pipe->Fill();
  if (pipe->result() && !*pipe->result()) co_return Fail(pipe->result()->error());
  co_return pipe;
}

}  // namespace latchkey::api
