#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/integration/support/person.hpp"
#include "tests/integration/support/server.hpp"
#include "tests/integration/support/simulator.hpp"
#include "tests/integration/support/wait.hpp"

namespace latchkey::integration {

inline constexpr const char* kAda = "ada@example.com";
inline constexpr const char* kGrace = "grace@example.org";

/// A server and a simulator of its own for each test, with two people at the provider whose mailboxes are empty. At the
/// end no secret that was in play may stand in the server's log.
class IntegrationTest : public ::testing::Test {
 protected:
  IntegrationTest();
  void SetUp() override;
  void TearDown() override;

  std::unique_ptr<Person> NewPerson(const std::string& email = kAda);
  /// Whatever must never be logged, beyond what every test has in play.
  void AddCanary(std::string text) { canaries_.push_back(std::move(text)); }
  /// Fails the test when a secret in play stands in the log.
  void ExpectNoSecretInLog();

  Simulator simulator_;
  Server server_;
  /// For tests that start the server themselves.
  bool start_server_ = true;

 private:
  std::vector<std::string> canaries_;
  std::vector<Person*> people_;
};

/// A plain message for the simulator's control API.
boost::json::object Mail(const std::string& subject, const std::string& text = "Text of the message.");

}  // namespace latchkey::integration
