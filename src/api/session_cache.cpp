#include "api/session_cache.hpp"

#include "crypto/hash.hpp"

namespace latchkey::api {
namespace {

constexpr std::chrono::seconds kLifetime{2};
constexpr std::size_t kMaxEntries = 10'000;

}  // namespace

Task<Result<SessionCache::Current>> SessionCache::Authenticate(const SecretString& cookie_value) {
  auto key = crypto::Sha256(cookie_value.Reveal());
  const auto now = clock_.Now();
  if (const auto found = entries_.find(key); found != entries_.end()) {
    if (now < found->second.until) co_return found->second.current;
    entries_.erase(found);
  }
  const auto epoch = epoch_;
  auto current = co_await sessions_.Authenticate(cookie_value);
  if (!current) co_return Fail(current.error());
  auto shared = std::make_shared<const identity::Sessions::Current>(std::move(*current));
  if (epoch == epoch_) {
    if (entries_.size() >= kMaxEntries) entries_.clear();
    entries_[std::move(key)] = {shared, std::min(now + kLifetime, shared->session.expires_at)};
  }
  co_return shared;
}

void SessionCache::Forget(const SessionId& session) {
  ++epoch_;
  std::erase_if(entries_, [&](const auto& entry) { return entry.second.current->session.id == session; });
}

void SessionCache::ForgetUser(const UserId& user) {
  ++epoch_;
  std::erase_if(entries_, [&](const auto& entry) { return entry.second.current->user.id == user; });
}

}  // namespace latchkey::api
