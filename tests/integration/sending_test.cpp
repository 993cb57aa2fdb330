#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "tests/integration/support/database_file.hpp"
#include "tests/integration/support/fixture.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Sending : public IntegrationTest {
 protected:
  void SetUp() override {
    IntegrationTest::SetUp();
    ada_ = NewPerson();
    ada_->SignIn();
    account_ = ada_->Connect(kAda, {"read_mail", "send_mail"});
    ada_->WaitUntilImported(account_);
    // Whoever offers sending to a person looks here first.
    EXPECT_EQ(ada_->Get("/api/v1/connected-accounts/" + account_)
                  .Json()
                  .at("capabilities")
                  .at("send_mail")
                  .at("status")
                  .as_string(),
              "ok");
  }

  bj::object Letter(const std::string& subject) {
    return {{"account", account_},
            {"to", {{{"name", "Grace Beispiel"}, {"address", kGrace}}}},
            {"bcc", {{{"address", "hidden@example.org"}}}},
            {"subject", subject},
            {"text", "Grüße\n"},
            {"html", "<p>Grüße</p>"}};
  }
  HttpReply PostLetter(const bj::object& letter, const std::string& key) {
    return ada_->SendRaw(Signed("POST", "/api/v1/messages", bj::serialize(letter), "application/json", key));
  }
  HttpCall Signed(const std::string& method, const std::string& path, const std::string& body, const std::string& type,
                  const std::string& key = "") {
    HttpCall call{.method = method, .url = ada_->Url(path), .headers = {}, .body = body};
    call.headers = {"Origin: " + server_.url(), "X-CSRF-Token: " + ada_->csrf(), "Content-Type: " + type};
    if (!key.empty()) call.headers.push_back("Idempotency-Key: " + key);
    return call;
  }
  HttpReply Upload(const std::string& bytes, const std::string& name = "minutes.pdf") {
    return ada_->SendRaw(
        Signed("POST", "/api/v1/uploads?name=" + name + "&type=application/pdf", bytes, "application/octet-stream"));
  }
  std::string StateOf(const std::string& id) {
    return std::string(ada_->Get("/api/v1/outbox/" + id).Json().at("state").as_string());
  }
  /// What stands in Sent at the provider and came back through the sync.
  bj::array SentWith(const std::string& subject) {
    bj::array found;
    for (const auto& message : ada_->Messages("&folder=sent")) {
      if (message.at("subject").as_string() == bj::string(subject)) found.push_back(message);
    }
    return found;
  }

  std::unique_ptr<Person> ada_;
  std::string account_;
};

TEST_F(Sending, AMailGoesOutOnceAndItsCopyAppearsOnce) {
  auto events = ada_->OpenEvents();
  const auto addresses = ada_->Get("/api/v1/connected-accounts/" + account_ + "/send-addresses");
  ASSERT_EQ(addresses.status, 200) << addresses.body;
  EXPECT_EQ(addresses.Json().at("addresses").at(0).at("address").as_string(), kAda);
  const auto uploaded = Upload(std::string(700'000, '\xFE'));
  ASSERT_EQ(uploaded.status, 201) << uploaded.body;
  EXPECT_EQ(uploaded.Json().at("size").to_number<int>(), 700'000);
  auto letter = Letter("Minutes — of the meeting");
  letter["attachments"] =
      bj::array{bj::object{{"upload_id", uploaded.Json().at("id")}},
                bj::object{{"name", "a.txt"}, {"mime_type", "text/plain"}, {"content", "aGVsbG8="}}};
  const auto accepted = PostLetter(letter, "key-of-the-minutes-1");
  ASSERT_EQ(accepted.status, 202) << accepted.body;
  const std::string id(accepted.Json().at("id").as_string());
  EXPECT_EQ(std::string(PostLetter(letter, "key-of-the-minutes-1").Json().at("id").as_string()), id);
  letter["subject"] = "Other";
  EXPECT_EQ(PostLetter(letter, "key-of-the-minutes-1").Code(), "idempotency_key_reused");

  ASSERT_TRUE(WaitUntil([&] { return StateOf(id) == "sent"; })) << ada_->Get("/api/v1/outbox/" + id).body;
  ASSERT_TRUE(WaitUntil([&] { return !ada_->Get("/api/v1/outbox/" + id).Json().at("message_id").is_null(); }));
  const auto sent = SentWith("Minutes — of the meeting");
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].at("id"), ada_->Get("/api/v1/outbox/" + id).Json().at("message_id"));
  const auto detail = ada_->Get("/api/v1/messages/" + std::string(sent[0].at("id").as_string())).Json();
  ASSERT_THAT(detail.at("attachments").as_array(), SizeIs(2));
  EXPECT_THAT(std::string(detail.at("text").as_string()), HasSubstr("Grüße"));
  const auto file = ada_->Get("/api/v1/messages/" + std::string(sent[0].at("id").as_string()) + "/attachments/" +
                              std::string(detail.at("attachments").at(0).at("id").as_string()));
  EXPECT_EQ(file.body, std::string(700'000, '\xFE'));
  EXPECT_TRUE(events->WaitFor([](const StreamedEvent& event) { return event.type == "outbox.changed"; }, kPatience));
  const auto listed = ada_->Get("/api/v1/outbox?account=" + account_).Json().at("items").as_array();
  ASSERT_THAT(listed, SizeIs(1));
  EXPECT_EQ(ada_->Send("DELETE", "/api/v1/outbox/" + id).status, 200);
  EXPECT_THAT(ada_->Get("/api/v1/outbox").Json().at("items").as_array(), IsEmpty());
  EXPECT_EQ(ada_->Post("/api/v1/outbox/" + id + "/retry").Code(), "conflict");
}

TEST_F(Sending, AReplyStaysInItsConversation) {
  auto original = Mail("Question");
  original["message_id"] = "<question@example.org>";
  simulator_.Deliver(kAda, original);
  ASSERT_TRUE(WaitUntil([&] { return ada_->Messages().size() == 1; }));
  const auto question = ada_->Messages()[0];
  auto letter = Letter("Re: Question");
  letter["reply_to_message"] = question.at("id");
  const auto accepted = PostLetter(letter, "key-of-the-reply-001");
  ASSERT_EQ(accepted.status, 202) << accepted.body;
  ASSERT_TRUE(WaitUntil([&] { return SentWith("Re: Question").size() == 1; }));
  EXPECT_EQ(SentWith("Re: Question")[0].at("thread_id"), question.at("thread_id"));
}

TEST_F(Sending, WhatIsPassedOnBringsItsFilesAlong) {
  auto original = Mail("Plan");
  original["attachments"] = bj::array{bj::object{{"filename", "plan.txt"}, {"text", "the plan"}}};
  simulator_.Deliver(kAda, original);
  ASSERT_TRUE(WaitUntil([&] { return ada_->Messages().size() == 1; }));
  auto letter = Letter("Fwd: Plan");
  letter["forward_of_message"] = ada_->Messages()[0].at("id");
  const auto accepted = PostLetter(letter, "key-of-the-forward-1");
  ASSERT_EQ(accepted.status, 202) << accepted.body;
  ASSERT_TRUE(WaitUntil([&] { return SentWith("Fwd: Plan").size() == 1; }));
  const auto detail =
      ada_->Get("/api/v1/messages/" + std::string(SentWith("Fwd: Plan")[0].at("id").as_string())).Json();
  ASSERT_THAT(detail.at("attachments").as_array(), SizeIs(1));
  EXPECT_EQ(detail.at("attachments").at(0).at("name").as_string(), "plan.txt");
}

TEST_F(Sending, WhatWaitsCanBeUndoneAndWhatIsWrongIsRefused) {
  auto letter = Letter("Regret");
  letter["send_after_seconds"] = 60;
  const auto accepted = PostLetter(letter, "key-of-the-regret-01");
  ASSERT_EQ(accepted.status, 202) << accepted.body;
  const std::string id(accepted.Json().at("id").as_string());
  EXPECT_EQ(StateOf(id), "queued");
  const auto undone = ada_->Send("DELETE", "/api/v1/outbox/" + id);
  EXPECT_EQ(undone.Json().at("state").as_string(), "cancelled");

  EXPECT_EQ(ada_->Post("/api/v1/messages", bj::serialize(letter)).Code(), "invalid_argument") << "without a key";
  letter["from"] = "somebody@example.net";
  EXPECT_EQ(PostLetter(letter, "key-of-the-stranger-1").Code(), "sender_not_allowed");
  letter.erase("from");
  for (const char* address : {"a@example.org\r\nBcc: x@example.org", "a@example.org,b@example.org", "nobody"}) {
    letter["to"] = bj::array{bj::object{{"address", address}}};
    EXPECT_EQ(PostLetter(letter, "key-of-the-attack-001").status, 400) << address;
  }
  EXPECT_EQ(Upload(std::string(26 << 20, 'x')).Code(), "attachment_too_large");
  const auto upload = Upload("short");
  EXPECT_EQ(ada_->Send("DELETE", "/api/v1/uploads/" + std::string(upload.Json().at("id").as_string())).status, 204);

  const auto reading = ada_->Connect(kGrace, {"read_mail"});
  auto other = Letter("No right");
  other["account"] = reading;
  EXPECT_EQ(PostLetter(other, "key-without-a-right-1").Code(), "send_scope_missing");
}

TEST_F(Sending, TheSeedsRouteSendsFromTheOnlyAccount) {
  auto letter = Letter("By provider");
  letter.erase("account");
  const auto accepted = ada_->Post("/send/google", bj::serialize(letter));
  ASSERT_EQ(accepted.status, 202) << accepted.body;
  ASSERT_TRUE(WaitUntil([&] { return SentWith("By provider").size() == 1; }));
  EXPECT_EQ(ada_->Post("/send/microsoft", bj::serialize(letter)).status, 404);
}

TEST_F(Sending, KilledAtAnyTimeNothingIsSentTwiceOrLost) {
  constexpr int kMails = 12;
  std::vector<std::string> ids;
  for (int i = 0; i < kMails; ++i) {
    const auto accepted = PostLetter(Letter("Kill " + std::to_string(i)), "key-before-the-kill-" + std::to_string(i));
    ASSERT_EQ(accepted.status, 202) << accepted.body;
    ids.emplace_back(accepted.Json().at("id").as_string());
    if (i % 3 == 2) {
      server_.Kill();
      server_.Start();
    }
  }
  const auto settled = [&](const std::string& id) {
    const auto state = StateOf(id);
    return state == "sent" || state == "unconfirmed";
  };
  for (const auto& id : ids) ASSERT_TRUE(WaitUntil([&] { return settled(id); })) << StateOf(id);
  for (int i = 0; i < kMails; ++i) {
    const bool sent = StateOf(ids[static_cast<std::size_t>(i)]) == "sent";
    const auto subject = "Kill " + std::to_string(i);
    if (sent) EXPECT_TRUE(WaitUntil([&] { return SentWith(subject).size() == 1; })) << subject;
    EXPECT_LE(SentWith(subject).size(), 1U) << subject;
  }
}

}  // namespace
}  // namespace latchkey::integration
