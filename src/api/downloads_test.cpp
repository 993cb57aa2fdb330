#include "api/downloads.hpp"

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>

#include "async/testing.hpp"

namespace latchkey::api {
namespace {

/// A mailbox whose only attachment has as many pieces as wanted, and an end of choice.
class OneAttachment final : public mail::MailProvider {
 public:
  int pieces = 0, given = 0;
  std::optional<Error> end;
  bool stopped = false;

  Task<Result<void>> GetAttachment(const std::string&, const mail::Attachment&,
                                   const std::function<Task<bool>(std::string_view)>& sink) override {
    for (given = 0; given < pieces; ++given) {
      const bool more = co_await sink(std::string(1000, static_cast<char>('a' + given % 26)));
      if (!more) {
        stopped = true;
        co_return Result<void>();
      }
    }
    if (end) co_return Fail(*end);
    co_return Result<void>();
  }

  Task<Result<std::string>> CurrentCursor() override { co_return Fail(ErrorCode::kInternal); }
  Task<Result<std::int64_t>> EstimateTotal() override { co_return Fail(ErrorCode::kInternal); }
  Task<Result<std::vector<mail::Label>>> ListLabels() override { co_return Fail(ErrorCode::kInternal); }
  Task<Result<mail::ChangePage>> Changes(const std::string&, mail::Lane) override {
    co_return Fail(ErrorCode::kInternal);
  }
  Task<Result<mail::IdPage>> ListIds(const std::string&, mail::Lane) override { co_return Fail(ErrorCode::kInternal); }
  Task<Result<mail::Message>> GetMessage(const std::string&, mail::Lane) override {
    co_return Fail(ErrorCode::kInternal);
  }
  Task<Result<mail::Message>> GetMessageState(const std::string&, mail::Lane) override {
    co_return Fail(ErrorCode::kInternal);
  }
  int MaxConcurrency() const override { return 1; }
};

class DownloadsTest : public ::testing::Test {
 protected:
  void Run(Task<void> test) {
    auto guarded = [](Task<void> body, Downloads& downloads) -> Task<void> {
      co_await std::move(body);
      co_await downloads.Stop();
    };
    latchkey::testing::RunTask(loop_, guarded(std::move(test), downloads_));
  }
  Task<Result<std::shared_ptr<Pipe>>> Begin() { return downloads_.Begin(user_, provider_, "m", {}); }

  boost::asio::io_context loop_;
  Downloads downloads_{loop_.get_executor()};
  UserId user_{"01890000-0000-7000-8000-000000000001"};
  std::shared_ptr<OneAttachment> provider_ = std::make_shared<OneAttachment>();
};

TEST_F(DownloadsTest, NeitherSideIsFurtherAheadThanOnePiece) {
  provider_->pieces = 5000;
  auto test = [this]() -> Task<void> {
    auto pipe = co_await Begin();
    EXPECT_TRUE(pipe);
    std::size_t received = 0;
    int taken = 0;
    while (true) {
      co_await (*pipe)->Fill();
      EXPECT_LE(provider_->given - taken, 2) << "pieces pile up";
      const std::string piece = (*pipe)->Take();
      if (piece.empty()) break;
      ++taken;
      received += piece.size();
    }
    EXPECT_EQ(received, 5'000'000U);
    EXPECT_TRUE((*pipe)->result() && *(*pipe)->result());
  };
  Run(test());
}

TEST_F(DownloadsTest, ARefusalBeforeTheFirstByteIsACleanAnswer) {
  provider_->end = Error{.code = ErrorCode::kGone, .detail = {}, .retry_after = {}};
  auto test = [this]() -> Task<void> {
    auto pipe = co_await Begin();
    EXPECT_FALSE(pipe);
    EXPECT_EQ(pipe.error().code, ErrorCode::kGone);
  };
  Run(test());
}

TEST_F(DownloadsTest, AnEmptyFileIsNoFailureAndABreakInTheMiddleIsTold) {
  auto test = [this]() -> Task<void> {
    auto empty = co_await Begin();
    EXPECT_TRUE(empty);
    EXPECT_EQ((*empty)->Take(), "");
    provider_->pieces = 2;
    provider_->end = Error{.code = ErrorCode::kTimeout, .detail = {}, .retry_after = {}};
    auto broken = co_await Begin();
    EXPECT_TRUE(broken);
    while (true) {
      co_await (*broken)->Fill();
      if ((*broken)->Take().empty()) break;
    }
    EXPECT_EQ((*broken)->result()->error().code, ErrorCode::kTimeout);
  };
  Run(test());
}

TEST_F(DownloadsTest, WhenTheClientLeavesNothingMoreIsFetched) {
  provider_->pieces = 1'000'000;
  auto test = [this]() -> Task<void> {
    auto pipe = co_await Begin();
    EXPECT_TRUE(pipe);
    pipe->reset();
    while (downloads_.running() > 0) co_await SleepFor(std::chrono::milliseconds(1));
    EXPECT_TRUE(provider_->stopped);
    EXPECT_LE(provider_->given, 2);
  };
  Run(test());
}

TEST_F(DownloadsTest, WhoeverAsksForMoreThanTheirShareWaitsInLine) {
  provider_->pieces = 10;
  auto test = [this]() -> Task<void> {
    std::vector<std::shared_ptr<Pipe>> pipes;
    for (int i = 0; i < 6; ++i) {
      auto pipe = co_await Begin();
      EXPECT_TRUE(pipe);
      pipes.push_back(*pipe);
    }
    bool admitted = false;
    auto seventh = [this, &admitted]() -> Task<void> {
      auto pipe = co_await Begin();
      EXPECT_TRUE(pipe);
      admitted = true;
    };
    TaskGroup others(co_await boost::asio::this_coro::executor);
    EXPECT_TRUE(others.Spawn("seventh", seventh));
    for (int i = 0; i < 20; ++i) co_await SleepFor(std::chrono::milliseconds(1));
    EXPECT_FALSE(admitted);
    pipes.pop_back();
    while (!admitted) co_await SleepFor(std::chrono::milliseconds(1));
    pipes.clear();
    co_await others.Stop();
    while (downloads_.running() > 0) co_await SleepFor(std::chrono::milliseconds(1));
  };
  Run(test());
}

TEST_F(DownloadsTest, TheLineOfAPersonIsBounded) {
  provider_->pieces = 10;
  auto test = [this]() -> Task<void> {
    std::vector<std::shared_ptr<Pipe>> pipes;
    int refused = 0, ended = 0;
    auto one = [this, &pipes, &refused, &ended]() -> Task<void> {
      auto pipe = co_await Begin();
      if (pipe) {
        pipes.push_back(*pipe);
      } else {
        EXPECT_EQ(pipe.error().code, ErrorCode::kTooManyRequests);
        ++refused;
      }
      ++ended;
    };
    TaskGroup others(co_await boost::asio::this_coro::executor);
    for (int i = 0; i < 130; ++i) EXPECT_TRUE(others.Spawn("one", one));
    while (refused < 2 || pipes.size() < 6) co_await SleepFor(std::chrono::milliseconds(1));
    EXPECT_EQ(ended, 8);
    // Each that ends lets the next in.
    while (ended < 130) {
      pipes.clear();
      co_await SleepFor(std::chrono::milliseconds(1));
    }
    pipes.clear();
    EXPECT_EQ(refused, 2);
    co_await others.Stop();
    while (downloads_.running() > 0) co_await SleepFor(std::chrono::milliseconds(1));
  };
  Run(test());
}

}  // namespace
}  // namespace latchkey::api
