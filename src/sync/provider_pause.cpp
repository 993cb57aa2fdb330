#include "sync/provider_pause.hpp"

#include <algorithm>

#include "telemetry/log.hpp"

namespace latchkey::sync {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookAgain = std::chrono::seconds(1);
constexpr milliseconds kLongest = std::chrono::hours(24);
/// Accounts remembered; all are forgotten when there are more, and read again.
constexpr std::size_t kMaxKnown = 10'000;

void Prolong(std::map<std::string, Instant, std::less<>>& until, std::string_view service, Instant end) {
  const auto [it, added] = until.try_emplace(std::string(service), end);
  if (!added) it->second = std::max(it->second, end);
}

}  // namespace

ProviderPauses::Known& ProviderPauses::Find(const ConnectedAccountId& account) {
  if (known_.size() >= kMaxKnown && !known_.contains(account.text())) known_.clear();
  return known_[account.text()];
}

Task<milliseconds> ProviderPauses::Remaining(const ConnectedAccountId& account, std::string_view service) {
  Instant now = clock_.Now();
  const auto fresh = [&] {
    const auto it = known_.find(account.text());
    return it != known_.end() && now >= it->second.read_at && now < it->second.read_at + kLookAgain;
  };
  if (!fresh()) {
    const auto rows = co_await store_.ListPauses(account);
    now = clock_.Now();
    Known& known = Find(account);
    if (rows) {
      known.read_at = now;
      std::erase_if(known.until, [&](const auto& entry) { return entry.second <= now; });
      for (const Pause& pause : *rows) {
        if (pause.until > now) Prolong(known.until, pause.service, pause.until);
      }
    } else {
      log::Warn("sync.pauses_not_read", {{"account_id", account}, {"error_code", ToString(rows.error().code)}});
    }
  }
  const Known& known = Find(account);
  const auto it = known.until.find(service);
  if (it == known.until.end() || it->second <= now) co_return milliseconds(0);
  co_return std::min(kLongest, std::chrono::ceil<milliseconds>(it->second - now));
}

Task<void> ProviderPauses::Hold(const ConnectedAccountId& account, std::string_view service, milliseconds wait) {
  if (wait <= milliseconds(0)) co_return;
  const Pause pause{
      .account_id = account, .service = std::string(service), .until = clock_.Now() + std::min(wait, kLongest)};
  // At once: calls in flight beside this one must not start another.
  Prolong(Find(account).until, service, pause.until);
  const auto kept = co_await store_.KeepPause(pause);
  if (!kept) log::Warn("sync.pause_not_stored", {{"account_id", account}, {"error_code", ToString(kept.error().code)}});
}

}  // namespace latchkey::sync
