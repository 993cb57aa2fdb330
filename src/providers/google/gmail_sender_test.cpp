#include "providers/google/gmail_sender.hpp"

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>

#include "async/testing.hpp"

namespace latchkey::google {
namespace {

using ::testing::HasSubstr;
using Kind = mail::SendOutcome::Kind;

class OneAnswer final : public http_client::HttpClient {
 public:
  int status = 200;
  std::string answer = R"({"id":"m1","threadId":"t1","labelIds":["SENT"]})";
  std::optional<Error> failure;
  bool left = true;
  int calls = 0;
  std::string url, type, body;

  Task<Result<http_client::HttpResponse>> Send(const http_client::HttpRequest& request) override {
    ++calls;
    url = request.url;
    body = request.body_view;
    for (const auto& [name, value] : request.headers) {
      if (name == "Content-Type") type = value;
    }
    if (request.may_have_left) *request.may_have_left = left;
    if (failure) co_return std::unexpected(*failure);
    http_client::HttpResponse response;
    response.status = status;
    response.body = answer;
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
  Task<Result<void>> NoteDraft(std::string_view) override { co_return Result<void>(); }
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

class GmailSenderTest : public ::testing::Test {
 protected:
  mail::SendOutcome Send(const mail::OutboxEntry& entry) {
    auto sender = *senders_.For(ConnectedAccountId("01890000-0000-7000-8000-000000000001"), "google");
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

  boost::asio::io_context loop_;
  ManualClock clock_{FromMicros(1'800'000'000'000'000)};
  OneAnswer http_;
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

TEST_F(GmailSenderTest, AMailAndItsConversationGoInOneUpload) {
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

TEST_F(GmailSenderTest, WithoutTheHandOverNothingIsSent) {
  journal_.refusal = Error{.code = ErrorCode::kLeaseLost, .detail = {}, .retry_after = {}};
  const auto outcome = Send(Entry());
  EXPECT_EQ(outcome.kind, Kind::kNotSent);
  EXPECT_EQ(outcome.error.code, ErrorCode::kLeaseLost);
  EXPECT_EQ(http_.calls, 0);
}

TEST_F(GmailSenderTest, ARefusalIsCertainAndKeepsItsName) {
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

TEST_F(GmailSenderTest, WhatMayBeOutIsNeverRepeated) {
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
