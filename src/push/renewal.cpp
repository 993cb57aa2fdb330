#include "push/renewal.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "async/deadline.hpp"
#include "base/id.hpp"
#include "base/random.hpp"
#include "crypto/hash.hpp"
#include "telemetry/log.hpp"

namespace latchkey::push {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

/// A channel whose creation has no answer by now: the process died in between.
constexpr minutes kLongestCreate{5};
/// Somebody looks at least this often, whatever the channels say.
constexpr hours kLongestPause{12};
constexpr minutes kAfterFailure{15};
constexpr minutes kShortestPause{1};

}  // namespace

struct Renewal::RunState {
  connected_accounts::ConnectedAccount account;
  PushProvider& provider;
  std::vector<Channel> channels;
  Instant now{};
  Instant next{};

  void LookBy(Instant at) { next = std::min(next, std::max(at, now + kShortestPause)); }
};

Task<jobs::Outcome> Renewal::Run(const jobs::Job& job) {
  auto account = co_await parts_.accounts.GetForWork(job.account_id);
  if (!account) {
    if (account.error().code == ErrorCode::kNotFound) co_return jobs::Outcome::Completed();
    co_return jobs::Outcome::Retry(std::move(account.error()));
  }
  PushProvider* provider = parts_.providers.Find(account->provider);
  if (provider == nullptr || account->generation != job.generation) co_return jobs::Outcome::Completed();
  auto channels = co_await parts_.store.List(job.account_id);
  if (!channels) co_return jobs::Outcome::Retry(std::move(channels.error()));

  const Instant now = parts_.clock.Now();
  RunState run{.account = std::move(*account),
               .provider = *provider,
               .channels = std::move(*channels),
               .now = now,
               .next = now + kLongestPause};
  std::vector<PushProvider::Watch> wanted;
  const bool may_work = !run.account.paused && !run.account.disconnecting;
  if (may_work) {
    auto asked = co_await provider->Wanted(run.account);
    if (!asked) co_return jobs::Outcome::Retry(std::move(asked.error()));
    wanted = std::move(*asked);
  }
  // Made by a process that did not live to see the answer: the provider may notify about a channel that nobody knows,
  // which is ignored until it ends by itself.
  for (const Channel& channel : run.channels) {
    if (channel.state != Channel::State::kCreating || now - channel.created_at < kLongestCreate) continue;
    auto removed = co_await parts_.store.Remove(channel.id);
    if (!removed) co_return jobs::Outcome::Retry(std::move(removed.error()));
  }
  std::erase_if(run.channels, [](const Channel& channel) { return channel.state == Channel::State::kCreating; });

  for (const PushProvider::Watch& watch : wanted) co_await Keep(run, watch);
  for (const Channel& channel : run.channels) {
    const PushProvider::Watch watched{.service = channel.service, .resource = channel.resource};
    if (std::ranges::find(wanted, watched) == wanted.end()) co_await Stop(run, channel);
  }
  auto again = co_await parts_.store.Rest(job.account_id, now, run.next);
  if (!again) co_return jobs::Outcome::Retry(std::move(again.error()));
  co_return jobs::Outcome::Completed();
}

Task<void> Renewal::Keep(RunState& run, const PushProvider::Watch& watch) {
  // The one that lasts longest stays; others of the same thing are left over from a replacement that was interrupted.
  const Channel* best = nullptr;
  std::vector<const Channel*> superfluous;
  for (const Channel& channel : run.channels) {
    if (channel.service != watch.service || channel.resource != watch.resource) continue;
    if (best == nullptr || channel.expires_at > best->expires_at) {
      if (best != nullptr) superfluous.push_back(best);
      best = &channel;
    } else {
      superfluous.push_back(&channel);
    }
  }
  for (const Channel* channel : superfluous) co_await Stop(run, *channel);

  const auto ahead = run.provider.Ahead(watch.service);
  Result<void> kept;
  if (best != nullptr && best->expires_at && *best->expires_at - ahead > run.now) {
    const auto known = co_await run.provider.Check(*best);
    // Whatever else went wrong says nothing of the channel.
    if (known || known.error().code != ErrorCode::kGone) {
      run.LookBy(*best->expires_at - ahead);
      co_return;
    }
    kept = co_await parts_.store.Remove(best->id);
    if (kept) best = nullptr;
  }
  if (!kept) {
    // Tried again below.
  } else if (best == nullptr) {
    kept = co_await Create(run, watch);
  } else {
    auto renewed = co_await run.provider.Renew(*best);
    if (renewed) {
      kept = co_await parts_.store.Activate(best->id, renewed->external_id, renewed->expires_at);
      run.LookBy(renewed->expires_at - ahead);
    } else if (renewed.error().code == ErrorCode::kGone || renewed.error().code == ErrorCode::kConflict) {
      // The new one first, so that nothing goes unheard in between.
      kept = co_await Create(run, watch);
      if (kept && renewed.error().code == ErrorCode::kConflict) {
        co_await Stop(run, *best);
      } else if (kept) {
        kept = co_await parts_.store.Remove(best->id);
      }
    } else {
      kept = Fail(std::move(renewed.error()));
    }
  }
  if (kept) co_return;
  const auto pause = std::max<milliseconds>(kept.error().retry_after.value_or(kAfterFailure), kShortestPause);
  run.LookBy(run.now + pause);
  log::Warn("push.not_kept", {{"account_id", run.account.id},
                              {"provider", run.account.provider},
                              {"service", ToString(watch.service)},
                              {"error_code", ToString(kept.error().code)},
                              {"detail", kept.error().detail}});
}

Task<Result<void>> Renewal::Create(RunState& run, const PushProvider::Watch& watch) {
  Channel channel;
  channel.id = NewUuid(run.now);
  channel.account_id = run.account.id;
  channel.service = watch.service;
  channel.resource = watch.resource;
  channel.created_at = parts_.clock.Now();
  channel.provider = run.account.provider;
  channel.generation = run.account.generation;
  SecretString secret;
  if (run.provider.HasSecret(watch.service)) {
    secret = SecretString(RandomToken());
    channel.secret_hash = crypto::Sha256Hex(secret.Reveal());
  }
  // Before the call: the provider may validate our address, and even notify, before it answers.
  auto inserted = co_await parts_.store.Insert(channel);
  if (!inserted) co_return inserted;
  auto granted = co_await run.provider.Create(channel, secret);
  if (!granted) {
    auto removed = co_await parts_.store.Remove(channel.id);
    if (!removed) log::Warn("push.row_left", {{"error_code", ToString(removed.error().code)}});
    co_return Fail(std::move(granted.error()));
  }
  auto active = co_await parts_.store.Activate(channel.id, granted->external_id, granted->expires_at);
  if (!active) {
    // The account went meanwhile; what was made at the provider is not left behind.
    channel.external_id = granted->external_id;
    auto stopped = co_await run.provider.Stop(channel);
    if (!stopped) log::Info("push.left_to_expire", {{"error_code", ToString(stopped.error().code)}});
    co_return active;
  }
  run.LookBy(granted->expires_at - run.provider.Ahead(watch.service));
  co_return Result<void>();
}

Task<void> Renewal::Stop(RunState& run, const Channel& channel) {
  bool shared = false;
  if (run.provider.IsShared(channel.service)) {
    auto others = co_await parts_.store.FindByResource(channel.provider, channel.service, channel.resource);
    shared = !others || std::ranges::any_of(*others, [&](const Channel& other) { return other.id != channel.id; });
  }
  const bool expired = channel.expires_at && *channel.expires_at <= run.now;
  if (!shared && !expired) {
    auto stopped = co_await run.provider.Stop(channel);
    if (!stopped && OwnerOf(stopped.error().code) == FaultOwner::kProvider) {
      run.LookBy(run.now + kAfterFailure);
      co_return;
    }
  }
  // Refused for good, or stopped: it is of no use to us either way.
  auto removed = co_await parts_.store.Remove(channel.id);
  if (!removed && removed.error().code != ErrorCode::kNotFound) run.LookBy(run.now + kAfterFailure);
}

Task<void> Renewal::StopAll(const ConnectedAccountId& account, std::chrono::milliseconds patience) {
  auto found = co_await parts_.accounts.GetForWork(account);
  if (!found) co_return;
  PushProvider* provider = parts_.providers.Find(found->provider);
  auto channels = co_await parts_.store.List(account);
  if (provider == nullptr || !channels || channels->empty()) co_return;
  const Instant now = parts_.clock.Now();
  RunState run{.account = std::move(*found),
               .provider = *provider,
               .channels = std::move(*channels),
               .now = now,
               .next = now + kLongestPause};
  auto all = [&]() -> Task<void> {
    for (const Channel& channel : run.channels) co_await Stop(run, channel);
  };
  auto stopping = all();
  const bool in_time = co_await RunWithTimeout(std::move(stopping), patience);
  if (!in_time) log::Info("push.left_to_expire", {{"account_id", account}});
}

}  // namespace latchkey::push
