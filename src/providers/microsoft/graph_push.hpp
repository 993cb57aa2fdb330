#pragma once

#include <string>
#include <vector>

#include "providers/microsoft/graph_client.hpp"
#include "push/push_provider.hpp"

namespace latchkey::microsoft {

/// Push from Microsoft: one subscription for the mailbox and one for the calendars of an account, extended ahead of
/// their end. Loop thread only.
class GraphPush final : public push::PushProvider {
 public:
  /// `webhook`: where notifications and lifecycle events go, https (or loopback for a stand-in); empty: no push.
  /// `clients` outlives it.
  GraphPush(GraphClients& clients, const Clock& clock, std::string webhook)
      : clients_(clients), clock_(clock), webhook_(std::move(webhook)) {}

  Task<Result<std::vector<Watch>>> Wanted(const connected_accounts::ConnectedAccount& account) override;
  Task<Result<Granted>> Create(const push::Channel& channel, const SecretString& secret) override;
  Task<Result<Granted>> Renew(const push::Channel& channel) override;
  Task<Result<void>> Check(const push::Channel& channel) override;
  Task<Result<void>> Stop(const push::Channel& channel) override;
  bool HasSecret(push::Service) const override { return true; }
  bool IsShared(push::Service) const override { return false; }
  std::chrono::seconds Ahead(push::Service) const override { return std::chrono::hours(24); }

 private:
  Instant WantedEnd() const;
  Task<Result<void>> RemoveLeftOver(GraphClient& client, push::Service service);

  GraphClients& clients_;
  const Clock& clock_;
  std::string webhook_;
};

/// The answer of POST and PATCH subscriptions. kMalformedReply.
Result<push::PushProvider::Granted> ParseSubscription(std::string_view json);

}  // namespace latchkey::microsoft
