#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include "base/clock.hpp"
#include "simulator/gmail/gmail_service.hpp"

namespace latchkey::simulator {

/// A Gmail with two people, a fixed clock and no transport. For tests only.
class GmailFixture : public testing::Test {
 protected:
  static constexpr const char* kMail = "https://mail.google.com/";

  GmailFixture()
      : ada_(accounts_.Add("ada@example.com", "Ada Lovelace")), ben_(accounts_.Add("ben@example.org", "Ben")) {
    scopes_ = {kMail};
  }

  /// `body` goes as JSON. The status of the answer is checked, its JSON returned (null without a body).
  boost::json::value Ask(int status, std::string method, std::string target, std::string body = {}) {
    Response response = AskRaw(std::move(method), std::move(target), std::move(body));
    EXPECT_EQ(response.status, status) << response.body;
    return response.body.empty() ? boost::json::value() : boost::json::parse(response.body);
  }
  Response AskRaw(std::string method, std::string target, std::string body = {}, Headers headers = {}) {
    Request request;
    request.method = std::move(method);
    request.SetTarget(std::move(target));
    request.body = std::move(body);
    request.headers = std::move(headers);
    request.scheme = "http";
    request.host = "localhost:9000";
    Grant grant{.account = account_, .client_id = "client", .scopes = scopes_};
    return service_.Handle(request, grant);
  }
  boost::json::value Get(std::string target) { return Ask(200, "GET", Users(target)); }
  static std::string Users(std::string_view rest) { return "/gmail/v1/users/me/" + std::string(rest); }

  std::string Deliver(std::string raw, std::vector<std::string> labels = {}) {
    auto outcome = service_.Deliver(*account_, {.raw = std::move(raw), .label_ids = std::move(labels)});
    EXPECT_TRUE(outcome);
    return outcome ? std::string(outcome->at("id").as_string()) : std::string();
  }
  static std::string Mail(std::string_view subject, std::string_view more = {}) {
    return "From: Cleo <cleo@example.net>\r\nTo: ada@example.com\r\nSubject: " + std::string(subject) + "\r\n" +
           std::string(more) + "Content-Type: text/plain; charset=utf-8\r\n\r\nHello Ada\r\n";
  }

  ManualClock clock_{Instant(std::chrono::seconds(1'780'000'000))};
  AccountRegistry accounts_;
  const Account& ada_;
  const Account& ben_;
  const Account* account_ = &ada_;
  ScopeSet scopes_;
  GmailService service_{clock_, accounts_, 42};
};

}  // namespace latchkey::simulator
