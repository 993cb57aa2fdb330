// What mailbox_oracle_test does with one mailbox at Gmail, done with one in folders: messages move between folders,
// folders come, are renamed and go, links expire, calls are refused, alone and inside batches, and the server is killed
// with SIGKILL at random moments. Whenever the faults stop, both sides must become the same. LATCHKEY_ORACLE_ROUNDS and
// LATCHKEY_ORACLE_SEED repeat a failure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <cstdlib>
#include <iostream>
#include <random>

#include "tests/integration/support/database_file.hpp"
#include "tests/integration/support/fixture.hpp"
#include "tests/integration/support/mailbox_oracle.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using ::testing::IsEmpty;

constexpr const char* kMia = "mia@outlook.example";

unsigned long FromEnvironment(const char* name, unsigned long fallback) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoul(text, nullptr, 10) : fallback;
}

std::string Text(const bj::value& value) { return value.is_string() ? std::string(value.as_string()) : std::string(); }

class OutlookOracle : public IntegrationTest {
 protected:
  using Random = std::mt19937_64;
  OutlookOracle() { start_server_ = false; }

  void SetUp() override {
    auto& environment = server_.environment();
    environment["AUTH_MICROSOFT_CLIENT_ID"] = kMicrosoftClientId;
    environment["AUTH_MICROSOFT_CLIENT_SECRET"] = kMicrosoftClientSecret;
    environment["MICROSOFT_DISCOVERY_URL"] = simulator_.microsoft_discovery_url();
    environment["MICROSOFT_GRAPH_URL"] = simulator_.url();
    environment["LATCHKEY_POLL_SECONDS"] = "1";
    simulator_.Post("/accounts", bj::object{{"email", kMia}, {"provider", "microsoft"}, {"name", "Mia Sample"}});
    IntegrationTest::SetUp();
    server_.Start();
    mia_ = std::make_unique<Person>(server_, simulator_, kMia, "microsoft");
    folders_ = {"inbox", "archive", "deleteditems", "junkemail", "drafts", "sentitems"};
  }

  std::size_t Pick(std::size_t below) { return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_); }
  bool Chance(double probability) { return std::bernoulli_distribution(probability)(random_); }
  std::string AnyFolder() { return folders_[Pick(folders_.size())]; }
  static std::string Base() { return std::string("/mail/") + kMia; }

  bj::object RandomMail() {
    const auto number = std::to_string(++delivered_);
    const char* words[] = {"Minutes", "Rechnung", "Résumé", "Встреча", "会議", "اجتماع", "🎉 party"};
    bj::object mail{{"from", Chance(0.5) ? "Linus Sender <linus@example.net>" : "Ольга <olga@example.org>"},
                    {"to", kMia},
                    {"subject", std::string(words[Pick(std::size(words))]) + " " + number},
                    {"text", "Text " + number + "\n" + std::string(Pick(2000), 'x')},
                    {"message_id", "<oracle." + number + "@example.net>"},
                    {"folder", Chance(0.7) ? std::string("inbox") : AnyFolder()}};
    if (Chance(0.2))
      mail["attachments"] = bj::array{bj::object{{"filename", "Datei " + number + ".txt"}, {"text", number}}};
    return mail;
  }

  void ChangeMailbox() {
    const auto count = 1 + Pick(4);
    for (std::size_t i = 0; i < count; ++i) {
      const auto what = Pick(100);
      if (ids_.empty() || what < 35) {
        ids_.push_back(simulator_.Deliver(kMia, RandomMail()));
        continue;
      }
      const auto at = Pick(ids_.size());
      const auto message = Base() + "/messages/" + ids_[at];
      if (what < 65) {
        simulator_.Post(message + "/move", bj::object{{"folder", AnyFolder()}});
      } else if (what < 75) {
        simulator_.Delete(message);
        ids_.erase(ids_.begin() + static_cast<std::ptrdiff_t>(at));
      } else if (what < 94) {
        bj::object change;
        if (Chance(0.5)) change["is_read"] = Chance(0.5);
        if (Chance(0.5)) change["is_flagged"] = Chance(0.5);
        if (Chance(0.3)) change["categories"] = Chance(0.5) ? bj::array{"Red", "Blau"} : bj::array{};
        simulator_.Patch(message, change);
      } else if (what < 97) {
        const auto name = "Folder " + std::to_string(++delivered_);
        own_folders_.push_back(Text(simulator_.Post(Base() + "/folders", bj::object{{"name", name}}).at("id")));
        folders_.push_back(own_folders_.back());
      } else if (!own_folders_.empty()) {
        DropFolder(Pick(own_folders_.size()));
      }
    }
    if (Chance(0.08)) {
      const int statuses[] = {410, 400, 404};
      const char* codes[] = {"syncStateNotFound", "resyncRequired"};
      simulator_.Post(Base() + "/expire-delta", bj::object{{"status", statuses[Pick(3)]}, {"code", codes[Pick(2)]}});
    }
    if (Chance(0.05)) simulator_.Post("/tokens/expire", bj::object{});
  }

  /// With all that is in it.
  void DropFolder(std::size_t at) {
    const auto id = own_folders_[at];
    own_folders_.erase(own_folders_.begin() + static_cast<std::ptrdiff_t>(at));
    std::erase(folders_, id);
    simulator_.Delete(Base() + "/folders/" + id);
    std::vector<std::string> left;
    for (const auto& [message, facts] : Truth()) left.push_back(message);
    std::erase_if(ids_, [&](const std::string& message) { return std::ranges::find(left, message) == left.end(); });
  }

  void InjectFault() {
    const bj::object faults[] = {
        {{"kind", "respond"}, {"payload", "graph.error.throttled-documented.429"}, {"path", "/v1.0/**"}, {"count", 1}},
        {{"kind", "respond"}, {"payload", "graph.error.UnknownError.504"}, {"path", "/v1.0/**"}, {"count", 2}},
        {{"kind", "respond"},
         {"payload", "graph.error.InvalidAuthenticationToken.expired.401"},
         {"path", "/v1.0/**"},
         {"count", 1}},
        {{"kind", "respond"},
         {"status", 503},
         {"body", "<html>busy</html>"},
         {"path", "/v1.0/me/messages/**"},
         {"count", 2}},
        {{"kind", "reset"}, {"path", "/v1.0/**"}, {"count", 2}},
        {{"kind", "lose_answer"}, {"path", "/v1.0/**"}, {"count", 1}},
        {{"kind", "truncate"}, {"path", "/v1.0/**"}, {"count", 2}},
        {{"kind", "latency"}, {"path", "/v1.0/**"}, {"milliseconds", 20}, {"count", 20}},
    };
    simulator_.Delete("/faults");
    simulator_.Post("/faults", faults[Pick(std::size(faults))]);
    // Pages as the service may make them.
    simulator_.Patch(
        "/settings",
        bj::object{{"empty_pages", Chance(0.3)}, {"repeated_items", Chance(0.3)}, {"graph_thin_updates", Chance(0.5)}});
  }

  MailboxFacts Truth() {
    MailboxFacts out;
    std::size_t total = 1;
    for (std::size_t offset = 0; offset < total; offset += 500) {
      const auto page = simulator_.Get(Base() + "/messages?limit=500&offset=" + std::to_string(offset));
      total = page.at("total").to_number<std::size_t>();
      for (const auto& message : page.at("messages").as_array()) {
        auto& facts = out[Text(message.at("id"))];
        std::vector<std::string> labels{Text(message.at("folderId"))};
        if (message.at("isFlagged").as_bool()) labels.emplace_back("flagged");
        for (const auto& category : message.at("categories").as_array()) labels.push_back("category:" + Text(category));
        std::ranges::sort(labels);
        for (const auto& label : labels) facts["labels"] += label + " ";
        facts["subject"] = Text(message.at("subject"));
        facts["read"] = message.at("isRead").as_bool() ? "1" : "0";
        facts["attachments"] = message.at("attachments").as_array().empty() ? "0" : "1";
      }
    }
    return out;
  }

  MailboxFacts Stored() {
    MailboxFacts out;
    DatabaseFile database(server_.database());
    for (auto& row :
         database.Query("SELECT external_message_id, labels, subject, is_read, has_attachments FROM synced_messages")) {
      auto& facts = out[row[0]];
      for (const auto& label : bj::parse(row[1]).as_array()) facts["labels"] += Text(label) + " ";
      facts["subject"] = row[2];
      facts["read"] = row[3];
      facts["attachments"] = row[4];
    }
    return out;
  }

  void ExpectSettled(unsigned long round) {
    simulator_.Delete("/faults");
    mia_->Post("/api/v1/connected-accounts/" + account_ + "/sync");
    if (!WaitUntil([&] { return Compare(Truth(), Stored()).empty(); }))
      ASSERT_THAT(Compare(Truth(), Stored()), IsEmpty()) << "after round " << round << ", seed " << seed_;
    ExpectCountersTrue();
  }

  /// What the interface counts per folder is what is stored in it.
  void ExpectCountersTrue() {
    DatabaseFile database(server_.database());
    const auto wrong = database.Query(
        "SELECT l.name FROM labels l WHERE l.total <> (SELECT count(*) FROM message_labels p WHERE p.label_row = "
        "l.row_id) OR l.unread <> (SELECT count(*) FROM message_labels p JOIN synced_messages m ON m.row_id = "
        "p.message_row WHERE p.label_row = l.row_id AND NOT m.is_read)");
    EXPECT_THAT(wrong, IsEmpty());
  }

  unsigned long seed_ = FromEnvironment("LATCHKEY_ORACLE_SEED", 20261121);
  Random random_{seed_};
  std::unique_ptr<Person> mia_;
  std::string account_;
  std::vector<std::string> ids_, folders_, own_folders_;
  int delivered_ = 0;
};

TEST_F(OutlookOracle, AfterKillsFaultsMovesAndChangesTheStoredMailboxIsTheProviders) {
  const auto rounds = FromEnvironment("LATCHKEY_ORACLE_ROUNDS", 60);
  RecordProperty("seed", std::to_string(seed_));
  std::cout << "seed " << seed_ << ", " << rounds << " rounds\n";
  bj::array first;
  for (int i = 0; i < 60; ++i) first.push_back(RandomMail());
  for (const auto& stored :
       simulator_.Post(Base() + "/messages", bj::object{{"messages", first}}).at("messages").as_array())
    ids_.emplace_back(stored.at("id").as_string());
  mia_->SignIn();
  // Killed for the first time while the first full read is under way.
  account_ = mia_->Connect(kMia);
  for (unsigned long round = 1; round <= rounds; ++round) {
    ChangeMailbox();
    if (Chance(0.4)) InjectFault();
    mia_->Post("/api/v1/connected-accounts/" + account_ + "/sync");
    // The moment of the kill is the machine's dice, not ours: nothing may depend on it.
    std::this_thread::sleep_for(std::chrono::milliseconds(Pick(120)));
    server_.Kill();
    if (Chance(0.3)) ChangeMailbox();
    server_.Start();
    if (round % 10 == 0) ExpectSettled(round);
    if (HasFatalFailure()) return;
  }
  ExpectSettled(rounds);
}

TEST_F(OutlookOracle, FoldersShowTheirRolesAndCountsAndAttachmentsTheirContent) {
  simulator_.Deliver(
      kMia, bj::object{{"from", "Linus <linus@example.net>"},
                       {"to", kMia},
                       {"subject", "With a file"},
                       {"text", "See the file."},
                       {"attachments", bj::array{bj::object{{"filename", "plan.txt"}, {"text", "the plan"}}}}});
  mia_->SignIn();
  account_ = mia_->Connect(kMia);
  mia_->WaitUntilImported(account_);
  ASSERT_TRUE(WaitUntil([&] { return mia_->Messages("&folder=inbox").size() == 1; }));
  const auto summary = mia_->Messages("&folder=inbox").at(0);
  const auto detail = mia_->Get("/api/v1/messages/" + Text(summary.at("id"))).Json();
  const auto& attachment = detail.at("attachments").as_array().at(0);
  EXPECT_EQ(Text(attachment.at("name")), "plan.txt");
  const auto content =
      mia_->Get("/api/v1/messages/" + Text(summary.at("id")) + "/attachments/" + Text(attachment.at("id")));
  EXPECT_EQ(content.body, "the plan");
  std::vector<std::string> roles;
  const auto labels = mia_->Get("/api/v1/labels?account=" + account_).Json();
  for (const auto& label : labels.at("items").as_array()) roles.push_back(Text(label.at("role")));
  EXPECT_THAT(roles, ::testing::IsSupersetOf({"inbox", "sent", "drafts", "trash", "spam", "archive"}));
}

}  // namespace
}  // namespace latchkey::integration
