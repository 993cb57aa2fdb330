#pragma once

#include "simulator/gmail/api.hpp"
#include "simulator/mail_service.hpp"

namespace latchkey::simulator {

/// The Gmail API and the control verbs over all mailboxes. Loop thread only.
class GmailService final : public MailService {
 public:
  GmailService(const Clock& clock, const AccountRegistry& accounts, std::uint64_t seed)
      : state_(clock, accounts, seed) {}

  Response Handle(Request& request, const Grant& grant) override;
  void SetPartGate(PartGate gate) override { gate_ = std::move(gate); }
  void SetForward(Forward forward) override { state_.forward = std::move(forward); }

  Outcome<std::size_t> Import(const Account& account, const std::string& file) override;
  Outcome<std::size_t> ImportSample(const Account& account, Instant now) override;

  Outcome<boost::json::object> Deliver(const Account& account, IncomingMessage message) override;
  Outcome<void> ModifyLabels(const Account& account, std::string_view message_id, const std::vector<std::string>& add,
                             const std::vector<std::string>& remove) override;
  Outcome<void> Delete(const Account& account, std::string_view message_id) override;
  void ExpireHistory(const Account& account) override;
  boost::json::object Describe(const Account& account, const MailboxQuery& query) const override;

  void EnforceQuota(bool enforce) override { state_.quota.Enforce(enforce); }
  boost::json::object QuotaCounters() const override;
  void SetListQuirks(ListQuirks quirks) override { state_.quirks = quirks; }
  void ResetCounters() override { state_.quota.Reset(); }
  void SetDispatch(Schedule& schedule, SentLog& sent) override {
    state_.schedule = &schedule;
    state_.sent = &sent;
  }
  void PlanSend(const SendPlan& plan) override { state_.send_plan = plan; }
  void OnPubSubMessage(std::function<void(const boost::json::object&)> listener) override {
    state_.watches.OnMessage(std::move(listener));
  }
  boost::json::array PubSubMessages(bool clear) override { return state_.watches.Messages(clear); }

 private:
  Response HandleOne(Request& request, const Grant& grant);
  Response HandleBatch(Request& request, const Grant& grant);
  /// Ids as they are, other texts as names of user labels, made when they are new.
  LabelSet LabelsForControl(Mailbox& mailbox, const std::vector<std::string>& labels);

  /// Mailboxes and counters are made on first look, so that even asking needs a mutable state.
  mutable ApiState state_;
  PartGate gate_;
};

}  // namespace latchkey::simulator
