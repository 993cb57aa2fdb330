// Everything breaks, several things at a time, while people go on working. Afterwards everything heals by itself, and
// then the stored mailboxes are the providers', every acknowledged mail went out exactly once, every session still
// opens, and no job is stuck. LATCHKEY_CHAOS_ROUNDS and LATCHKEY_CHAOS_SEED repeat a run or make it longer: one round
// meets every fault of the list once, in an order of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>

#include "tests/chaos/cluster.hpp"
#include "tests/chaos/customer.hpp"
#include "tests/chaos/faults.hpp"
#include "tests/integration/support/fixture.hpp"
#include "tests/integration/support/mailbox_oracle.hpp"

namespace latchkey::chaos {
namespace {

namespace bj = boost::json;
using integration::Compare;
using integration::kAda;
using integration::kGrace;
using integration::MailboxFacts;
using integration::Person;
using integration::WaitUntil;
using ::testing::Each;
using ::testing::IsEmpty;

constexpr const char* kMia = "mia@outlook.example";
// Longer than every deadline, backoff and lease together.
constexpr auto kHealing = std::chrono::minutes(3);

unsigned long FromEnvironment(const char* name, unsigned long fallback) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoul(text, nullptr, 10) : fallback;
}

std::string Text(const bj::value& value) { return value.is_string() ? std::string(value.as_string()) : std::string(); }

class Chaos : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::string& missing : {PostgresServer::Missing(), RedisServer::Missing()}) {
      if (!missing.empty()) GTEST_SKIP() << missing;
    }
    cluster_.emplace();
    auto& simulator = cluster_->simulator();
    simulator.Post("/accounts", bj::object{{"email", kMia}, {"provider", "microsoft"}, {"name", "Mia Sample"}});
    simulator.Patch("/settings", bj::object{{"quota", false}});
    cluster_->StartAll();
  }

  std::size_t Pick(std::size_t below) { return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_); }

  /// Mail comes, changes and goes at both providers.
  void ChangeMailboxes() {
    auto& simulator = cluster_->simulator();
    for (const char* mailbox : {kAda, kMia}) {
      auto& ids = ids_[mailbox];
      const auto base = std::string("/mail/") + mailbox + "/messages/";
      const auto what = Pick(10);
      if (ids.empty() || what < 5) {
        const auto number = std::to_string(++delivered_);
        const bj::object mail{{"from", "Linus Sender <linus@example.net>"},
                              {"to", mailbox},
                              {"subject", "Notice " + number},
                              {"text", "Text " + number},
                              {"message_id", "<chaos." + number + "@example.net>"}};
        ids.push_back(simulator.Deliver(mailbox, mail));
        continue;
      }
      const auto at = Pick(ids.size());
      if (what < 7) {
        simulator.Delete(base + ids[at]);
        ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        const auto* verb = Pick(2) == 0 ? "add_labels" : "remove_labels";
        simulator.Patch(base + ids[at], bj::object{{verb, bj::array{"UNREAD"}}});
      }
    }
  }

  void WorkFor(std::chrono::milliseconds duration) {
    const auto end = std::chrono::steady_clock::now() + duration;
    do {
      ChangeMailboxes();
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    } while (std::chrono::steady_clock::now() < end);
  }

  /// Every fault of the list once, each beside the one before for a while.
  void Round(std::vector<Fault>& faults) {
    std::shuffle(faults.begin(), faults.end(), random_);
    Fault* open = nullptr;
    for (Fault& fault : faults) {
      std::cout << "  " << fault.name << std::endl;
      counters_[fault.name] += fault.begin();
      WorkFor(std::chrono::milliseconds(200 + Pick(1200)));
      if (open) counters_[open->name] += open->end();
      cluster_->Revive();
      open = &fault;
    }
    if (open) counters_[open->name] += open->end();
    cluster_->StartAll();
  }

  std::map<std::string, std::string> ProviderIds() {
    std::map<std::string, std::string> ids;
    for (const auto& row : cluster_->Query("SELECT id, external_message_id FROM synced_messages")) {
      if (row.size() == 2) ids[row[0]] = row[1];
    }
    return ids;
  }

  std::vector<std::string> DifferencesAtGmail() {
    auto truth = integration::WithoutDetails(integration::TrueMailbox(cluster_->simulator(), kAda));
    return Compare(truth, integration::StoredMailbox(ProviderIds(), *ada_, false));
  }

  std::vector<std::string> DifferencesAtOutlook() {
    MailboxFacts truth, stored;
    const auto page = cluster_->simulator().Get(std::string("/mail/") + kMia + "/messages?limit=1000");
    for (const auto& message : page.at("messages").as_array()) {
      truth[Text(message.at("id"))] = {{"subject", Text(message.at("subject"))},
                                       {"read", message.at("isRead").as_bool() ? "t" : "f"}};
    }
    const auto rows = cluster_->Query(
        "SELECT external_message_id, subject, is_read FROM synced_messages WHERE "
        "connected_account_id = '" +
        mia_account_ + "'");
    for (const auto& row : rows) {
      if (row.size() == 3) stored[row[0]] = {{"subject", row[1]}, {"read", row[2]}};
    }
    return Compare(truth, stored);
  }

  std::string StateOf(Person& person, const std::string& id) {
    const auto entry = person.Get("/api/v1/outbox/" + id).Json();
    const auto* object = entry.if_object();
    const auto* state = object ? object->if_contains("state") : nullptr;
    return state ? Text(*state) : "";
  }

  /// Each acknowledged mail is out once, or says honestly why not.
  void ExpectSentOnce(Person& person, const std::string& mailbox, const std::vector<Customer::Sent>& acknowledged) {
    std::map<std::string, std::string> ends;
    for (const auto& mail : acknowledged) {
      std::string& state = ends[mail.outbox_id];
      const bool ended = WaitUntil(
          [&] {
            state = StateOf(person, mail.outbox_id);
            return state == "sent" || state == "failed" || state == "unconfirmed";
          },
          kHealing);
      EXPECT_TRUE(ended) << mail.subject << " is still " << state;
    }
    // Not before: what was still under way a moment ago is out by now.
    std::map<std::string, int> copies;
    const auto sent = cluster_->simulator().Get("/sent/" + mailbox);
    for (const auto& mail : sent.at("messages").as_array()) ++copies[Text(mail.at("subject"))];
    std::map<std::string, int> states;
    for (const auto& mail : acknowledged) {
      const std::string& state = ends[mail.outbox_id];
      ++states[state];
      if (state == "sent") EXPECT_EQ(copies[mail.subject], 1) << mail.subject;
      if (state == "failed") EXPECT_EQ(copies[mail.subject], 0) << mail.subject;
      EXPECT_LE(copies[mail.subject], 1) << mail.subject;
    }
    std::cout << mailbox << ": " << acknowledged.size() << " mails acknowledged";
    for (const auto& [state, count] : states) std::cout << ", " << count << " " << state;
    std::cout << std::endl;
  }

  const unsigned long seed_ = FromEnvironment("LATCHKEY_CHAOS_SEED", 20261121);
  Random random_{seed_};
  std::optional<Cluster> cluster_;
  std::unique_ptr<Person> ada_, mia_;
  std::string ada_account_, mia_account_;
  std::map<std::string, std::vector<std::string>> ids_;
  std::map<std::string, long> counters_;
  int delivered_ = 0;
};

TEST_F(Chaos, WhateverBreaksHealsAndNothingIsLostOrDoneTwice) {
  const auto rounds = FromEnvironment("LATCHKEY_CHAOS_ROUNDS", 1);
  RecordProperty("seed", std::to_string(seed_));
  std::cout << "seed " << seed_ << ", " << rounds << " rounds" << std::endl;
  auto& cluster = *cluster_;
  ada_ = std::make_unique<Person>(cluster.web(0), cluster.simulator(), kAda);
  mia_ = std::make_unique<Person>(cluster.web(0), cluster.simulator(), kMia, "microsoft");
  ada_->SignIn();
  mia_->SignIn();
  if (HasFatalFailure()) return;
  for (int i = 0; i < 30; ++i) ChangeMailboxes();
  ada_account_ = ada_->Connect(kAda, {"read_mail", "send_mail"});
  mia_account_ = mia_->Connect(kMia, {"read_mail", "send_mail"});
  ASSERT_FALSE(ada_account_.empty() || mia_account_.empty());
  ada_->WaitUntilImported(ada_account_);
  mia_->WaitUntilImported(mia_account_);

  std::vector<std::string> skipped;
  auto faults = FaultsOf(cluster, random_, skipped);
  for (const auto& reason : skipped) std::cout << "not here: " << reason << std::endl;
  Customer buyer(*ada_, ada_account_, kGrace);
  Customer seller(*mia_, mia_account_, kGrace);
  // A fault meets nothing while the one before it has its victim; another order brings it about.
  const auto unmet = [&] {
    return std::ranges::any_of(faults, [this](const Fault& fault) { return counters_[fault.name] == 0; });
  };
  for (unsigned long round = 1; (round <= rounds || (unmet() && round <= rounds + 3)) && !HasFailure(); ++round) {
    std::cout << "round " << round << std::endl;
    Round(faults);
  }
  WorkFor(std::chrono::seconds(1));
  buyer.Stop();
  seller.Stop();
  std::cout << "reached:";
  for (const auto& fault : faults) std::cout << "\n  " << counters_[fault.name] << " " << fault.name;
  std::cout << "\nrefused and tried again: " << buyer.refusals() + seller.refusals() << std::endl;
  for (const auto& fault : faults) EXPECT_GT(counters_[fault.name], 0) << fault.name << " met nothing";

  // Sessions first: asking is also what the rest needs.
  EXPECT_TRUE(WaitUntil([&] { return ada_->Get("/auth/session").status == 200; }, kHealing));
  EXPECT_TRUE(ada_->Session().at("user").is_object()) << "a session was lost";
  EXPECT_TRUE(mia_->Session().at("user").is_object()) << "a session was lost";
  ada_->Post("/api/v1/connected-accounts/" + ada_account_ + "/sync");
  mia_->Post("/api/v1/connected-accounts/" + mia_account_ + "/sync");
  ExpectSentOnce(*ada_, kAda, buyer.acknowledged());
  ExpectSentOnce(*mia_, kMia, seller.acknowledged());
  if (!WaitUntil([&] { return DifferencesAtGmail().empty(); }, kHealing)) EXPECT_THAT(DifferencesAtGmail(), IsEmpty());
  if (!WaitUntil([&] { return DifferencesAtOutlook().empty(); }, kHealing)) {
    EXPECT_THAT(DifferencesAtOutlook(), IsEmpty());
  }
  const char* kStuck =
      "SELECT kind, state, last_error FROM jobs WHERE (state = 'running' AND lease_until < now()) OR "
      "state = 'discarded' OR (state = 'available' AND scheduled_at < now() - interval '30 seconds')";
  if (!WaitUntil([&] { return cluster.Query(kStuck).empty(); }, kHealing)) {
    EXPECT_THAT(cluster.Query(kStuck), IsEmpty()) << "stuck jobs";
  }
  EXPECT_THAT(cluster.StopAll(), Each(0));
}

}  // namespace
}  // namespace latchkey::chaos
