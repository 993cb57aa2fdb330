#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/secret.hpp"
#include "connected_accounts/account.hpp"
#include "push/push_store.hpp"

namespace latchkey::push {

/// One provider's way of telling us of changes. Calls translate every vendor error into an ErrorCode. Loop thread only.
class PushProvider {
 public:
  virtual ~PushProvider() = default;

  struct Watch {
    Service service = Service::kMail;
    std::string resource;
    friend bool operator==(const Watch&, const Watch&) = default;
  };
  /// What should be watched for this account now, by what it granted and what the person chose.
  virtual Task<Result<std::vector<Watch>>> Wanted(const connected_accounts::ConnectedAccount& account) = 0;

  struct Granted {
    std::string external_id;
    Instant expires_at{};
  };
  /// Asks for notifications. `secret` is empty where HasSecret() is false. The provider may call our webhook while this
  /// is at work (Graph does).
  virtual Task<Result<Granted>> Create(const Channel& channel, const SecretString& secret) = 0;
  /// Extends an active channel in place. kGone: the provider no longer knows it, create another. kConflict where a
  /// channel of this kind cannot be extended: create another one first, then stop this.
  virtual Task<Result<Granted>> Renew(const Channel& channel) = 0;
  /// Whether the provider still has an active channel, where it can be asked. kGone: it does not (consent taken back
  /// ends channels without a word), create another.
  virtual Task<Result<void>> Check(const Channel& channel) {
    (void)channel;
    co_return Result<void>();
  }
  /// Success also when it is gone already.
  virtual Task<Result<void>> Stop(const Channel& channel) = 0;

  /// Whether notifications carry a secret of ours.
  virtual bool HasSecret(Service service) const = 0;
  /// One watch for all who connected the same resource (Gmail): stopping it would stop theirs.
  virtual bool IsShared(Service service) const = 0;
  /// How long before its end a channel is renewed.
  virtual std::chrono::seconds Ahead(Service service) const = 0;
};

/// By the provider's name. Filled at start, constant afterwards; a provider that is not there has no push.
class PushProviders {
 public:
  void Add(std::string name, PushProvider& provider) { providers_.insert_or_assign(std::move(name), &provider); }
  PushProvider* Find(std::string_view name) const {
    const auto found = providers_.find(name);
    return found == providers_.end() ? nullptr : found->second;
  }
  bool empty() const { return providers_.empty(); }

 private:
  std::map<std::string, PushProvider*, std::less<>> providers_;
};

}  // namespace latchkey::push
