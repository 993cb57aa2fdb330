// Latchkey's own job queue: how many no-op jobs a second one process works off, and how long a job waits on an idle
// queue. usage: bench_queue DATABASE_URL COUNT; prints one line of JSON.
#include <fmt/core.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <vector>

#include "async/task_group.hpp"
#include "async/timer.hpp"
#include "base/clock.hpp"
#include "jobs/worker.hpp"
#include "storage/database.hpp"

namespace {

using namespace latchkey;
using Steady = std::chrono::steady_clock;

constexpr int kInserters = 64;
constexpr int kSamples = 200;
// What a person would set who has many small jobs: batches are half as large, as those of the floor.
constexpr int kRunning = 512;

double Seconds(Steady::duration duration) { return std::chrono::duration<double>(duration).count(); }

class Bench {
 public:
  Bench(boost::asio::io_context& loop, storage::Database& database, int count)
      : loop_(loop), database_(database), count_(count), handled_all_(loop.get_executor()) {}

  Task<void> Run() {
    co_await Fill();
    jobs::Worker worker(loop_.get_executor(), database_.jobs(), clock_, {.max_running = kRunning});
    database_.OnCommit([&worker] { worker.Wake(); }, [](const UserId&) {});
    const auto handler = [this](const jobs::Job&) -> Task<jobs::Outcome> {
      last_start_ = Steady::now();
      if (++handled_ == expected_) handled_all_.Raise();
      co_return jobs::Outcome::Completed();
    };
    const jobs::KindOptions options{.max_running = kRunning};
    worker.Register("noop", handler, options);
    expected_ = count_;
    const auto began = Steady::now();
    worker.Start();
    while (handled_ < count_) co_await handled_all_.Wait(std::chrono::seconds(60));
    const double seconds = Seconds(Steady::now() - began);
    co_await SleepFor(std::chrono::milliseconds(500));
    std::vector<double> waits = co_await Latencies();
    co_await worker.Stop();
    std::sort(waits.begin(), waits.end());
    fmt::print(R"({{"jobs":{},"seconds":{:.4f},"p50_ms":{:.3f},"p99_ms":{:.3f}}})"
               "\n",
               count_, seconds, waits[waits.size() / 2], waits[waits.size() * 99 / 100]);
    std::fflush(stdout);
  }

 private:
  Task<void> Insert() {
    while (inserted_ < count_) {
      ++inserted_;
      const jobs::NewJob job{.kind = "noop"};
      const auto stored = co_await database_.jobs().Insert(job);
      if (!stored) throw std::runtime_error(stored.error().detail);
    }
    if (--inserting_ == 0) handled_all_.Raise();
  }

  Task<void> Fill() {
    TaskGroup group(loop_.get_executor());
    inserting_ = kInserters;
    for (int i = 0; i < kInserters; ++i) group.Spawn("bench.insert", [this] { return Insert(); });
    while (inserting_ > 0) co_await handled_all_.Wait(std::chrono::seconds(60));
    co_await group.Stop();
  }

  Task<std::vector<double>> Latencies() {
    std::vector<double> waits;
    for (int i = 0; i < kSamples; ++i) {
      expected_ = handled_ + 1;
      const auto began = Steady::now();
      const jobs::NewJob job{.kind = "noop"};
      (void)co_await database_.jobs().Insert(job);
      while (handled_ < expected_) co_await handled_all_.Wait(std::chrono::seconds(10));
      waits.push_back(Seconds(last_start_ - began) * 1000);
      co_await SleepFor(std::chrono::milliseconds(2));
    }
    co_return waits;
  }

  boost::asio::io_context& loop_;
  storage::Database& database_;
  SystemClock clock_;
  const int count_;
  int inserted_ = 0;
  int inserting_ = 0;
  int handled_ = 0;
  int expected_ = 0;
  Steady::time_point last_start_;
  Signal handled_all_;
};

}  // namespace

int main(int argc, char** argv) {
  int count = 0;
  const std::string_view number = argc == 3 ? argv[2] : "";
  if (std::from_chars(number.data(), number.data() + number.size(), count).ec != std::errc() || count < 1) {
    fmt::print(stderr, "usage: bench_queue DATABASE_URL COUNT\n");
    return 2;
  }
  boost::asio::io_context loop;
  const SystemClock clock;
  auto database = storage::Database::Open({.url = argv[1]}, loop.get_executor(), clock);
  if (!database) {
    fmt::print(stderr, "{}\n", database.error().detail);
    return 1;
  }
  Bench bench(loop, **database, count);
  std::exception_ptr failure;
  const auto ended = [&](std::exception_ptr thrown) {
    failure = std::move(thrown);
    loop.stop();
  };
  boost::asio::co_spawn(loop, bench.Run(), ended);
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return 0;
}
