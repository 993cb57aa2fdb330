#pragma once

#include <functional>
#include <memory>

#include "simulator/calendar/google_service.hpp"
#include "simulator/control/control_api.hpp"
#include "simulator/graph/graph_service.hpp"
#include "simulator/graph/mail_area.hpp"
#include "simulator/graph/subscriptions.hpp"
#include "simulator/graph_calendar/calendar_area.hpp"
#include "simulator/http/handler.hpp"
#include "simulator/outgoing.hpp"
#include "simulator/schedule.hpp"

namespace latchkey::simulator {

/// The whole simulator behind the transport: routes each request, checks its token, lets the faults decide, counts it.
/// Loop thread only. It must outlive every response it gave away.
class Application final : public Handler {
 public:
  /// `make_mail` gets clock, accounts and seed (MakeGmailService in the program, a double in tests).
  using MailFactory = std::function<std::unique_ptr<MailService>(const Clock&, const AccountRegistry&, std::uint64_t)>;

  Application(Settings settings, const MailFactory& make_mail);
  ~Application() override;

  /// Answers 500 and says so on standard error when something unexpected was thrown.
  Response Handle(Request& request) override;

  AccountRegistry& accounts() { return accounts_; }
  MailService& mail() { return *mail_; }
  graph::MailArea& graph_mail() { return graph_mail_; }
  GrantStore& grants() { return google_.grants(); }
  /// For areas to add their routes.
  graph::GraphService& graph() { return graph_; }
  graph::Subscriptions& subscriptions() { return subscriptions_; }
  entra::EntraGrants& microsoft_grants() { return microsoft_.grants(); }
  calendar::CalendarStore& calendars() { return calendars_; }
  PubSubPush& pubsub() { return pubsub_; }
  SentLog& sent() { return sent_; }
  Schedule& schedule() { return schedule_; }
  /// Pushes and notifications go out through it from now on; without one nothing is posted. It outlives the
  /// application's last request.
  void UseOutgoing(Outgoing& outgoing) { outgoing_.target = &outgoing; }
  /// What the counters report as open connections.
  void ReportConnections(std::function<std::size_t()> count) { connection_count_ = std::move(count); }

 private:
  /// What services hold as their way out, before the program has one.
  struct OutgoingSwitch final : Outgoing {
    bool Send(OutgoingRequest request, Done done) override {
      return target && target->Send(std::move(request), std::move(done));
    }
    Outgoing* target = nullptr;
  };

  Response Route(Request& request);
  Response HandleGoogle(Request& request);
  Response HandleMicrosoft(Request& request);
  Response HandleGraph(Request& request);
  /// Gmail and Google Calendar: the same tokens, faults and counters.
  Response HandleGoogleApi(Request& request);
  Response AnswerGoogleApi(Request& request, const Grant* grant);
  Response HandleUpload(Request& request);
  /// Mail from a Microsoft account to the people of this simulator, whoever hosts them.
  void DeliverLocally(const graph::OutgoingMail& outgoing);
  std::optional<Response> GatePart(const Request& part, const Grant& grant);
  /// Whose request to an identity endpoint this is, as far as its tokens tell.
  const Account* AccountBehind(const Request& request) const;
  void ActOnState(const Verdict& verdict, const Account* account);

  SimulatorClock clock_;
  Schedule schedule_{clock_};
  OutgoingSwitch outgoing_;
  Settings settings_;
  AccountRegistry accounts_;
  GoogleIdentity google_;
  entra::MicrosoftIdentity microsoft_;
  graph::GraphService graph_;
  graph::MailArea graph_mail_;
  graph::Subscriptions subscriptions_;
  FaultTable faults_;
  RequestCounters counters_;
  std::unique_ptr<MailService> mail_;
  calendar::CalendarStore calendars_;
  calendar::GoogleCalendarService google_calendar_;
  graph::CalendarArea graph_calendars_;
  SentLog sent_;
  PubSubPush pubsub_;
  SendPlan send_plan_;  ///< Of the present request to Graph.
  std::function<std::size_t()> connection_count_ = [] { return std::size_t{0}; };
  ControlApi control_;
};

}  // namespace latchkey::simulator
