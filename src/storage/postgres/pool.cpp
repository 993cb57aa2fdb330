#include "storage/postgres/pool.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "storage/postgres/worker.hpp"
#include "telemetry/log.hpp"

namespace latchkey::storage::postgres {
namespace {

using Clock = std::chrono::steady_clock;

/// How often those who wait are looked at: deadlines are kept this exactly.
constexpr std::chrono::milliseconds kTick(100);
constexpr int kKeptConnections = 2;

std::size_t Index(Pool::Kind kind) { return kind == Pool::Kind::kRead ? 0 : 1; }

}  // namespace

Pool::Pool(Loop& loop, Address address, PoolOptions options, std::function<void(Wakes)> committed)
    : loop_(loop),
      address_(std::move(address)),
      options_(options),
      committed_(std::move(committed)),
      tick_(loop.context) {
  const int connections = std::max(options_.connections, 2);
  for (int i = 0; i < connections; ++i) workers_.push_back(std::make_unique<Worker>(*this, i != 1, i != 0));
  boost::asio::post(loop_.context, [this] {
    for (auto& worker : workers_) worker->Start();
  });
}

Pool::~Pool() = default;

void Pool::Enqueue(Kind kind, std::unique_ptr<Unit> unit) {
  const std::size_t limit = kind == Kind::kRead ? options_.read_queue : options_.write_queue;
  if (queued_[Index(kind)].fetch_add(1) >= limit) {
    queued_[Index(kind)].fetch_sub(1);
    unit->Refuse(Error{.code = ErrorCode::kOverloaded,
                       .detail = kind == Kind::kRead ? "too many reads wait" : "too many writes wait",
                       .retry_after = {}});
    unit->Finish();
    return;
  }
  const auto now = Clock::now();
  Job job{.unit = std::move(unit),
          .kind = kind,
          .since = now,
          .deadline = now + (kind == Kind::kRead ? options_.read_deadline : options_.write_deadline)};
  boost::asio::post(loop_.context, [this, job = std::move(job)]() mutable { Accept(std::move(job)); });
}

void Pool::Accept(Job job) {
  const Kind kind = job.kind;
  if (kind == Kind::kWrite) ++open_writes_;
  if (loop_.stopping) {
    queued_[Index(kind)].fetch_sub(1);
    job.unit->Refuse(
        Error{.code = ErrorCode::kStorageUnavailable, .detail = "the program is stopping", .retry_after = {}});
    job.unit->Finish();
    Ended(job);
    return;
  }
  queues_[Index(kind)].push_back(std::move(job));
  ArmTick();
  WakeFor(kind);
}

std::optional<Pool::Job> Pool::Next(Worker& worker) {
  for (;;) {
    if (loop_.stopping) return std::nullopt;
    if (auto job = Pick(worker)) return job;
    idle_.push_back(&worker);
    const bool woken = worker.sleeper().SleepUntil(Clock::now() + options_.idle);
    std::erase(idle_, &worker);
    if (woken) continue;
    const auto connected = std::ranges::count_if(workers_, [](const auto& other) { return other->connected(); });
    if (connected > kKeptConnections) worker.Disconnect();
  }
}

std::optional<Pool::Job> Pool::Pick(const Worker& worker) {
  // In turns, so that neither kind holds up the other.
  const std::array<Kind, 2> order =
      writes_first_ ? std::array{Kind::kWrite, Kind::kRead} : std::array{Kind::kRead, Kind::kWrite};
  for (const Kind kind : order) {
    auto& queue = queues_[Index(kind)];
    if (!worker.Takes(kind) || queue.empty()) continue;
    writes_first_ = kind == Kind::kRead;
    Job job = std::move(queue.front());
    queue.pop_front();
    queued_[Index(kind)].fetch_sub(1);
    return job;
  }
  return std::nullopt;
}

void Pool::WakeFor(Kind kind) {
  Worker* chosen = nullptr;
  // The one that was used last, of those that are connected: the others may go to rest.
  for (Worker* worker : idle_) {
    if (!worker->Takes(kind)) continue;
    if (!chosen || worker->connected() || !chosen->connected()) chosen = worker;
  }
  if (!chosen) return;
  std::erase(idle_, chosen);
  chosen->Wake();
}

void Pool::ArmTick() {
  if (ticking_ || loop_.stopping) return;
  ticking_ = true;
  tick_.expires_after(kTick);
  tick_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Tick();
  });
}

void Pool::Tick() {
  ticking_ = false;
  const auto now = Clock::now();
  for (auto& queue : queues_) RefuseLate(queue, now);
  if (std::ranges::any_of(queues_, [](const auto& queue) { return !queue.empty(); })) ArmTick();
}

void Pool::RefuseLate(std::deque<Job>& queue, TimePoint now) {
  // In order of arrival, and so of their deadlines.
  while (!queue.empty() && (loop_.stopping || now >= GiveUpAt(queue.front()))) {
    Job job = std::move(queue.front());
    queue.pop_front();
    queued_[Index(job.kind)].fetch_sub(1);
    Error error{
        .code = ErrorCode::kTimeout, .detail = "no connection to the database came free in time", .retry_after = {}};
    if (down_with_) error = *down_with_;
    if (loop_.stopping)
      error = {.code = ErrorCode::kStorageUnavailable, .detail = "the program is stopping", .retry_after = {}};
    job.unit->Refuse(std::move(error));
    job.unit->Finish();
    Ended(job);
  }
}

TimePoint Pool::GiveUpAt(const Job& job) const {
  return down_since_ ? std::min(job.deadline, std::max(job.since, *down_since_) + options_.patience) : job.deadline;
}

void Pool::NoteUp() {
  if (down_since_) log::Info("storage.database_back");
  down_since_.reset();
  down_with_.reset();
}

void Pool::NoteDown(const Error& error) {
  if (!down_since_) {
    down_since_ = Clock::now();
    log::Warn("storage.database_away", {{"code", ToString(error.code)}, {"detail", error.detail}});
  }
  down_with_ = error;
}

void Pool::NoteWrite(const std::optional<Error>& failure) {
  // What a body did wrong, or what stood in its way, says nothing of the database.
  const bool fault = failure && (failure->code == ErrorCode::kDiskFull || failure->code == ErrorCode::kTimeout ||
                                 failure->code == ErrorCode::kStorageUnavailable);
  if (failure && !fault) return;
  fault_.store(fault ? static_cast<int>(failure->code) : -1, std::memory_order_relaxed);
}

std::optional<ErrorCode> Pool::fault() const {
  const int code = fault_.load(std::memory_order_relaxed);
  return code < 0 ? std::nullopt : std::optional(static_cast<ErrorCode>(code));
}

void Pool::Ended(const Job& job) {
  if (job.kind != Kind::kWrite || --open_writes_ > 0) return;
  for (auto& done : std::exchange(drained_, {})) done();
}

void Pool::WhenWritten(std::function<void()> done) {
  if (open_writes_ == 0) return done();
  drained_.push_back(std::move(done));
}

void Pool::Stop() {
  loop_.stopping = true;
  tick_.cancel();
  for (auto& queue : queues_) RefuseLate(queue, Clock::now());
  for (auto& worker : workers_) worker->Wake();
}

}  // namespace latchkey::storage::postgres
