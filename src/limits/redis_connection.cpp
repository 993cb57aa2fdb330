#include "limits/redis_connection.hpp"

#include <array>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <string>
#include <utility>

#include "async/deadline.hpp"

namespace latchkey::limits {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::hours kForever{24};

Task<void> StoreOutcome(Task<bool> task, bool& outcome) { outcome = co_await std::move(task); }

}  // namespace

RedisConnection::RedisConnection(const Executor& executor, RedisAddress address, Options options)
    : address_(std::move(address)),
      options_(std::move(options)),
      transport_(MakeRedisTransport(executor, address_, options_.ca_file)),
      deadline_(executor),
      to_send_(executor),
      closed_(executor) {}

Task<RedisConnection::Outcome<std::shared_ptr<RedisConnection>>> RedisConnection::Open(TaskGroup& tasks,
                                                                                       RedisAddress address,
                                                                                       Options options) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto connect_deadline = options.connect_deadline;
  std::shared_ptr<RedisConnection> self;
  try {
    self = std::make_shared<RedisConnection>(executor, std::move(address), std::move(options));
  } catch (const boost::system::system_error&) {
    // The file of certificate authorities cannot be read.
    co_return std::unexpected(RedisFault::kTls);
  }
  bool connected = false;
  auto connecting = StoreOutcome(self->transport_->Connect(), connected);
  const bool in_time = co_await RunWithTimeout(std::move(connecting), connect_deadline);
  if (!in_time || !connected) {
    self->transport_->Close();
    co_return std::unexpected(self->transport_->tls_failed() ? RedisFault::kTls : RedisFault::kUnreachable);
  }
  self->open_ = true;
  const auto read = [self] { return self->ReadAnswers(); };
  const auto write = [self] { return self->WriteCommands(); };
  if (!tasks.Spawn("redis.read", read) || !tasks.Spawn("redis.write", write)) self->Close(RedisFault::kClosed);
  const auto signed_in = co_await self->SignIn();
  if (!signed_in) {
    self->Close(signed_in.error());
    co_return std::unexpected(signed_in.error());
  }
  co_return self;
}

Task<RedisConnection::Outcome<void>> RedisConnection::SignIn() {
  if (!address_.password.empty()) {
    std::array<std::string_view, 3> words = {"AUTH", address_.user, address_.password.Reveal()};
    std::span<const std::string_view> used(words);
    if (address_.user.empty()) {
      words[1] = words[2];
      used = used.first(2);
    }
    const auto allowed = co_await Require(used);
    if (!allowed) co_return std::unexpected(allowed.error());
  }
  const std::string database = std::to_string(address_.database);
  const std::array<std::string_view, 2> select = {"SELECT", database};
  co_return co_await Require(select);
}

Task<RedisConnection::Outcome<void>> RedisConnection::Require(std::span<const std::string_view> words) {
  const auto reply = co_await Call(words);
  if (!reply) co_return std::unexpected(reply.error());
  if (reply->kind == RedisReply::Kind::kError) co_return std::unexpected(FaultOfReply(reply->text));
  co_return Outcome<void>();
}

Task<RedisConnection::Outcome<RedisReply>> RedisConnection::Call(std::span<const std::string_view> words) {
  if (!open_) co_return std::unexpected(fault_);
  if (waiting_.size() >= options_.max_waiting) co_return std::unexpected(RedisFault::kBusy);
  AppendCommand(unsent_, words);
  to_send_.Raise();
  auto start = [this](auto handler) {
    const auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    Done done = [shared](Outcome<RedisReply> outcome) {
      const auto executor = boost::asio::get_associated_executor(*shared);
      boost::asio::post(executor, [shared, outcome = std::move(outcome)]() mutable {
        // Moved out first: resuming may destroy what it was kept in.
        auto resume = std::move(*shared);
        std::move(resume)(std::move(outcome));
      });
    };
    waiting_.push_back({steady_clock::now() + options_.command_deadline, std::move(done)});
    WatchDeadline();
  };
  // Whoever waits keeps the connection alive.
  const auto self = shared_from_this();
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(Outcome<RedisReply>)>(
      start, boost::asio::use_awaitable);
}

Task<void> RedisConnection::ReadAnswers() {
  std::array<char, 4096> buffer;
  while (open_) {
    const std::size_t size = co_await transport_->ReadSome(buffer);
    if (!open_) co_return;
    if (size == 0) {
      Close(RedisFault::kClosed);
      co_return;
    }
    reader_.Feed({buffer.data(), size});
    while (auto reply = reader_.Next()) {
      // Nothing was asked: a protocol of its own, or what a server says before it hangs up.
      if (waiting_.empty()) {
        Close(reply->kind == RedisReply::Kind::kError ? FaultOfReply(reply->text) : RedisFault::kNotRedis);
        co_return;
      }
      const Waiting answered = std::move(waiting_.front());
      waiting_.pop_front();
      answered.done(std::move(*reply));
    }
    if (reader_.broken()) {
      Close(RedisFault::kNotRedis);
      co_return;
    }
  }
}

Task<void> RedisConnection::WriteCommands() {
  while (open_) {
    if (unsent_.empty()) co_await to_send_.Wait(kForever);
    if (!open_) co_return;
    const std::string sending = std::exchange(unsent_, {});
    const bool written = sending.empty() || co_await transport_->Write(sending);
    if (!written) Close(RedisFault::kClosed);
  }
}

void RedisConnection::WatchDeadline() {
  if (watching_ || waiting_.empty()) return;
  watching_ = true;
  deadline_.expires_at(waiting_.front().deadline);
  deadline_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!self || error) return;
    self->watching_ = false;
    // Usually the one that was first has its answer, and another is first by now.
    if (!self->waiting_.empty() && self->waiting_.front().deadline <= steady_clock::now()) {
      self->Close(RedisFault::kTimeout);
    } else {
      self->WatchDeadline();
    }
  });
}

void RedisConnection::Close(RedisFault fault) {
  if (!open_) return;
  open_ = false;
  fault_ = fault;
  deadline_.cancel();
  transport_->Close();
  to_send_.Raise();
  for (const Waiting& one : std::exchange(waiting_, {})) one.done(std::unexpected(fault));
  closed_.Raise();
}

}  // namespace latchkey::limits
