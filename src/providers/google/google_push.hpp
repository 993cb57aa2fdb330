#pragma once

#include <functional>
#include <string>
#include <vector>

#include "providers/google/google_client.hpp"
#include "push/push_provider.hpp"

namespace latchkey::google {

struct PushSettings {
  /// "projects/NAME/topics/NAME"; empty: no push for mail.
  std::string topic;
  /// Where Calendar's notifications go, https (or loopback for a stand-in); empty: no push for calendars.
  std::string calendar_webhook;
};

/// Push from Google: one watch of Gmail per mailbox, delivered over the operator's Pub/Sub topic, and one channel per
/// calendar. Neither can be extended: Gmail's is made again daily (that is also its sign of life), a calendar's is
/// replaced by a new one. Loop thread only.
class GooglePush final : public push::PushProvider {
 public:
  /// The provider's ids of the calendars that an account syncs.
  using SelectedCalendars = std::function<Task<Result<std::vector<std::string>>>(const ConnectedAccountId&)>;
  /// Everything named outlives it.
  GooglePush(GoogleParts mail, GoogleParts calendar, PushSettings settings, SelectedCalendars calendars);

  Task<Result<std::vector<Watch>>> Wanted(const connected_accounts::ConnectedAccount& account) override;
  Task<Result<Granted>> Create(const push::Channel& channel, const SecretString& secret) override;
  Task<Result<Granted>> Renew(const push::Channel& channel) override;
  Task<Result<void>> Stop(const push::Channel& channel) override;
  bool HasSecret(push::Service service) const override { return service == push::Service::kCalendar; }
  bool IsShared(push::Service service) const override { return service == push::Service::kMail; }
  std::chrono::seconds Ahead(push::Service service) const override;

 private:
  Task<Result<Granted>> WatchMailbox(const ConnectedAccountId& account);
  Task<Result<Granted>> WatchCalendar(const push::Channel& channel, const SecretString& secret);

  GoogleParts mail_, calendar_;
  PushSettings settings_;
  SelectedCalendars calendars_;
};

/// The answers of Gmail's watch and Calendar's watch: both say until when, in milliseconds as text. kMalformedReply.
Result<push::PushProvider::Granted> ParseWatchAnswer(std::string_view json);

}  // namespace latchkey::google
