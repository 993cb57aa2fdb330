#pragma once

#include <functional>

#include <boost/json/object.hpp>

#include "simulator/calendar/google_service.hpp"
#include "simulator/clock.hpp"
#include "simulator/control/counters.hpp"
#include "simulator/faults/fault_table.hpp"
#include "simulator/google/google_identity.hpp"
#include "simulator/graph/mail_area.hpp"
#include "simulator/graph/subscriptions.hpp"
#include "simulator/json_fields.hpp"
#include "simulator/mail_service.hpp"
#include "simulator/microsoft/microsoft_identity.hpp"
#include "simulator/pubsub/pubsub_push.hpp"
#include "simulator/schedule.hpp"
#include "simulator/sent/sent_log.hpp"
#include "simulator/settings.hpp"

namespace latchkey::simulator {

/// Everything the control API reads and changes; all of it outlives the API.
struct ControlledParts {
  SimulatorClock& clock;
  Schedule& schedule;
  Settings& settings;
  AccountRegistry& accounts;
  GoogleIdentity& google;
  entra::MicrosoftIdentity& microsoft;
  FaultTable& faults;
  RequestCounters& counters;
  MailService& mail;
  graph::MailArea& graph_mail;
  graph::Subscriptions& subscriptions;
  calendar::CalendarStore& calendars;
  calendar::GoogleCalendarService& google_calendar;
  PubSubPush& pubsub;
  SentLog& sent;
  std::function<std::size_t()> connection_count;
};

/// Everything under /control: see README.md. Loop thread only.
class ControlApi {
 public:
  explicit ControlApi(ControlledParts parts) : parts_(std::move(parts)) {}

  Response Handle(Request& request);

 private:
  /// Answer body, or the sentence and status of a refusal.
  struct Refusal {
    int status = 400;
    std::string sentence;
  };
  using Outcome = std::expected<boost::json::object, Refusal>;
  static std::unexpected<Refusal> Refuse(int status, std::string sentence);

  Outcome Route(const Request& request, const boost::json::object& body);
  Outcome Clock(const Request& request, const boost::json::object& body);
  Outcome Accounts(const Request& request, const boost::json::object& body);
  Outcome ChangeAccount(Account& account, const boost::json::object& body, bool added);
  /// Reads the fields of a Microsoft account; complains when the account is Google's and one is there.
  static void ReadMicrosoftFields(const Account& account, JsonFields& fields, MicrosoftIdentity& identity,
                                  std::optional<bool>& personal);
  Outcome ChangeSettings(const Request& request, const boost::json::object& body);
  Outcome Authorize(const Request& request, const boost::json::object& body);
  Outcome Microsoft(const Request& request, const boost::json::object& body);
  Outcome AuthorizeMicrosoft(const boost::json::object& body);
  Outcome AdminConsent(const boost::json::object& body);
  Outcome Grants(const Request& request, const boost::json::object& body);
  Outcome Faults(const Request& request, const boost::json::object& body);
  Outcome Mail(const Request& request, const boost::json::object& body);
  Outcome Calendars(const Request& request, const boost::json::object& body);
  Outcome CalendarList(const Account& account, const Request& request, const boost::json::object& body);
  Outcome CalendarEvents(const Account& account, const Request& request, const boost::json::object& body);
  Outcome DescribeEvents(const Account& account, const Request& request);
  Outcome Subscription(const Request& request, const boost::json::object& body);
  Outcome Sent(const Request& request);
  Outcome CalendarChannels(const Request& request, const boost::json::object& body);
  Outcome DeliverMail(const Account& account, const boost::json::object& body);
  Outcome Subscriptions(const Request& request, const boost::json::object& body);
  Outcome MicrosoftMail(const Account& account, const Request& request, const boost::json::object& body);
  Outcome Folders(const Account& account, const Request& request, const boost::json::object& body);
  boost::json::object Counters() const;
  std::expected<const Account*, Refusal> AccountIn(const boost::json::object& body) const;

  ControlledParts parts_;
};

}  // namespace latchkey::simulator
