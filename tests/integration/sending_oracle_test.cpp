// Law nine through the real program: mails leave through Gmail and Outlook while the provider loses, doubles and delays
// the mail or its answer, resets, stumbles and refuses, the person's browser repeats what it got no answer for, and the
// server is killed with SIGKILL at random moments. 500 faults in all, each kind reached. Afterwards nothing is out
// twice, nothing is lost without a word, and every sent copy is stored once. LATCHKEY_ORACLE_SEED and
// LATCHKEY_ORACLE_FAULTS repeat a failure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>
#include <thread>

#include "base/encoding.hpp"
#include "tests/integration/support/database_file.hpp"
#include "tests/integration/support/fixture.hpp"
#include "tests/integration/support/send_faults.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using ::testing::IsEmpty;

unsigned long FromEnvironment(const char* name, unsigned long fallback) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoul(text, nullptr, 10) : fallback;
}

std::string Text(const bj::value& value) { return value.is_string() ? std::string(value.as_string()) : std::string(); }

/// Where the server has to die at least once.
constexpr const char* kPlaces[] = {
    "google: killed with one sending, drafted", "google: killed with one sending, drafted, handed over",
    "microsoft: killed with one sending, drafted", "microsoft: killed with one sending, drafted, handed over"};

/// One mail that a person asks for, under one key, however often.
struct Letter {
  std::string key, body;
  bool asked_again = false;  ///< Also after it was accepted.
  std::string outbox_id;     ///< Empty until it was accepted.
};

/// One mailbox with its person.
struct Sender {
  std::string mailbox, provider;
  std::unique_ptr<Person> person;
  std::string account;
  std::string question;  ///< A stored mail to answer.
  std::vector<Letter> letters;
  std::vector<std::string> breaches;  ///< Of the thread that posts.
};

class SendingOracle : public IntegrationTest {
 protected:
  using Random = std::mt19937_64;
  SendingOracle() { start_server_ = false; }

  void SetUp() override {
    auto& environment = server_.environment();
    environment["AUTH_MICROSOFT_CLIENT_ID"] = kMicrosoftClientId;
    environment["AUTH_MICROSOFT_CLIENT_SECRET"] = kMicrosoftClientSecret;
    environment["MICROSOFT_DISCOVERY_URL"] = simulator_.microsoft_discovery_url();
    environment["MICROSOFT_GRAPH_URL"] = simulator_.url();
    environment["LATCHKEY_POLL_SECONDS"] = "5";
    // Tokens outlive the hours that pass below: refreshing has oracles of its own. Quotas too: the server of these
    // tests keeps no budget, and who reads and sends this much is told dates of a clock that is hours ahead of the
    // server's.
    simulator_.Patch(
        "/settings",
        bj::object{{"access_token_seconds", 864'000}, {"microsoft_access_token_seconds", 864'000}, {"quota", false}});
    IntegrationTest::SetUp();
    server_.Start();
    for (const char* name : {"ada", "grace", "linus"}) AddSender(std::string(name) + ".g@example.com", "google");
    for (const char* name : {"mia", "noor", "otto"}) AddSender(std::string(name) + "@outlook.example", "microsoft");
    for (Sender& sender : senders_) {
      sender.person->WaitUntilImported(sender.account);
      ASSERT_TRUE(WaitUntil([&] { return !sender.person->Messages().empty(); }));
      sender.question = Text(sender.person->Messages().at(0).at("id"));
    }
  }

  void AddSender(const std::string& mailbox, const std::string& provider) {
    simulator_.Post("/accounts", bj::object{{"email", mailbox}, {"provider", provider}, {"name", "Ada Example"}});
    simulator_.Deliver(mailbox, Mail("Question"));
    Sender& sender = senders_.emplace_back();
    sender.mailbox = mailbox;
    sender.provider = provider;
    sender.person = std::make_unique<Person>(server_, simulator_, mailbox, provider);
    sender.person->SignIn();
    sender.account = sender.person->Connect(mailbox, {"read_mail", "send_mail"});
  }

  std::size_t Pick(std::size_t below) { return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_); }
  bool Chance(double probability) { return std::bernoulli_distribution(probability)(random_); }

  Letter Write(const Sender& sender) {
    const auto number = std::to_string(++written_);
    const bool reply = Chance(0.25);
    bj::object body{{"account", sender.account},
                    {"to", {{{"name", "Ilse Brandt"}, {"address", "ilse.brandt@elsewhere.example"}}}},
                    {"subject", reply ? "Re: Question" : "Letter " + number},
                    {"text", "Grüße, zum " + number + ". Mal\n"}};
    if (reply) body["reply_to_message"] = sender.question;
    if (Chance(0.2)) {
      body["attachments"] = bj::array{bj::object{{"name", "plan " + number + ".txt"},
                                                 {"mime_type", "text/plain"},
                                                 {"content", Base64Encode(std::string(5000, 'x'))}}};
    }
    return {.key = "letter-of-the-oracle-" + number, .body = bj::serialize(body), .asked_again = Chance(0.2)};
  }

  /// On a thread of its own: asks until the server accepted, whatever dies meanwhile.
  static void PostAll(Sender& sender, std::size_t from, const std::string& url, const HttpCall& pattern) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (std::size_t i = from; i < sender.letters.size(); ++i) {
      Letter& letter = sender.letters[i];
      HttpCall call = pattern;
      call.method = "POST";
      call.url = url + "/api/v1/messages";
      call.body = letter.body;
      call.headers.push_back("Idempotency-Key: " + letter.key);
      bool again = letter.asked_again;
      while (std::chrono::steady_clock::now() < deadline) {
        const auto reply = Fetch(call);
        if (reply.status == 202) {
          const auto id = Text(reply.Json().at("id"));
          if (!letter.outbox_id.empty() && letter.outbox_id != id) {
            sender.breaches.push_back(letter.key + " became two mails");
          }
          letter.outbox_id = id;
          if (!std::exchange(again, false)) break;
        } else if (reply.status != 0 && reply.status != 429 && reply.status != 503) {
          sender.breaches.push_back(letter.key + ": " + std::to_string(reply.status) + " " + reply.body);
          break;
        } else {
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
      }
      if (letter.outbox_id.empty()) sender.breaches.push_back(letter.key + " was never accepted");
    }
  }

  /// Everybody writes, and the server dies meanwhile.
  void Round() {
    std::vector<std::thread> posts;
    for (Sender& sender : senders_) {
      const auto from = sender.letters.size();
      for (int i = 0; i < 2; ++i) sender.letters.push_back(Write(sender));
      HttpCall pattern;
      pattern.headers = {"Origin: " + server_.url(), "X-CSRF-Token: " + sender.person->csrf(),
                         "Content-Type: application/json",
                         "Cookie: " + sender.person->browser().CookieHeader(server_.url())};
      posts.emplace_back([&sender, from, url = server_.url(), pattern] { PostAll(sender, from, url, pattern); });
    }
    // Where in its work the server dies is the machine's dice: nothing may depend on it.
    std::this_thread::sleep_for(std::chrono::milliseconds(Pick(900)));
    server_.Kill();
    ++kills_;
    NoteWhereItDied();
    if (Chance(0.6)) PassTime();
    server_.Start();
    for (auto& post : posts) post.join();
  }

  std::string DatabasePath() const { return server_.database(); }

  void NoteWhereItDied() {
    DatabaseFile database(DatabasePath());
    std::set<std::string> places;
    for (const auto& row : database.Query(
             "SELECT a.provider, o.state, o.handed_over_at IS NOT NULL, o.draft_id <> '' FROM outbox o JOIN "
             "connected_accounts a ON a.id = o.connected_account_id WHERE o.state IN ('queued', 'sending')")) {
      const bool handed_over = row[2] == "1";
      const bool drafted = row[3] == "1";
      places.insert(row[0] + ": killed with one " + row[1] + (drafted ? ", drafted" : "") +
                    (handed_over ? ", handed over" : ""));
    }
    for (const auto& place : places) ++places_[place];
  }

  bool EveryPlace() {
    return std::ranges::all_of(kPlaces, [this](const char* place) { return places_[place] > 0; });
  }

  /// Ten minutes pass for the mails while the server is dead: what waits is due. What a person has been told of already
  /// is only looked for again when `told` says so: each such look reads many sent mails.
  void PassTime(bool told = false) {
    const std::string ten_minutes = ScratchDatabase::Possible() ? "interval '10 minutes'" : "600000000";
    const std::string state = told ? "" : " WHERE state <> 'unconfirmed'";
    DatabaseFile::Change(DatabasePath(),
                         "UPDATE jobs SET scheduled_at = scheduled_at - " + ten_minutes +
                             " WHERE finalized_at IS NULL AND unique_key IN (SELECT 'send_email:' || id "
                             "FROM outbox" +
                             state + ")");
    DatabaseFile::Change(DatabasePath(), "UPDATE outbox SET send_at = send_at - " + ten_minutes +
                                             ", sent_at = sent_at - " + ten_minutes +
                                             ", handed_over_at = handed_over_at - " + ten_minutes);
    // Pauses are over by then.
    DatabaseFile::Change(DatabasePath(), "DELETE FROM provider_pauses");
    simulator_.Post("/clock/advance", bj::object{{"seconds", 600}});
  }

  bool NothingIsDue() {
    const auto micros =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
    const std::string now = ScratchDatabase::Possible() ? "now()" : std::to_string(micros.count());
    DatabaseFile database(DatabasePath());
    return database
               .Query(
                   "SELECT count(*) FROM jobs WHERE kind = 'send_email' AND finalized_at IS NULL AND (state = "
                   "'running' OR scheduled_at <= " +
                   now + ")")
               .at(0)
               .at(0) == "0";
  }
  /// What still changes by itself: everything but what a person has to decide.
  std::vector<std::vector<std::string>> Unsettled() {
    DatabaseFile database(DatabasePath());
    return database.Query(
        "SELECT o.id, o.state, o.error_code, o.checks, a.provider, j.state, j.last_error FROM outbox o JOIN "
        "connected_accounts a ON a.id = o.connected_account_id LEFT JOIN jobs j ON j.unique_key = 'send_email:' || "
        "o.id AND j.finalized_at IS NULL WHERE o.state IN ('queued', 'sending') OR (o.state = 'sent' AND j.id IS NOT "
        "NULL)");
  }
  /// The weather clears up, and hours pass.
  void Settle() {
    // At least three lives: what could not be looked for while faults went on is looked for again.
    for (int life = 0; life < 25 && (life < 3 || !Unsettled().empty()); ++life) {
      server_.Kill();
      PassTime(life == 1);
      server_.Start();
      ASSERT_TRUE(WaitUntil([&] { return NothingIsDue(); }, std::chrono::minutes(4)));
    }
    ASSERT_THAT(Unsettled(), IsEmpty());
  }

  /// What left the mailbox, by our header: {asked for, doubled by the provider}.
  std::map<std::string, std::pair<int, int>> Left(const Sender& sender) {
    std::map<std::string, std::pair<int, int>> out;
    const auto sent = simulator_.Get("/sent/" + sender.mailbox);
    for (const auto& message : sent.at("messages").as_array()) {
      std::string id;
      for (const auto& [name, value] : message.at("headers").as_object()) {
        if (name.size() == 20 && (name.starts_with("X-Latchkey-O") || name.starts_with("x-latchkey-o")))
          id = Text(value);
      }
      EXPECT_NE(id, "") << bj::serialize(message);
      auto& [asked, doubled] = out[id];
      ++(message.at("duplicate").as_bool() ? doubled : asked);
    }
    return out;
  }
  /// The provider's ids of what stands in Sent.
  std::multiset<std::string> SentAtProvider(const Sender& sender) {
    std::multiset<std::string> out;
    const auto all = simulator_.Get("/mail/" + sender.mailbox + "/messages?limit=1000");
    for (const auto& message : all.at("messages").as_array()) {
      bool sent = false;
      if (sender.provider == "google") {
        for (const auto& label : message.at("labelIds").as_array()) {
          sent = sent || Text(label) == "SENT";
          EXPECT_NE(Text(label), "DRAFT") << "a draft of ours is left behind: " << bj::serialize(message);
        }
      } else {
        sent = Text(message.at("folder")) == "sentitems";
        // Nor in the bin, where the person would wonder what it is.
        EXPECT_FALSE(message.at("isDraft").as_bool()) << "a draft of ours is left behind: " << bj::serialize(message);
      }
      if (sent) out.insert(Text(message.at("id")));
    }
    return out;
  }
  std::multiset<std::string> SentInStore(const Sender& sender) {
    std::multiset<std::string> out;
    DatabaseFile database(DatabasePath());
    for (const auto& row : database.Query(
             "SELECT m.external_message_id FROM synced_messages m JOIN message_labels p ON p.message_row = m.row_id "
             "JOIN labels l ON l.row_id = p.label_row WHERE l.role = 'sent' AND m.connected_account_id = '" +
             sender.account + "'")) {
      out.insert(row[0]);
    }
    return out;
  }

  void Judge(const Sender& sender) {
    SCOPED_TRACE(sender.mailbox + ", seed " + std::to_string(seed_));
    EXPECT_THAT(sender.breaches, IsEmpty());
    const auto left = Left(sender);
    ASSERT_TRUE(WaitUntil([&] { return SentInStore(sender) == SentAtProvider(sender); }))
        << ::testing::PrintToString(SentInStore(sender)) << " is stored, there is "
        << ::testing::PrintToString(SentAtProvider(sender));
    for (const Letter& letter : sender.letters) {
      const auto reply = sender.person->Get("/api/v1/outbox/" + letter.outbox_id);
      ASSERT_EQ(reply.status, 200) << letter.key << " was accepted and is gone";
      const auto entry = reply.Json();
      const auto state = Text(entry.at("state"));
      const auto found = left.find(letter.outbox_id);
      const int times = found == left.end() ? 0 : found->second.first;
      doubled_ += found == left.end() ? 0 : found->second.second;
      ++states_[sender.provider + ": " + state];
      EXPECT_LE(times, 1) << letter.key << " left twice: " << reply.body;
      EXPECT_EQ(times, state == "sent" ? 1 : 0) << letter.key << ": " << reply.body;
      if (state == "sent") {
        EXPECT_FALSE(entry.at("message_id").is_null()) << letter.key << ": its copy is not known";
      } else {
        EXPECT_FALSE(entry.at("error_code").is_null()) << letter.key << " without a cause: " << reply.body;
        EXPECT_EQ(state, "unconfirmed") << "nothing here is hopeless: " << reply.body;
      }
    }
  }

  unsigned long seed_ = FromEnvironment("LATCHKEY_ORACLE_SEED", 20261121);
  Random random_{seed_};
  SendFaults faults_{simulator_, random_};
  std::vector<Sender> senders_;
  std::map<std::string, int> places_, states_;
  unsigned long kills_ = 0;
  int written_ = 0, doubled_ = 0;
};

TEST_F(SendingOracle, FiveHundredFaultsLeaveNoDuplicateAndNoSilentLoss) {
  const auto wanted = FromEnvironment("LATCHKEY_ORACLE_FAULTS", 500);
  constexpr unsigned long kMostRounds = 90, kMostWaiting = 60;
  RecordProperty("seed", std::to_string(seed_));
  std::cout << "seed " << seed_ << ", " << wanted << " faults\n";
  SendFaults::Counts counts;
  const auto missing = [&] {
    return counts.reached + kills_ < wanted || (wanted >= 500 && !(counts.EveryKind() && EveryPlace()));
  };
  for (unsigned long round = 0; round < kMostRounds && missing(); ++round) {
    for (unsigned long waiting = counts.injected - counts.reached; waiting < kMostWaiting; ++waiting) {
      const Sender& sender = senders_[Pick(senders_.size())];
      faults_.Add(sender.provider, sender.mailbox);
    }
    for (const Sender& sender : senders_) {
      if (sender.provider == "google" && places_[kPlaces[0]] == 0) faults_.LingerBeforeSending(sender.mailbox);
    }
    Round();
    counts = faults_.Count();
    if (HasFatalFailure()) return;
  }
  faults_.End();
  Settle();
  if (HasFatalFailure()) return;
  for (const Sender& sender : senders_) Judge(sender);

  std::cout << counts.reached << " faults at the provider and " << kills_ << " kills met " << written_ << " mails\n";
  for (const auto& [kind, times] : counts.by_kind) std::cout << "  " << times << "  " << kind << '\n';
  for (const auto& [place, times] : places_) std::cout << "  " << times << "  " << place << '\n';
  for (const auto& [state, times] : states_) std::cout << "  " << times << "  " << state << '\n';
  EXPECT_GE(counts.reached + kills_, wanted);
  if (wanted < 500) return;
  for (const auto& [kind, times] : counts.by_kind) EXPECT_GT(times, 0U) << kind << " was never reached";
  for (const char* place : kPlaces) EXPECT_GT(places_[place], 0) << place;
  EXPECT_GT(doubled_, 0) << "the provider never sent one twice by itself";
}

}  // namespace
}  // namespace latchkey::integration
