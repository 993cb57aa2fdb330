// Mail that is large, answers or passes on, or leaves under another of the account's addresses: through the real
// program at both providers, with faults in the middle of what takes long.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <openssl/sha.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <fstream>
#include <iostream>
#include <random>

#include "base/encoding.hpp"
#include "tests/integration/support/fixture.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string Text(const bj::value& value) { return value.is_string() ? std::string(value.as_string()) : std::string(); }

std::string Hash(const std::string& bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return HexEncode(digest);
}

/// Bytes that no encoding and no compression makes smaller.
std::string Noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::mt19937_64 random(size);
  for (std::size_t at = 0; at + 8 <= size; at += 8) {
    const auto word = random();
    std::copy_n(reinterpret_cast<const char*>(&word), 8, bytes.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return bytes;
}

class LargeMail : public IntegrationTest, public ::testing::WithParamInterface<std::string> {
 protected:
  LargeMail() { start_server_ = false; }

  void SetUp() override {
    auto& environment = server_.environment();
    environment["AUTH_MICROSOFT_CLIENT_ID"] = kMicrosoftClientId;
    environment["AUTH_MICROSOFT_CLIENT_SECRET"] = kMicrosoftClientSecret;
    environment["MICROSOFT_DISCOVERY_URL"] = simulator_.microsoft_discovery_url();
    environment["MICROSOFT_GRAPH_URL"] = simulator_.url();
    if (!google()) email_ = "noor@example.net";
    AddAccount(email_, {{"aliases", {"sales@example.net", "Info@example.net"}}});
    IntegrationTest::SetUp();
    server_.Start();
    ada_ = std::make_unique<Person>(server_, simulator_, email_, GetParam());
    ada_->SignIn();
    account_ = ada_->Connect(email_, {"read_mail", "send_mail"});
    ada_->WaitUntilImported(account_);
  }

  bool google() const { return GetParam() == "google"; }
  void AddAccount(const std::string& email, bj::object more) {
    more["email"] = email;
    more["provider"] = GetParam();
    more["name"] = "Ada Example";
    simulator_.Post("/accounts", more);
  }

  bj::object Letter(const std::string& subject) {
    return {{"account", account_},
            {"to", {{{"name", "Ilse Brandt"}, {"address", "ilse.brandt@elsewhere.example"}}}},
            {"subject", subject},
            {"text", "Grüße\n"}};
  }
  HttpReply PostSigned(const std::string& path, const std::string& body, const std::string& type,
                       const std::string& key = "") {
    HttpCall call{.method = "POST", .url = ada_->Url(path), .headers = {}, .body = body};
    call.headers = {"Origin: " + server_.url(), "X-CSRF-Token: " + ada_->csrf(), "Content-Type: " + type};
    if (!key.empty()) call.headers.push_back("Idempotency-Key: " + key);
    return ada_->SendRaw(call);
  }
  HttpReply PostLetter(const bj::object& letter) {
    return PostSigned("/api/v1/messages", bj::serialize(letter), "application/json",
                      "key-of-letter-number-" + std::to_string(++letters_));
  }
  std::string Upload(const std::string& bytes, const std::string& name) {
    const auto reply =
        PostSigned("/api/v1/uploads?name=" + name + "&type=application/zip", bytes, "application/octet-stream");
    EXPECT_EQ(reply.status, 201) << reply.body;
    return Text(reply.Json().at("id"));
  }
  /// The outbox entry once it is sent and its copy is stored.
  bj::value SendAndWait(const bj::object& letter) {
    const auto accepted = PostLetter(letter);
    EXPECT_EQ(accepted.status, 202) << accepted.body;
    if (accepted.status != 202) return {};
    const auto path = "/api/v1/outbox/" + Text(accepted.Json().at("id"));
    EXPECT_TRUE(WaitUntil([&] { return !ada_->Get(path).Json().at("message_id").is_null(); }, std::chrono::minutes(3)))
        << ada_->Get(path).body;
    return ada_->Get(path).Json();
  }
  bj::array Sent() { return simulator_.Get("/sent/" + email_).at("messages").as_array(); }

  /// A line of /proc/PID/status in MB.
  double Megabytes(const std::string& name) {
    std::ifstream status("/proc/" + std::to_string(server_.process().pid()) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with(name + ":")) return std::stod(line.substr(name.size() + 1)) / 1024;
    }
    return 0;
  }
  void PrintMemory(const std::string& when) {
    std::cout << when << ": the server has " << Megabytes("VmRSS") << " MB, at most " << Megabytes("VmHWM")
              << " MB so far (built with sanitizers these count two or three times)\n";
  }

  void Fault(bj::object fault) {
    fault["count"] = 1;
    simulator_.Post("/faults", fault);
  }
  unsigned long Requests(const std::string& route) {
    unsigned long count = 0;
    const auto counters = simulator_.Get("/counters");
    for (const auto& [name, entry] : counters.at("requests").as_object()) {
      if (std::string_view(name).find(route) != std::string_view::npos)
        count += entry.at("count").to_number<unsigned long>();
    }
    return count;
  }
  unsigned long FaultsFired() {
    unsigned long fired = 0;
    const auto counters = simulator_.Get("/counters");
    for (const auto& [id, entry] : counters.at("faults").as_object())
      fired += entry.at("fired").to_number<unsigned long>();
    return fired;
  }
  /// Delivers a question with a file, and waits until it is stored; its summary.
  bj::value Question() {
    auto original = Mail("Plan for spring");
    original["to"] = email_;
    original["message_id"] = "<plan@example.net>";
    original["headers"] = bj::object{{"References", "<idea@example.net>"}};
    original["attachments"] = bj::array{bj::object{{"filename", "plan.txt"}, {"text", "the plan"}}};
    simulator_.Deliver(email_, original);
    EXPECT_TRUE(WaitUntil([&] { return ada_->Messages("&folder=inbox").size() == 1; }));
    return ada_->Messages("&folder=inbox").at(0);
  }
  static std::vector<std::string> Names(const bj::value& message) {
    std::vector<std::string> names;
    for (const auto& file : message.at("attachments").as_array()) names.push_back(Text(file.at("name")));
    std::ranges::sort(names);
    return names;
  }

  std::string email_ = "ada.large@example.com";
  std::string account_;
  std::unique_ptr<Person> ada_;
  int letters_ = 0;
};

TEST_P(LargeMail, GoesOutWholeThroughFaultsInTheMiddleAndComesBackWhole) {
  const std::string bytes = Noise(20'000'000);
  PrintMemory("before a file of 20 MB");
  auto letter = Letter("The archive");
  letter["attachments"] = bj::array{bj::object{{"upload_id", Upload(bytes, "archive.zip")}}};
  PrintMemory("once it is uploaded");
  if (google()) {
    const std::string path = "/upload/gmail/v1/users/*/drafts";
    Fault({{"kind", "respond"}, {"payload", "gmail.authError.401"}, {"path", path}});
    Fault({{"kind", "respond"}, {"status", 429}, {"retry_after_seconds", 1}, {"path", path}});
    Fault({{"kind", "lose_answer"}, {"path", path}});
  } else {
    // Six pieces: one never arrives, of one the answer is lost, one is refused, of one the answer cannot be read, and
    // of the last one nobody learns that it was the last. A fault does not count what one before it took. What is lost
    // on a kept connection libcurl sends again by itself, so the client asks only once where the session stands.
    const char* path = "/api/v2.0/**";
    Fault({{"kind", "reset"}, {"path", path}, {"method", "PUT"}, {"skip", 1}});
    Fault({{"kind", "lose_answer"}, {"path", path}, {"method", "PUT"}, {"skip", 2}});
    Fault({{"kind", "respond"},
           {"status", 503},
           {"body", "<html>busy</html>"},
           {"path", path},
           {"method", "PUT"},
           {"skip", 2}});
    Fault({{"kind", "respond"}, {"payload", "graph.error.UnknownError.504"}, {"path", path}, {"method", "GET"}});
    Fault({{"kind", "lose_answer"}, {"path", path}, {"method", "PUT"}, {"skip", 4}});
  }
  const auto entry = SendAndWait(letter);
  ASSERT_EQ(Text(entry.at("state")), "sent") << bj::serialize(entry);
  PrintMemory("once it is sent");
  EXPECT_EQ(FaultsFired(), google() ? 3U : 5U) << bj::serialize(simulator_.Get("/counters"));
  ASSERT_THAT(Sent(), SizeIs(1));
  const auto sent = Sent()[0];
  ASSERT_THAT(Names(sent), ElementsAre("archive.zip"));
  EXPECT_EQ(Text(sent.at("attachments").at(0).at("hash")), Hash(bytes));
  if (!google()) {
    EXPECT_EQ(Requests("createUploadSession"), 1U) << "it goes on where it was, and does not begin again";
  }
  const auto message = Text(entry.at("message_id"));
  const auto detail = ada_->Get("/api/v1/messages/" + message).Json();
  ASSERT_THAT(detail.at("attachments").as_array(), SizeIs(1));
  const auto file =
      ada_->Get("/api/v1/messages/" + message + "/attachments/" + Text(detail.at("attachments").at(0).at("id")));
  EXPECT_EQ(file.body.size(), bytes.size());
  EXPECT_TRUE(file.body == bytes);
  PrintMemory("once it is read again");
}

TEST_P(LargeMail, AReplyStaysInItsConversationAndBringsItsOwnFilesAlone) {
  const auto question = Question();
  auto letter = Letter("Re: Plan for spring");
  letter["reply_to_message"] = question.at("id");
  letter["attachments"] =
      bj::array{bj::object{{"upload_id", Upload(Noise(4'000'000), "answer.zip")}},
                bj::object{{"name", "note.txt"}, {"mime_type", "text/plain"}, {"content", "bm90ZQ=="}}};
  const auto entry = SendAndWait(letter);
  ASSERT_THAT(Sent(), SizeIs(1));
  const auto sent = Sent()[0];
  EXPECT_EQ(Text(sent.at("in_reply_to")), "<plan@example.net>");
  EXPECT_EQ(Text(sent.at("references")), "<idea@example.net> <plan@example.net>");
  EXPECT_THAT(Names(sent), ElementsAre("answer.zip", "note.txt"));
  const auto copy = ada_->Get("/api/v1/messages/" + Text(entry.at("message_id"))).Json();
  EXPECT_EQ(copy.at("thread_id"), question.at("thread_id"));
  EXPECT_THAT(copy.at("attachments").as_array(), SizeIs(2));
}

TEST_P(LargeMail, AForwardBringsTheOriginalsFilesAlongAndNamesWhereItComesFrom) {
  const auto question = Question();
  auto letter = Letter("Fwd: Plan for spring");
  letter["forward_of_message"] = question.at("id");
  letter["attachments"] = bj::array{bj::object{{"upload_id", Upload(Noise(4'000'000), "more.zip")}}};
  // Half made, then begun again: nothing may be attached twice.
  Fault(google() ? bj::object{{"kind", "lose_answer"}, {"path", "/upload/gmail/v1/users/*/drafts"}}
                 : bj::object{{"kind", "lose_answer"}, {"path", "/api/v2.0/**"}, {"method", "PUT"}, {"skip", 1}});
  const auto entry = SendAndWait(letter);
  EXPECT_EQ(FaultsFired(), 1U);
  ASSERT_THAT(Sent(), SizeIs(1));
  const auto sent = Sent()[0];
  ASSERT_THAT(Names(sent), ElementsAre("more.zip", "plan.txt"));
  for (const auto& file : sent.at("attachments").as_array()) {
    EXPECT_EQ(Text(file.at("hash")), Text(file.at("name")) == "plan.txt" ? Hash("the plan") : Hash(Noise(4'000'000)));
  }
  EXPECT_THAT(Text(sent.at("references")), HasSubstr("<plan@example.net>"));
  EXPECT_EQ(Text(sent.at("to").at(0).at("email")), "ilse.brandt@elsewhere.example");
  EXPECT_EQ(Text(sent.at("subject")), "Fwd: Plan for spring");
  const auto copy = ada_->Get("/api/v1/messages/" + Text(entry.at("message_id"))).Json();
  EXPECT_THAT(copy.at("attachments").as_array(), SizeIs(2));
  // Gmail puts what was passed on into a conversation of its own, Outlook keeps it beside the original.
  EXPECT_EQ(copy.at("thread_id") == question.at("thread_id"), !google());
}

TEST_P(LargeMail, LeavesUnderAddressesOfThisAccountOnly) {
  AddAccount("grace.other@example.org", {{"aliases", {"grace.alias@example.org"}}});
  simulator_.Patch("/accounts/" + email_, bj::object{{"pending_aliases", {"pending@example.net"}}});
  const auto other = ada_->Connect("grace.other@example.org", {"read_mail", "send_mail"});
  std::vector<std::string> addresses;
  const auto listed = ada_->Get("/api/v1/connected-accounts/" + account_ + "/send-addresses").Json();
  for (const auto& address : listed.at("addresses").as_array()) addresses.push_back(Text(address.at("address")));
  EXPECT_THAT(addresses, ElementsAre(email_, "sales@example.net", "Info@example.net"));
  auto letter = Letter("From sales");
  letter["from"] = "Sales@Example.net";
  SendAndWait(letter);
  ASSERT_THAT(Sent(), SizeIs(1));
  EXPECT_EQ(Text(Sent()[0].at("from").at(0).at("email")), "sales@example.net");
  for (const char* stranger : {"pending@example.net", "grace.alias@example.org", "grace.other@example.org",
                               "ceo@example.net", "sales@example.net.example.org"}) {
    letter["from"] = stranger;
    const auto refused = PostLetter(letter);
    EXPECT_EQ(refused.Code(), "sender_not_allowed") << stranger << " " << refused.body;
  }
  letter["account"] = other;
  letter["from"] = "sales@example.net";
  EXPECT_EQ(PostLetter(letter).Code(), "sender_not_allowed") << "an alias of the person's other account";
  EXPECT_THAT(Sent(), SizeIs(1));
  EXPECT_THAT(simulator_.Get("/sent/grace.other@example.org").at("messages").as_array(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Providers, LargeMail, ::testing::Values("google", "microsoft"),
                         [](const auto& provider) { return provider.param; });

}  // namespace
}  // namespace latchkey::integration
