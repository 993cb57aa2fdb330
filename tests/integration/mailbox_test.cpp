#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/clock.hpp"
#include "tests/integration/support/database_file.hpp"
#include "tests/integration/support/fixture.hpp"
#include "tests/integration/support/mailbox_oracle.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Mailbox : public IntegrationTest {
 protected:
  void SetUp() override {
    IntegrationTest::SetUp();
    ada_ = NewPerson();
    ada_->SignIn();
  }

  bool SameAsTruth(bool with_details = false) { return Differences(with_details).empty(); }
  std::vector<std::string> Differences(bool with_details) {
    auto truth = TrueMailbox(simulator_, kAda);
    if (!with_details) truth = WithoutDetails(std::move(truth));
    return Compare(truth, StoredMailbox(server_, *ada_, with_details));
  }
  void ExpectSameAsTruth() {
    if (!WaitUntil([&] { return SameAsTruth(); })) EXPECT_THAT(Differences(false), IsEmpty());
    EXPECT_THAT(Differences(true), IsEmpty());
  }

  static std::string Role(const std::string& folder) { return "&folder=" + folder; }

  std::unique_ptr<Person> ada_;
};

bj::object ManyMessages(int count, const std::string& prefix) {
  bj::array messages;
  for (int i = 0; i < count; ++i) {
    auto mail = Mail(prefix + " " + std::to_string(i), "Body " + std::to_string(i) + " of " + prefix + "\n\nRegards\n");
    mail["message_id"] = "<" + prefix + "." + std::to_string(i) + "@example.net>";
    mail["date"] =
        FormatInstant(Instant(std::chrono::sys_days(std::chrono::year(2026) / 3 / 1)) + std::chrono::hours(i));
    if (i % 5 == 0) mail["cc"] = "Zoë Кириллова <zoe@example.org>, plain@example.org";
    if (i % 7 == 0) mail["html"] = "<p>Hello <b>" + std::to_string(i) + "</b></p>";
    if (i % 6 == 0)
      mail["attachments"] = bj::array{
          bj::object{{"filename", "Plan " + std::to_string(i) + ".txt"}, {"text", "content " + std::to_string(i)}}};
    if (i % 4 == 0) mail["label_ids"] = bj::array{"INBOX"};
    messages.push_back(std::move(mail));
  }
  return {{"messages", std::move(messages)}};
}

TEST_F(Mailbox, ConnectImportLiveSearchDisconnectNothingLeft) {
  simulator_.Post(std::string("/mail/") + kAda + "/messages", ManyMessages(260, "canarysubject"));
  auto events = ada_->OpenEvents();
  const auto account = ada_->Connect(kAda);
  ASSERT_FALSE(account.empty());

  // The newest hundred are readable before everything is there.
  ASSERT_TRUE(WaitUntil([&] { return ada_->Messages().size() >= 100; }));
  EXPECT_TRUE(ada_->Messages()[0].at("subject").as_string().starts_with("canarysubject"));
  ada_->WaitUntilImported(account);
  ExpectSameAsTruth();
  const auto view = ada_->Account(account);
  EXPECT_EQ(view.at("message_count").to_number<int>(), 260);
  EXPECT_FALSE(view.at("last_success_at").is_null());
  EXPECT_TRUE(events->WaitFor([](const StreamedEvent& event) { return event.type == "account.updated"; }, kPatience));

  // New mail, a read mark, a star and a deletion arrive.
  const auto fresh = simulator_.Deliver(kAda, Mail("Fresh words", "zanzibar quagga"));
  const auto listed = [&](const std::string& query) { return ada_->Messages(query).size(); };
  EXPECT_TRUE(WaitUntil([&] { return listed("&q=zanzibar") == 1; }));
  simulator_.Patch(std::string("/mail/") + kAda + "/messages/" + fresh,
                   bj::object{{"add_labels", {"STARRED"}}, {"remove_labels", {"UNREAD"}}});
  EXPECT_TRUE(WaitUntil([&] { return listed("&folder=starred") == 1; }));
  EXPECT_TRUE(ada_->Messages("&folder=starred")[0].at("is_read").as_bool());
  simulator_.Delete(std::string("/mail/") + kAda + "/messages/" + fresh);
  EXPECT_TRUE(WaitUntil([&] { return listed("&q=zanzibar") == 0; }));
  EXPECT_TRUE(events->WaitFor([](const StreamedEvent& event) { return event.type == "message.deleted"; }, kPatience));
  ExpectSameAsTruth();

  // Search over stored mail: words of subject, people and text; the last may be a beginning.
  EXPECT_TRUE(WaitUntil([&] { return listed("&q=canarysubject%20259") >= 1; }));
  EXPECT_GE(listed("&q=zoe%40example.org"), 1U);
  EXPECT_EQ(listed("&q=nosuchwordanywhere"), 0U);

  // Labels, activity, health and progress have something to tell.
  const auto labels = ada_->Get("/api/v1/labels?account=" + account).Json().at("items").as_array();
  EXPECT_TRUE(std::ranges::any_of(labels, [](const bj::value& label) {
    return label.at("role") == "inbox" && label.at("total").to_number<int>() > 0;
  }));
  EXPECT_EQ(ada_->Get("/api/v1/connected-accounts/" + account + "/health").status, 200);
  EXPECT_FALSE(ada_->Get("/api/v1/connected-accounts/" + account + "/activity").Json().at("items").as_array().empty());
  for (const auto* path :
       {"/api/v1/sync-status", "/api/sync-status", "/api/connected-accounts", "/api/v1/email-connections"})
    EXPECT_EQ(ada_->Get(path).Json().at("items").as_array().size(), 1U) << path;

  // Disconnect.
  const auto preview = ada_->Get("/api/v1/connected-accounts/" + account + "/erasure-preview");
  EXPECT_EQ(preview.Json().at("counts").at("synced_messages").to_number<int>(), 260);
  const auto begun = ada_->Send("DELETE", "/api/v1/connected-accounts/" + account);
  ASSERT_EQ(begun.status, 202) << begun.body;
  EXPECT_TRUE(ada_->Messages().empty());
  const std::string erasure(begun.Json().at("id").as_string());
  bj::value receipt;
  EXPECT_TRUE(WaitUntil([&] {
    receipt = ada_->Get("/api/v1/erasures/" + erasure).Json();
    return receipt.at("status").as_string() == "completed";
  }));
  EXPECT_EQ(receipt.at("counts").at("synced_messages").to_number<int>(), 260) << bj::serialize(receipt);
  EXPECT_EQ(receipt.at("revocation").as_string(), "done");
  EXPECT_EQ(ada_->Get("/api/v1/connected-accounts/" + account).status, 404);

  // The whole database: nothing of the mailbox is in any table, and nothing can still appear.
  EXPECT_EQ(server_.Stop(), 0);
  DatabaseFile database(server_.database());
  const auto counts = database.RowCounts();
  for (const auto* table :
       {"connected_accounts", "email_sync_status", "synced_messages", "message_bodies", "attachments", "labels",
        "message_labels", "sync_cursors", "tombstones", "failed_items", "search_pending"})
    EXPECT_EQ(counts.at(table), 0) << table;
  for (const auto* text : {"canarysubject", "linus@example.net", "zoe@example.org", fresh.c_str()})
    EXPECT_THAT(database.FindEverywhere(text), IsEmpty()) << text;
}

TEST_F(Mailbox, TheSampleMailboxArrivesAsItIs) {
  simulator_.Post("/accounts", bj::object{{"email", "sample@example.com"}, {"name", "Sam"}, {"sample", true}});
  const auto account = ada_->Connect("sample@example.com");
  ada_->WaitUntilImported(account);
  const auto truth = TrueMailbox(simulator_, "sample@example.com");
  ASSERT_GT(truth.size(), 100U);
  EXPECT_THAT(Compare(WithoutDetails(truth), StoredMailbox(server_, *ada_, false)), IsEmpty());
  EXPECT_THAT(Compare(truth, StoredMailbox(server_, *ada_, true)), IsEmpty());
}

TEST_F(Mailbox, MessagesWithHtmlAreShownInIsolation) {
  auto mail = Mail("HTML", "plain");
  mail["html"] =
      "<p>Hello</p><script>alert(1)</script><img src=\"https://tracker.example/x.png\"><a href=\"javascript:1\">x</a>";
  simulator_.Deliver(kAda, mail);
  const auto account = ada_->Connect(kAda);
  ada_->WaitUntilImported(account);
  const std::string id(ada_->Messages()[0].at("id").as_string());
  const auto detail = ada_->Get("/api/v1/messages/" + id).Json();
  EXPECT_TRUE(detail.at("has_html").as_bool());
  EXPECT_EQ(detail.at("remote_images").to_number<int>(), 1);
  const auto view = ada_->Navigate("/api/v1/messages/" + id + "/view");
  EXPECT_EQ(view.status, 200);
  const auto policy = view.Header("Content-Security-Policy");
  EXPECT_THAT(policy, HasSubstr("sandbox allow-popups"));
  EXPECT_THAT(policy, Not(HasSubstr("allow-scripts")));
  EXPECT_THAT(policy, Not(HasSubstr("allow-same-origin")));
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  EXPECT_THAT(view.body, HasSubstr("Hello"));
  for (const auto* bad : {"<script", "tracker.example", "javascript:"}) EXPECT_THAT(view.body, Not(HasSubstr(bad)));
  EXPECT_EQ(view.Header("X-Latchkey-Blocked-Images"), "1");
  EXPECT_EQ(ada_->Navigate("/api/v1/messages/" + id + "/view?images=2").status, 400);
  // Asked for, an image comes through us: its address is sealed, and this one leads to no public host.
  const auto asked = ada_->Navigate("/api/v1/messages/" + id + "/view?images=1");
  EXPECT_EQ(asked.Header("X-Latchkey-Blocked-Images"), "0");
  EXPECT_THAT(asked.body, Not(HasSubstr("tracker.example")));
  const auto at = asked.body.find("/api/v1/images/");
  ASSERT_NE(at, std::string::npos);
  const auto address = asked.body.substr(at, asked.body.find('"', at) - at);
  const HttpCall fetch{.url = ada_->Url(address)};
  EXPECT_NE(ada_->SendRaw(fetch).status, 200);
  const HttpCall forged{.url = ada_->Url(address + "x")};
  EXPECT_EQ(ada_->SendRaw(forged).status, 404);
}

TEST_F(Mailbox, AttachmentsAreDownloadsWithHarmlessNames) {
  auto mail = Mail("Files");
  mail["attachments"] = bj::array{
      bj::object{{"filename", "../evil\u202Etxt.html"}, {"mime_type", "text/html"}, {"text", "<script>1</script>"}},
      bj::object{{"filename", "empty.bin"}, {"text", ""}}};
  simulator_.Deliver(kAda, mail);
  const auto account = ada_->Connect(kAda);
  ada_->WaitUntilImported(account);
  const std::string id(ada_->Messages()[0].at("id").as_string());
  const auto attachments = ada_->Get("/api/v1/messages/" + id).Json().at("attachments").as_array();
  ASSERT_GE(attachments.size(), 1U);
  const auto path = "/api/v1/messages/" + id + "/attachments/" + std::string(attachments[0].at("id").as_string());
  const auto reply = ada_->Get(path);
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.body, "<script>1</script>");
  EXPECT_EQ(reply.Header("Content-Type"), "application/octet-stream");
  EXPECT_THAT(reply.Header("Content-Disposition"), HasSubstr("attachment"));
  EXPECT_THAT(reply.Header("Content-Disposition"), Not(HasSubstr("/")));
  EXPECT_THAT(reply.Header("Content-Disposition"), Not(HasSubstr("%E2%80%AE")));
  EXPECT_THAT(reply.Header("Content-Security-Policy"), HasSubstr("sandbox"));
  EXPECT_EQ(ada_->Get(path + "x").status, 404);
}

TEST_F(Mailbox, PauseStopsFetchingAndResumeCatchesUp) {
  const auto account = ada_->Connect(kAda);
  ada_->WaitUntilImported(account);
  const auto base = "/api/v1/connected-accounts/" + account;
  const auto paused = ada_->Post(base + "/pause");
  EXPECT_EQ(paused.status, 200);
  EXPECT_EQ(paused.Json().at("status").as_string(), "paused");
  EXPECT_EQ(paused.Json().at("action").as_string(), "resume");
  EXPECT_EQ(ada_->Post(base + "/sync").Code(), "conflict");
  simulator_.Deliver(kAda, Mail("While paused"));
  EXPECT_EQ(ada_->Post(base + "/resume").status, 200);
  EXPECT_EQ(ada_->Post(base + "/sync").status, 202);
  ExpectSameAsTruth();
  const auto renamed = ada_->Send("PATCH", base, R"({"display_name":"Work"})");
  EXPECT_EQ(renamed.Json().at("display_name").as_string(), "Work");
  EXPECT_EQ(ada_->Send("PATCH", base, R"({"display_name":""})").status, 400);
  EXPECT_EQ(ada_->Send("PATCH", base, R"({"user_id":"x"})").status, 400);
}

TEST_F(Mailbox, AnExpiredHistoryHealsWithoutTheUser) {
  simulator_.Post(std::string("/mail/") + kAda + "/messages", ManyMessages(30, "old"));
  const auto account = ada_->Connect(kAda);
  ada_->WaitUntilImported(account);
  EXPECT_EQ(server_.Stop(), 0);
  const auto truth = TrueMailbox(simulator_, kAda);
  simulator_.Delete(std::string("/mail/") + kAda + "/messages/" + truth.begin()->first);
  simulator_.Deliver(kAda, Mail("While away"));
  simulator_.Post(std::string("/mail/") + kAda + "/expire-history", bj::object{});
  server_.Start();
  ExpectSameAsTruth();
}

TEST_F(Mailbox, ARevokedGrantAsksForReconnectingAndKeepsTheMail) {
  simulator_.Post(std::string("/mail/") + kAda + "/messages", ManyMessages(5, "kept"));
  const auto account = ada_->Connect(kAda);
  ada_->WaitUntilImported(account);
  simulator_.Post("/grants/revoke", bj::object{{"account", kAda}});
  EXPECT_TRUE(WaitUntil([&] { return ada_->Account(account).at("status").as_string() == "needs_reauth"; }));
  const auto view = ada_->Account(account);
  EXPECT_EQ(view.at("reason").as_string(), "reauth_invalid_grant");
  EXPECT_EQ(view.at("action").as_string(), "reconnect");
  EXPECT_EQ(ada_->Messages().size(), 5U);
  const auto created = ada_->Post("/api/v1/connected-accounts/" + account + "/reconnect").Json();
  const auto sent = ada_->Navigate(std::string(created.at("url").as_string()));
  ada_->Navigate(simulator_.Authorize(sent.Location(), {.account = kAda, .approve = true, .untick = {}}));
  simulator_.Deliver(kAda, Mail("After reconnecting"));
  ExpectSameAsTruth();
}

TEST_F(Mailbox, AnOperatorsFaultLeavesTheAccountAlone) {
  const auto account = ada_->Connect(kAda);
  ada_->WaitUntilImported(account);
  simulator_.Patch("/settings", bj::object{{"client_secret", "rotated-elsewhere"}});
  simulator_.Post("/tokens/expire", bj::object{});
  simulator_.Deliver(kAda, Mail("Waiting"));
  ada_->Post("/api/v1/connected-accounts/" + account + "/sync");
  ASSERT_TRUE(WaitUntil([&] { return simulator_.Get("/counters").at("tokens").at("refused").to_number<int>() > 0; }));
  EXPECT_NE(ada_->Account(account).at("status").as_string(), "needs_reauth");
  simulator_.Patch("/settings", bj::object{{"client_secret", kClientSecret}});
  ExpectSameAsTruth();
  EXPECT_NE(ada_->Account(account).at("status").as_string(), "needs_reauth");
}

TEST_F(Mailbox, TheStreamResumesWhereItWasLeft) {
  const auto account = ada_->Connect(kAda);
  ada_->WaitUntilImported(account);
  auto events = ada_->OpenEvents();
  ASSERT_EQ(events->WaitForStatus(kPatience), 200);
  const auto is_new_mail = [](const StreamedEvent& event) { return event.type == "message.upserted"; };
  simulator_.Deliver(kAda, Mail("First"));
  const auto first = events->WaitFor(is_new_mail, kPatience);
  ASSERT_TRUE(first);
  events.reset();
  simulator_.Deliver(kAda, Mail("Second"));
  ExpectSameAsTruth();
  auto resumed = ada_->OpenEvents(first->id);
  const auto second = resumed->WaitFor(is_new_mail, kPatience);
  ASSERT_TRUE(second);
  EXPECT_GT(std::stoll(second->id), std::stoll(first->id));
  auto lost = ada_->OpenEvents("999999999999");
  EXPECT_TRUE(lost->WaitFor([](const StreamedEvent& event) { return event.type == "resync"; }, kPatience));
}

}  // namespace
}  // namespace latchkey::integration
