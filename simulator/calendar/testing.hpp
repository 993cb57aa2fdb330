#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include "simulator/calendar/google_service.hpp"
#include "simulator/testing/recorded_outgoing.hpp"

namespace latchkey::simulator::calendar {

using testing_outgoing::RecordedOutgoing;

/// Google Calendar with one person, a fixed clock and no transport. For tests only.
class CalendarFixture : public testing::Test {
 protected:
  static constexpr const char* kAll = "https://www.googleapis.com/auth/calendar";

  CalendarFixture() { scopes_ = {kAll}; }

  Response AskRaw(std::string method, std::string target, std::string body = {}, Headers headers = {}) {
    Request request;
    request.method = std::move(method);
    request.SetTarget("/calendar/v3/" + target);
    request.body = std::move(body);
    request.headers = std::move(headers);
    request.scheme = "http";
    request.host = "localhost:9000";
    const Grant grant{.account = &ada_, .client_id = "client", .scopes = scopes_};
    return service_.Handle(request, grant);
  }
  boost::json::value Ask(int status, std::string method, std::string target, std::string body = {},
                         Headers headers = {}) {
    const Response response = AskRaw(std::move(method), target, std::move(body), std::move(headers));
    EXPECT_EQ(response.status, status) << target << " " << response.body;
    return response.body.empty() ? boost::json::value() : boost::json::parse(response.body);
  }
  boost::json::value Get(std::string target) { return Ask(200, "GET", std::move(target)); }
  static std::string Text(const boost::json::value& value) { return std::string(value.as_string()); }
  std::string Insert(const std::string& body, const std::string& calendar = "primary") {
    return Text(Ask(200, "POST", "calendars/" + calendar + "/events", body).at("id"));
  }
  /// Ids of a list's items, with "-" before cancelled ones.
  static std::vector<std::string> Ids(const boost::json::value& list) {
    std::vector<std::string> ids;
    for (const auto& item : list.at("items").as_array()) {
      ids.push_back((item.at("status").as_string() == "cancelled" ? "-" : "") + Text(item.at("id")));
    }
    return ids;
  }
  static std::string Reason(const boost::json::value& error) {
    return Text(error.at("error").at("errors").at(0).at("reason"));
  }

  ManualClock clock_{Instant(std::chrono::seconds(1'773'300'000))};  // 2026-03-12T07:20:00Z
  AccountRegistry accounts_;
  const Account& ada_ = accounts_.Add("ada@example.com", "Ada Example");
  ScopeSet scopes_;
  CalendarStore store_{clock_, 42};
  Schedule schedule_{clock_};
  RecordedOutgoing outgoing_;
  GoogleCalendarService service_{store_, schedule_, outgoing_};
};

}  // namespace latchkey::simulator::calendar
