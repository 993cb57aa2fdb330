#include "limits/redis_limiter.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <random>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "async/timer.hpp"
#include "base/encoding.hpp"
#include "base/random.hpp"
#include "crypto/hash.hpp"
#include "limits/take_script.hpp"
#include "telemetry/log.hpp"

namespace latchkey::limits {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view kProcessesKey = "latchkey:processes:";
constexpr std::string_view kBucketKey = "latchkey:limit:";
/// Of a process that has never heard how many others there are. Whoever sets up a Redis has more than one.
constexpr double kUnknownShare = 0.5;

/// EVALSHA names a script by its SHA-1; nothing secret depends on it.
std::string Sha1Hex(std::string_view text) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return HexEncode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

/// Processes that lost Redis together do not come back in the same instant.
milliseconds Jittered(milliseconds pause) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  std::uniform_int_distribution<std::int64_t> around(pause.count() * 3 / 4, pause.count() * 5 / 4);
  return milliseconds(around(random));
}

}  // namespace

RedisLimiter::RedisLimiter(const Executor& executor, RedisAddress address, const Clock& clock,
                           metrics::Registry& metrics, Options options)
    : address_(std::move(address)),
      options_(std::move(options)),
      process_id_(RandomToken(12)),
      script_sha_(Sha1Hex(TakeScript())),
      memory_(clock),
      tasks_(executor),
      changed_(executor),
      metrics_(metrics),
      shared_gauge_(metrics.GetGauge("latchkey_limits_shared",
                                     "1 while rate limits are shared over Redis, 0 while this process is on its own")),
      shared_draws_(metrics.GetCounter("latchkey_limit_draws_total", "Decisions of rate limits by where they were made",
                                       {{"kept_in", "redis"}})),
      own_draws_(metrics.GetCounter("latchkey_limit_draws_total", "Decisions of rate limits by where they were made",
                                    {{"kept_in", "memory"}})) {}

RedisLimiter::~RedisLimiter() = default;

void RedisLimiter::Start() {
  tasks_.Spawn("redis.limits", [this] { return KeepConnected(); });
}

Task<void> RedisLimiter::Stop() {
  co_await tasks_.Stop();
  // Whoever still waits for it is answered from memory.
  if (connection_) connection_->Close(RedisFault::kClosed);
}

Sharing RedisLimiter::sharing() const {
  if (connection_ && connection_->open()) return {.state = Sharing::State::kShared};
  const RedisFault fault = connection_ ? connection_->fault() : fault_;
  return {.state = Sharing::State::kLost, .reason = ToString(fault), .remedy = RemedyOf(fault)};
}

double RedisLimiter::OwnShare() const { return processes_ ? 1.0 / std::max(1, *processes_) : kUnknownShare; }

std::string RedisLimiter::KeyOf(std::string_view name, std::string_view key) const {
  // Half of the digest is plenty for telling keys apart; the name shows an operator what a key is for.
  const std::string mark = crypto::HmacSha256(options_.key_secret.Reveal(), fmt::format("{}\n{}", name, key));
  return fmt::format("{}{}:{}", kBucketKey, name, Base64UrlEncode(std::string_view(mark).substr(0, 16)));
}

std::string RedisLimiter::ProcessesKey() const {
  const std::string mark = crypto::HmacSha256(options_.key_secret.Reveal(), "processes");
  return std::string(kProcessesKey) + Base64UrlEncode(std::string_view(mark).substr(0, 16));
}

std::string RedisLimiter::ForgottenAfterArgument() const {
  return std::to_string(microseconds(options_.forgotten_after).count());
}

std::string RedisLimiter::ClockArgument() const {
  return options_.server_clock == nullptr ? std::string() : std::to_string(ToMicros(options_.server_clock->Now()));
}

Task<microseconds> RedisLimiter::Take(std::span<const Draw> draws) {
  if (draws.empty()) co_return microseconds(0);
  const auto connection = connection_;
  if (connection && connection->open()) {
    std::vector<std::string> keys, arguments;
    keys.reserve(draws.size());
    arguments.reserve(2 + 6 * draws.size());
    arguments.emplace_back("take");
    arguments.push_back(ClockArgument());
    for (const Draw& draw : draws) {
      keys.push_back(KeyOf(draw.name, draw.key));
      const Rate& rate = draw.rate;
      for (const double number :
           {rate.per_minute, rate.burst, rate.surplus_per_minute, rate.minute_limit, draw.units, draw.reserve}) {
        arguments.push_back(fmt::format("{}", number));
      }
    }
    const auto wait = co_await Run(*connection, keys, arguments);
    if (wait) {
      shared_draws_.Add();
      if (*wait <= 0) memory_.Charge(draws, OwnShare());
      co_return microseconds(std::max<std::int64_t>(0, *wait));
    }
    // Too many at once is no failure of Redis: those before this one will be answered.
    if (wait.error() != RedisFault::kBusy) connection->Close(wait.error());
  }
  own_draws_.Add();
  co_return memory_.TakeNow(draws, OwnShare());
}

Task<std::optional<std::int64_t>> RedisLimiter::RunShared(std::string_view name, std::string_view key,
                                                          std::span<const std::string> arguments) {
  const auto connection = connection_;
  if (!connection || !connection->open()) co_return std::nullopt;
  const std::array<std::string, 2> keys = {KeyOf(name, key), ProcessesKey()};
  const auto number = co_await Run(*connection, keys, arguments);
  if (number) co_return *number;
  if (number.error() != RedisFault::kBusy) connection->Close(number.error());
  co_return std::nullopt;
}

Task<RedisLimiter::Outcome<std::int64_t>> RedisLimiter::Run(RedisConnection& connection,
                                                            std::span<const std::string> keys,
                                                            std::span<const std::string> arguments) {
  std::vector<std::string_view> words;
  words.reserve(3 + keys.size() + arguments.size());
  const std::string key_count = std::to_string(keys.size());
  words.assign({"EVALSHA", script_sha_, key_count});
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  auto reply = co_await connection.Call(words);
  if (reply && reply->kind == RedisReply::Kind::kError && reply->text.starts_with("NOSCRIPT")) {
    // A server that was started again or told to forget: the text goes once more, and is remembered.
    words[0] = "EVAL";
    words[1] = TakeScript();
    reply = co_await connection.Call(words);
  }
  if (!reply) co_return std::unexpected(reply.error());
  if (reply->kind == RedisReply::Kind::kNumber) co_return reply->number;
  if (reply->kind != RedisReply::Kind::kError) co_return std::unexpected(RedisFault::kNotRedis);
  refusal_ = reply->text.substr(0, std::min<std::size_t>(reply->text.find(' '), 24));
  co_return std::unexpected(FaultOfReply(reply->text));
}

Task<RedisLimiter::Outcome<void>> RedisLimiter::Join(RedisConnection& connection) {
  const std::array<std::string, 1> keys = {ProcessesKey()};
  const std::array<std::string, 5> arguments = {"join", ClockArgument(), process_id_, ForgottenAfterArgument(),
                                                process_id_before_};
  const auto count = co_await Run(connection, keys, arguments);
  if (!count) co_return std::unexpected(count.error());
  processes_ = static_cast<int>(std::clamp<std::int64_t>(*count, 1, 10'000));
  co_return Outcome<void>();
}

Task<void> RedisLimiter::KeepConnected() {
  milliseconds pause = options_.first_pause;
  for (;;) {
    const auto began = steady_clock::now();
    const auto ended = co_await Serve();
    SetLost(ended.error());
    if (steady_clock::now() - began >= options_.lasting) pause = options_.first_pause;
    co_await SleepFor(Jittered(pause));
    pause = std::min(pause * 2, options_.longest_pause);
  }
}

Task<RedisLimiter::Outcome<void>> RedisLimiter::Serve() {
  const auto opened = co_await RedisConnection::Open(tasks_, address_, options_.connection);
  if (!opened) co_return std::unexpected(opened.error());
  const auto connection = *opened;
  process_id_before_ = std::exchange(process_id_, RandomToken(12));
  // It writes: a server that is full or read-only is found before anybody relies on it.
  const auto joined = co_await Join(*connection);
  if (!joined) {
    connection->Close(joined.error());
    co_return joined;
  }
  SetShared(connection);
  while (connection->open()) {
    co_await connection->closed().Wait(options_.heartbeat);
    if (!connection->open()) break;
    const auto still = co_await Join(*connection);
    // Busy is alive: the next heartbeat will do.
    if (!still && still.error() != RedisFault::kBusy) connection->Close(still.error());
  }
  co_return std::unexpected(connection->fault());
}

void RedisLimiter::SetShared(std::shared_ptr<RedisConnection> connection) {
  connection_ = std::move(connection);
  shared_gauge_.Set(1);
  log::Info("limits.shared", {{"redis", address_.Display()}, {"processes", processes_.value_or(1)}});
  changed_.Raise();
}

void RedisLimiter::SetLost(RedisFault fault) {
  const bool told = !connection_ && fault == fault_;
  const bool refused = fault == RedisFault::kRefused;
  connection_.reset();
  fault_ = fault;
  shared_gauge_.Set(0);
  metrics_
      .GetCounter("latchkey_redis_failures_total", "Why the connection to Redis ended or did not come about",
                  {{"reason", std::string(ToString(fault))}})
      .Add();
  if (told) return;
  log::Warn("limits.not_shared", {{"redis", address_.Display()},
                                  {"reason", ToString(fault)},
                                  {"answer", refused ? refusal_ : std::string()},
                                  {"share", OwnShare()},
                                  {"remedy", RemedyOf(fault)}});
  changed_.Raise();
}

}  // namespace latchkey::limits
