#include "push/hints.hpp"

#include "async/timer.hpp"
#include "telemetry/log.hpp"

namespace latchkey::push {
namespace {

constexpr std::string_view kFetchCalendar = "fetch_calendar";

std::string_view KindOf(Service service) { return service == Service::kMail ? jobs::kFetchEmails : kFetchCalendar; }

}  // namespace

std::string_view ToString(Service service) { return service == Service::kMail ? "mail" : "calendar"; }

Hints::Hints(Executor executor, jobs::JobStore& jobs, const Clock& clock, HintOptions options)
    : jobs_(jobs), clock_(clock), options_(options), group_(std::move(executor)) {}

void Hints::Hint(const Channel& channel) {
  if (channel.service == Service::kMail) {
    if (proofs_.size() >= options_.max_remembered) proofs_.clear();
    proofs_[channel.account_id] = {.heard_at = clock_.Now(), .heard_since_poll = true, .holds = true};
  }
  const Key key{channel.account_id, channel.service};
  if (const auto found = pending_.find(key); found != pending_.end()) {
    found->second = true;
    return;
  }
  if (pending_.size() >= options_.max_pending) return;
  pending_.emplace(key, false);
  const std::int64_t generation = channel.generation;
  const bool started = group_.Spawn("push.wake", [this, key, generation] { return Wake(key, generation); });
  if (!started) pending_.erase(key);
}

Task<void> Hints::Wake(Key key, std::int64_t generation) {
  struct Leave {
    Hints& hints;
    const Key& key;
    ~Leave() { hints.pending_.erase(key); }
  } leave{*this, key};
  const std::string kind(KindOf(key.second));
  const jobs::NewJob live{.kind = kind,
                          .priority = jobs::Priority::kLive,
                          .unique_key = jobs::AccountKey(kind, key.first),
                          .account_id = key.first,
                          .generation = generation};
  do {
    pending_[key] = false;
    const auto queued = co_await jobs_.Insert(live);
    if (!queued) {
      // Polling closes the gap.
      log::Warn("push.hint_lost", {{"account_id", key.first}, {"error_code", ToString(queued.error().code)}});
    }
    co_await SleepFor(options_.gap);
  } while (pending_[key]);
}

bool Hints::Proven(const ConnectedAccountId& account) const {
  const auto found = proofs_.find(account);
  return found != proofs_.end() && found->second.holds && clock_.Now() - found->second.heard_at < options_.proof_lasts;
}

std::chrono::milliseconds Hints::NextPoll(const ConnectedAccountId& account, std::chrono::milliseconds usual,
                                          bool found_changes) {
  const auto found = proofs_.find(account);
  if (found == proofs_.end()) return usual;
  Proof& proof = found->second;
  // Polling was first: push is late or silent, and not relied on until it is heard of again.
  if (found_changes && !proof.heard_since_poll) proof.holds = false;
  proof.heard_since_poll = false;
  return Proven(account) ? usual * options_.slower_by : usual;
}

}  // namespace latchkey::push
