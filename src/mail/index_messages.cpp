#include "mail/index_messages.hpp"

namespace latchkey::mail {
namespace {

/// Few enough that whoever needs the writer meanwhile waits for milliseconds.
constexpr int kBatch = 50;
constexpr auto kLongestRun = std::chrono::seconds(5);

}  // namespace

Task<jobs::Outcome> IndexMessages::Run(const jobs::Job& job) {
  static_cast<void>(job);
  const Instant started = parts_.clock.Now();
  while (true) {
    co_await parts_.Yield();
    auto indexed = co_await parts_.store.IndexPending(kBatch);
    if (!indexed) co_return jobs::Outcome::Retry(std::move(indexed.error()));
    if (*indexed == 0) co_return jobs::Outcome::Completed();
    if (parts_.clock.Now() - started >= kLongestRun) co_return jobs::Outcome::Snooze(std::chrono::milliseconds(100));
  }
}

}  // namespace latchkey::mail
