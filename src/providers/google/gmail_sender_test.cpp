#include "providers/google/gmail_sender.hpp"

#include <boost/asio/io_context.hpp>
#include <deque>

#include <gmock/gmock.h>

#include "async/testing.hpp"

namespace latchkey::google {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = mail::SendOutcome::Kind;

/// Answers every call the same, unless one is scripted.
class Answers final : public http_client::HttpClient {
 public:
  int status = 200;
  std::string answer = R"({"id":"m1","threadId":"t1","labelIds":["SENT"]})";
  std::deque<std::pair<int, std::string>> script;
  std::optional<Error> failure;
  bool left = true;
  int calls = 0;
  std::string url, type, body;
  std::vector<std::string> seen;

  Task<Result<http_client::HttpResponse>> Send(const http_client::HttpRequest& request) override {
    ++calls;
    url = request.url;
    body = request.body_view;
    constexpr std::string_view kBase = "https://gmail.example";
    const std::string path = url.substr(kBase.size());
    seen.push_back(request.method + " " + path.substr(0, path.find('?')));
    for (const auto& [name, value] : request.headers) {
      if (name == "Content-Type") type = value;
    }
    if (request.may_have_left) *request.may_have_left = left;
    http_client::HttpResponse response;
    response.status = status;
    response.body = answer;
    if (!script.empty()) {
      std::tie(response.status, response.body) = script.front();
      script.pop_front();
      co_return response;
    }
    if (failure) co_return std::unexpected(*failure);
    co_return response;
  }
};

class Tokens final : public connected_accounts::TokenSource {
 public:
  Task<Result<SecretString>> AccessToken(const ConnectedAccountId&, const SecretString&) override {
    co_return SecretString("token");
  }
};

class Journal final : public mail::SendJournal {
 public:
  int handed_over = 0;
  std::optional<Error> refusal;
  std::string draft;
  Task<Result<void>> NoteDraft(std::string_view id) override {
    draft = id;
    co_return Result<void>();
  }
  Task<Result<void>> HandOver() override {
    if (refusal) co_return std::unexpected(*refusal);
    ++handed_over;
    co_return Result<void>();
  }
  Task<Result<void>> ReadAttachment(const mail::OutgoingAttachment&,
                                    const std::function<Task<bool>(std::string_view)>& sink) override {
    co_await sink("attached bytes");
    co_return Result<void>();
  }
};

constexpr const char* kNoPermission = R"({"error":{"errors":[{"reason":"insufficientPermissions"}]}})";
constexpr const char* kNotFound = R"({"error":{"errors":[{"reason":"notFound"}]}})";
constexpr const char* kSentMail = R"({"id":"m1","threadId":"t1","labelIds":["SENT"]})";
constexpr const char* kOurCopy =
    R"({"id":"m1","threadId":"t1","internalDate":"1800000000000","payload":{"headers":[{"name":"X-Latchkey-Outbox-Id",)"
    R"("value":"01890000-0000-7000-8000-00000000000a"}]}})";

class GmailSenderTest : public ::testing::Test {
 protected:
  mail::SendOutcome Reconcile(const mail::OutboxEntry& entry) {
    auto sender = *senders_.For(account_, "google");
    return latchkey::testing::RunTask(loop_, sender->Reconcile(entry));
  }
  /// As after an attempt whose answer was lost a while ago.
  mail::OutboxEntry HandedOver(const std::string& draft) {
    auto entry = Entry();
    entry.draft_id = draft;
    entry.handed_over_at = clock_.Now() - std::chrono::minutes(2);
    return entry;
  }
  mail::SendOutcome Send(const mail::OutboxEntry& entry) {
    auto sender = *senders_.For(account_, "google");
    return latchkey::testing::RunTask(loop_, sender->Send(entry, journal_));
  }
  static mail::OutboxEntry Entry() {
    mail::OutboxEntry entry;
    entry.id = mail::OutboxId("01890000-0000-7000-8000-00000000000a");
    entry.mail.from.address = "ada@example.com";
    entry.mail.to = {{.name = "", .address = "grace@example.org"}};
    entry.mail.bcc = {{.name = "", .address = "hidden@example.org"}};
    entry.mail.subject = "Hello";
    entry.mail.text = "Hello";
    entry.mail.message_id = "id@example.com";
    return entry;
  }

  const ConnectedAccountId account_{"01890000-0000-7000-8000-000000000001"};
  boost::asio::io_context loop_;
  ManualClock clock_{FromMicros(1'800'000'000'000'000)};
  Answers http_;
  Tokens tokens_;
  Journal journal_;
  sync::QuotaBudget budget_{clock_, {.account_units_per_minute = 0, .project_units_per_minute = 0}};
  WorkerPool pool_{1};
  Semaphore compositions_{loop_.get_executor(), 1};
  GmailSenders senders_{GoogleParts{.http = http_,
                                    .tokens = tokens_,
                                    .budget = budget_,
                                    .pool = pool_,
                                    .clock = clock_,
                                    .options = {.gmail_url = "https://gmail.example"}},
                        compositions_};
};

TEST_F(GmailSenderTest, ADraftIsWrittenDownBeforeItIsSent) {
  auto entry = Entry();
  entry.mail.thread_id = "18c2f0a1b2c3d4e5";
  entry.mail.attachments = {{.upload = {}, .name = "a.bin", .mime_type = "application/pdf", .size = 14}};
  http_.script = {{200, R"({"id":"r-1"})"}, {200, kSentMail}};
  const auto outcome = Send(entry);
  EXPECT_EQ(outcome.kind, Kind::kSent);
  EXPECT_EQ(outcome.external_id, "m1");
  EXPECT_THAT(http_.seen, ElementsAre("POST /upload/gmail/v1/users/me/drafts", "POST /gmail/v1/users/me/drafts/send"));
  EXPECT_EQ(http_.body, R"({"id":"r-1"})");
  EXPECT_EQ(journal_.draft, "r-1");
  EXPECT_EQ(journal_.handed_over, 1);
}

TEST_F(GmailSenderTest, ADraftThatIsStillThereWasNotSentAndIsSentAgainAsItIs) {
  http_.script = {{200, "{}"}, {200, "{}"}, {200, R"({"id":"r-1"})"}};
  const auto fate = Reconcile(HandedOver("r-1"));
  EXPECT_EQ(fate.kind, Kind::kNotSent);
  EXPECT_EQ(fate.error.code, ErrorCode::kProviderUnavailable) << "tried again";
  auto again = Entry();
  again.draft_id = "r-1";
  http_.seen.clear();
  http_.script = {{200, R"({"id":"r-1"})"}, {200, kSentMail}};
  EXPECT_EQ(Send(again).kind, Kind::kSent);
  EXPECT_THAT(http_.seen, ElementsAre("GET /gmail/v1/users/me/drafts/r-1", "POST /gmail/v1/users/me/drafts/send"));
}

TEST_F(GmailSenderTest, ADraftIsNoProofWhileTheCallMayBeAtWork) {
  auto entry = HandedOver("r-1");
  entry.handed_over_at = clock_.Now() - std::chrono::seconds(10);
  http_.script = {{200, "{}"}, {200, "{}"}};
  EXPECT_EQ(Reconcile(entry).kind, Kind::kUndecided);
}

TEST_F(GmailSenderTest, ADraftThatIsGoneWasSentWhenItsMailIsThereAndElseThePersonDecides) {
  http_.script = {{200, R"({"messages":[{"id":"m1"}]})"}, {200, kOurCopy}};
  const auto found = Reconcile(HandedOver("r-1"));
  EXPECT_EQ(found.kind, Kind::kSent);
  EXPECT_EQ(found.external_id, "m1");
  http_.script = {{200, "{}"}, {200, "{}"}, {404, kNotFound}};
  EXPECT_EQ(Reconcile(HandedOver("r-1")).kind, Kind::kUndecided);
  // The same when the next attempt finds it gone; nothing is made anew behind the person's back.
  auto again = Entry();
  again.draft_id = "r-1";
  http_.seen.clear();
  http_.script = {{404, kNotFound}, {200, "{}"}, {200, "{}"}};
  EXPECT_EQ(Send(again).kind, Kind::kUndecided);
  EXPECT_EQ(journal_.handed_over, 1) << "and it is looked for from now on";
  http_.script = {{200, R"({"id":"r-1"})"}, {404, kNotFound}, {200, R"({"messages":[{"id":"m1"}]})"}, {200, kOurCopy}};
  EXPECT_EQ(Send(again).kind, Kind::kSent) << "gone in between";
  again.resend = true;
  http_.script = {{404, kNotFound}, {200, R"({"id":"r-2"})"}, {200, kSentMail}};
  EXPECT_EQ(Send(again).kind, Kind::kSent);
  EXPECT_EQ(journal_.draft, "r-2");
}

TEST_F(GmailSenderTest, DraftsOfOursAreNotLeftBehind) {
  auto entry = Entry();
  entry.draft_id = "r-1";
  auto sender = *senders_.For(account_, "google");
  const auto clean = [&](mail::Leftovers which) {
    http_.seen.clear();
    return latchkey::testing::RunTask(loop_, sender->CleanUp(entry, which)).has_value();
  };
  const std::string ours = std::string(R"({"id":"r","message":)") + kOurCopy + "}";
  constexpr const char* kForeign = R"({"id":"r-2","message":{"id":"x"}})";
  http_.script = {{200, ours},     {204, ""},   {200, R"({"drafts":[{"id":"r-2"},{"id":"r-3"}]})"},
                  {200, kForeign}, {200, ours}, {204, ""}};
  EXPECT_TRUE(clean(mail::Leftovers::kAll));
  EXPECT_THAT(http_.seen, ElementsAre("GET /gmail/v1/users/me/drafts/r-1", "DELETE /gmail/v1/users/me/drafts/r-1",
                                      "GET /gmail/v1/users/me/drafts", "GET /gmail/v1/users/me/drafts/r-2",
                                      "GET /gmail/v1/users/me/drafts/r-3", "DELETE /gmail/v1/users/me/drafts/r-3"));
  // What the person wrote anew is without our headers.
  http_.script = {{200, kForeign}, {200, "{}"}};
  EXPECT_TRUE(clean(mail::Leftovers::kAll));
  EXPECT_THAT(http_.seen, ElementsAre("GET /gmail/v1/users/me/drafts/r-1", "GET /gmail/v1/users/me/drafts"));
}

TEST_F(GmailSenderTest, TheDraftThatMayBeOnItsWayOutStaysWhenTheOthersGo) {
  const auto entry = HandedOver("r-1");
  auto sender = *senders_.For(account_, "google");
  http_.script = {{200, R"({"drafts":[{"id":"r-1"},{"id":"r-2"}]})"},
                  {200, std::string(R"({"id":"r-2","message":)") + kOurCopy + "}"},
                  {204, ""}};
  EXPECT_TRUE(latchkey::testing::RunTask(loop_, sender->CleanUp(entry, mail::Leftovers::kBesideDraft)));
  EXPECT_THAT(http_.seen, ElementsAre("GET /gmail/v1/users/me/drafts", "GET /gmail/v1/users/me/drafts/r-2",
                                      "DELETE /gmail/v1/users/me/drafts/r-2"));
}

/// Sending was granted, drafts were not.
class SendingAlone : public GmailSenderTest {
 protected:
  SendingAlone() { senders_.NoteNoDrafts(account_); }
};

TEST_F(GmailSenderTest, WhoGrantedSendingAloneIsNotAskedForDraftsWithEveryMail) {
  http_.script = {{403, kNoPermission}, {200, kSentMail}};
  EXPECT_EQ(Send(Entry()).kind, Kind::kSent);
  EXPECT_EQ(journal_.draft, "");
  EXPECT_EQ(Send(Entry()).kind, Kind::kSent);
  EXPECT_EQ(http_.calls, 3);
  clock_.Advance(std::chrono::hours(1));
  http_.script = {{200, R"({"id":"r-1"})"}, {200, kSentMail}};
  EXPECT_EQ(Send(Entry()).kind, Kind::kSent);
  EXPECT_EQ(journal_.draft, "r-1") << "granted since";
}

TEST_F(SendingAlone, AMailAndItsConversationGoInOneUpload) {
  auto entry = Entry();
  entry.mail.thread_id = "18c2f0a1b2c3d4e5";
  entry.mail.in_reply_to = "question@example.org";
  entry.mail.references = {"question@example.org"};
  entry.mail.attachments = {{.upload = {}, .name = "a.bin", .mime_type = "application/pdf", .size = 14}};
  const auto outcome = Send(entry);
  EXPECT_EQ(outcome.kind, Kind::kSent);
  EXPECT_EQ(outcome.external_id, "m1");
  EXPECT_EQ(outcome.thread_id, "t1");
  EXPECT_THAT(http_.url, HasSubstr("/upload/gmail/v1/users/me/messages/send?uploadType=multipart"));
  EXPECT_THAT(http_.type, HasSubstr("multipart/related"));
  EXPECT_THAT(http_.body, HasSubstr(R"({"threadId":"18c2f0a1b2c3d4e5"})"));
  EXPECT_THAT(http_.body, HasSubstr("In-Reply-To: <question@example.org>"));
  EXPECT_THAT(http_.body, HasSubstr("Bcc: hidden@example.org"));
  EXPECT_THAT(http_.body, HasSubstr("X-Latchkey-Outbox-Id: " + entry.id.text()));
  EXPECT_EQ(journal_.handed_over, 1);
}

TEST_F(SendingAlone, WithoutTheHandOverNothingIsSent) {
  journal_.refusal = Error{.code = ErrorCode::kLeaseLost, .detail = {}, .retry_after = {}};
  const auto outcome = Send(Entry());
  EXPECT_EQ(outcome.kind, Kind::kNotSent);
  EXPECT_EQ(outcome.error.code, ErrorCode::kLeaseLost);
  EXPECT_EQ(http_.calls, 0);
}

TEST_F(SendingAlone, ARefusalIsCertainAndKeepsItsName) {
  struct Case {
    int status;
    const char* body;
    ErrorCode code;
  };
  const Case cases[] = {
      {400, R"({"error":{"errors":[{"reason":"invalidArgument"}],"message":"Invalid To header"}})",
       ErrorCode::kSendRejected},
      {403, R"({"error":{"errors":[{"reason":"insufficientPermissions"}]}})", ErrorCode::kSendScopeMissing},
      {429, R"({"error":{"errors":[{"reason":"rateLimitExceeded"}],"message":"Mail sending"}})",
       ErrorCode::kRateLimited},
      {413, R"({"error":{"errors":[{"reason":"uploadTooLarge"}]}})", ErrorCode::kAttachmentTooLarge},
      {403, R"({"error":{"errors":[{"reason":"domainPolicy"}]}})", ErrorCode::kPolicyEnforced}};
  for (const auto& [status, body, code] : cases) {
    http_.status = status;
    http_.answer = body;
    http_.calls = 0;
    const auto outcome = Send(Entry());
    EXPECT_EQ(outcome.kind, Kind::kNotSent) << body;
    EXPECT_EQ(outcome.error.code, code) << body;
    EXPECT_EQ(http_.calls, 1);
    clock_.Advance(std::chrono::minutes(2));
  }
}

TEST_F(SendingAlone, WhatMayBeOutIsNeverRepeated) {
  http_.failure = Error{.code = ErrorCode::kTimeout, .detail = {}, .retry_after = {}};
  EXPECT_EQ(Send(Entry()).kind, Kind::kUndecided);
  EXPECT_EQ(http_.calls, 1);
  http_.left = false;
  EXPECT_EQ(Send(Entry()).kind, Kind::kNotSent) << "no connection";
  http_.failure.reset();
  http_.left = true;
  http_.status = 503;
  EXPECT_EQ(Send(Entry()).kind, Kind::kUndecided);
  http_.status = 200;
  http_.answer = "{\"id\":";
  EXPECT_EQ(Send(Entry()).kind, Kind::kUndecided);
}

}  // namespace
}  // namespace latchkey::google
