#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/support/browser.hpp"
#include "tests/integration/support/event_reader.hpp"
#include "tests/integration/support/server.hpp"
#include "tests/integration/support/simulator.hpp"

namespace latchkey::integration {

/// Somebody with a browser in front of the web app. Every answer is held against the contract; a breach fails the test.
class Person {
 public:
  /// `provider`: where this person signs in and connects mailboxes, unless a step says otherwise.
  Person(Server& server, Simulator& simulator, std::string email, std::string provider = "google");

  // Steps of the flows; each returns the server's answer.
  HttpReply StartSignIn(const std::string& query = "");
  HttpReply Navigate(const std::string& path_or_url);
  /// The whole sign-in; fails the test when it does not end signed in.
  void SignIn();
  /// Opens the setup link first: becomes administrator.
  void SignInAsAdministrator();

  HttpReply Get(const std::string& path);
  /// With Origin and CSRF token, as the web app sends it.
  HttpReply Post(const std::string& path, const std::string& json = "");
  HttpReply Send(const std::string& method, const std::string& path, const std::string& json = "");
  /// Exactly these headers and the cookies.
  HttpReply SendRaw(HttpCall call) { return browser_.Send(std::move(call)); }

  boost::json::value Session();
  const std::string& csrf() const { return csrf_; }

  /// Begins connecting; the provider's address the browser is sent to, and the attempt.
  struct Started {
    std::string attempt_id;
    std::string authorize_url;
  };
  Started StartConnect(const std::vector<std::string>& capabilities = {"read_mail"});
  /// Connects `mailbox`; returns the account's id. Fails the test when it does not succeed.
  std::string Connect(const std::string& mailbox, const std::vector<std::string>& capabilities = {"read_mail"});
  boost::json::value Attempt(const std::string& id);
  /// Reconnects the account as `mailbox`; returns the attempt as it ended.
  boost::json::value Reconnect(const std::string& account_id, const std::string& mailbox);

  boost::json::value Account(const std::string& id);
  /// All pages of the message list, as one array.
  boost::json::array Messages(const std::string& query = "");
  /// Waits until the first full read has ended and the live lane caught up once.
  void WaitUntilImported(const std::string& account_id);
  std::unique_ptr<EventReader> OpenEvents(const std::string& last_event_id = "");

  Browser& browser() { return browser_; }
  const std::string& email() const { return email_; }
  std::string Url(const std::string& path) const { return server_.url() + path; }

 private:
  Server& server_;
  Simulator& simulator_;
  std::string email_;
  std::string provider_;
  Browser browser_;
  std::string csrf_;
};

/// A browser whose answers are held against the contract.
Browser::Observer HoldAgainstContract();

}  // namespace latchkey::integration
