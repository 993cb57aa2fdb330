#include "providers/google/gmail.hpp"

#include <boost/asio/io_context.hpp>
#include <deque>

#include <gmock/gmock.h>

#include "async/testing.hpp"
#include "base/encoding.hpp"
#include "providers/google/attachment_stream.hpp"

namespace latchkey::google {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Answers requests from a script, in order, and remembers them.
class ScriptedHttp final : public http_client::HttpClient {
 public:
  struct Answer {
    int status = 200;
    std::string body;
    std::optional<Error> error;
  };
  std::deque<Answer> script;
  std::vector<std::string> urls, authorizations;

  Task<Result<http_client::HttpResponse>> Send(const http_client::HttpRequest& request) override {
    urls.push_back(request.url);
    authorizations.push_back(request.headers.at(0).second);
    EXPECT_FALSE(script.empty()) << request.url;
    if (script.empty()) co_return Fail(ErrorCode::kInternal);
    Answer answer = std::move(script.front());
    script.pop_front();
    if (answer.error) co_return std::unexpected(*answer.error);
    http_client::HttpResponse response;
    response.status = answer.status;
    if (request.on_body_async) {
      // In pieces of odd sizes, as a network does.
      for (std::size_t at = 0; at < answer.body.size(); at += 7) {
        if (!co_await request.on_body_async(std::string_view(answer.body).substr(at, 7))) break;
      }
    } else {
      response.body = std::move(answer.body);
    }
    co_return response;
  }
};

class Tokens final : public connected_accounts::TokenSource {
 public:
  int issued = 0;
  std::vector<std::string> rejected;
  Task<Result<SecretString>> AccessToken(const ConnectedAccountId&, const SecretString& refused) override {
    if (!refused.empty()) rejected.push_back(refused.Reveal());
    if (!refused.empty() || issued == 0) ++issued;
    co_return SecretString("token" + std::to_string(issued));
  }
};

class GmailTest : public ::testing::Test {
 protected:
  template <class T>
  T Run(Task<T> task) {
    return latchkey::testing::RunTask(loop_, std::move(task));
  }
  void Expect(int status, std::string body) { http_.script.push_back({.status = status, .body = std::move(body)}); }

  boost::asio::io_context loop_;
  ManualClock clock_{FromMicros(1'800'000'000'000'000)};
  ScriptedHttp http_;
  Tokens tokens_;
  sync::QuotaBudget budget_{clock_, {.account_units_per_minute = 0, .project_units_per_minute = 0}};
  WorkerPool pool_{1};
  GmailProviders providers_{
      GoogleParts{.http = http_,
                  .tokens = tokens_,
                  .budget = budget_,
                  .pool = pool_,
                  .clock = clock_,
                  .options = {.gmail_url = "https://gmail.example", .retry_delay = std::chrono::milliseconds(1)}}};
  std::shared_ptr<mail::MailProvider> mailbox_ =
      *providers_.For(ConnectedAccountId("01890000-0000-7000-8000-000000000001"), "google");
};

TEST_F(GmailTest, ReadsTheHistoryPageByPageAndKeepsTheCursorUntilTheLast) {
  Expect(200, R"({"history":[{"id":"86201","messagesAdded":[{"message":{"id":"a"}}]},{"id":"86230","labelsRemoved":)"
              R"([{"message":{"id":"b"},"labelIds":["UNREAD"]}]}],"nextPageToken":"tok","historyId":"88035"})");
  const auto first = Run(mailbox_->Changes("86000", mail::Lane::kLive));
  ASSERT_TRUE(first);
  EXPECT_THAT(first->added, ElementsAre("a"));
  ASSERT_THAT(first->label_changes, SizeIs(1));
  EXPECT_EQ(first->label_changes[0].version, 86230U);
  EXPECT_THAT(first->label_changes[0].removed, ElementsAre("UNREAD"));
  EXPECT_TRUE(first->more);
  EXPECT_EQ(first->next_cursor, "86000 tok");
  Expect(200, R"({"historyId":"88035"})");
  const auto last = Run(mailbox_->Changes(first->next_cursor, mail::Lane::kLive));
  ASSERT_TRUE(last);
  EXPECT_FALSE(last->more);
  EXPECT_EQ(last->next_cursor, "88035");
  EXPECT_THAT(http_.urls[1], HasSubstr("startHistoryId=86000"));
  EXPECT_THAT(http_.urls[1], HasSubstr("pageToken=tok"));
}

TEST_F(GmailTest, AMessageAddedAndDeletedInOnePageIsDeleted) {
  Expect(
      200,
      R"({"history":[{"id":"1","messagesAdded":[{"message":{"id":"a"}}]},{"id":"2","labelsAdded":[{"message":)"
      R"({"id":"a"},"labelIds":["TRASH"]}]},{"id":"3","messagesDeleted":[{"message":{"id":"a"}}]}],"historyId":"3"})");
  const auto page = Run(mailbox_->Changes("0", mail::Lane::kLive));
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->added.empty());
  EXPECT_TRUE(page->label_changes.empty());
  EXPECT_THAT(page->deleted, ElementsAre("a"));
}

TEST_F(GmailTest, ADeadPageTokenIsReadAgainFromTheStartAndADeadHistoryIsExpired) {
  Expect(400, R"({"error":{"code":400,"message":"Invalid pageToken"}})");
  Expect(200, R"({"historyId":"7"})");
  EXPECT_EQ(Run(mailbox_->Changes("5 dead", mail::Lane::kLive))->next_cursor, "7");
  Expect(404, R"({"error":{"code":404}})");
  EXPECT_EQ(Run(mailbox_->Changes("5", mail::Lane::kLive)).error().code, ErrorCode::kCursorExpired);
}

TEST_F(GmailTest, ARefusedTokenIsRefreshedOnceAndThenThePersonIsNeeded) {
  Expect(401, "{}");
  Expect(200, R"({"historyId":"9","messagesTotal":3})");
  EXPECT_EQ(*Run(mailbox_->CurrentCursor()), "9");
  EXPECT_THAT(http_.authorizations, ElementsAre("Bearer token1", "Bearer token2"));
  EXPECT_THAT(tokens_.rejected, ElementsAre("token1"));
  Expect(401, "{}");
  Expect(401, "{}");
  EXPECT_EQ(Run(mailbox_->CurrentCursor()).error().code, ErrorCode::kReauthInvalidGrant);
}

TEST_F(GmailTest, PassingFaultsAreTriedAgainAndRateLimitsBlockTheAccount) {
  Expect(503, "<html>busy");
  http_.script.push_back({.error = Error{.code = ErrorCode::kProviderUnavailable}});
  Expect(200, R"({"id":"m","threadId":"t"})");
  EXPECT_TRUE(Run(mailbox_->GetMessage("m", mail::Lane::kLive)));
  Expect(
      403,
      R"({"error":{"errors":[{"reason":"userRateLimitExceeded"}],"message":"Retry after 2027-01-15T08:01:00.000Z"}})");
  const auto limited = Run(mailbox_->GetMessage("m", mail::Lane::kLive));
  EXPECT_EQ(limited.error().code, ErrorCode::kRateLimited);
  // The next call does not even leave.
  const std::size_t sent = http_.urls.size();
  EXPECT_EQ(Run(mailbox_->GetMessage("m", mail::Lane::kLive)).error().code, ErrorCode::kRateLimited);
  EXPECT_EQ(http_.urls.size(), sent);
}

TEST_F(GmailTest, AMessageTooLargeKeepsItsEnvelope) {
  http_.script.push_back({.error = Error{.code = ErrorCode::kMalformedReply}});
  Expect(200, R"({"id":"m","payload":{"headers":[{"name":"Subject","value":"Big"}]}})");
  const auto message = Run(mailbox_->GetMessage("m", mail::Lane::kLive));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->subject, "Big");
  EXPECT_TRUE(message->truncated);
}

TEST_F(GmailTest, TextKeptApartIsFetched) {
  Expect(200, R"({"id":"m","payload":{"mimeType":"text/plain","body":{"size":5,"attachmentId":"A1"}}})");
  Expect(200, R"({"size":5,"data":")" + Base64UrlEncode("hello") + "\"}");
  const auto message = Run(mailbox_->GetMessage("m", mail::Lane::kLive));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->text, "hello");
  EXPECT_EQ(message->snippet, "hello");
}

TEST_F(GmailTest, AttachmentsStreamAndSurviveAChangedId) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += static_cast<char>(i * 7);
  std::string received;
  const std::function<Task<bool>(std::string_view)> sink = [&](std::string_view piece) -> Task<bool> {
    received.append(piece);
    co_return true;
  };
  mail::Attachment attachment;
  attachment.provider_id = "old";
  attachment.part_id = "1";
  Expect(404, R"({"error":{"code":404,"errors":[{"reason":"notFound"}]}})");
  Expect(200, R"({"id":"m","payload":{"parts":[{"partId":"1","body":{"attachmentId":"new"}}]}})");
  Expect(200, "{\n \"size\": 1000,\n \"data\" : \"" + Base64UrlEncode(bytes) + "==\"\n}");
  EXPECT_TRUE(Run(mailbox_->GetAttachment("m", attachment, sink)));
  EXPECT_EQ(received, bytes);
  EXPECT_THAT(http_.urls.back(), HasSubstr("/attachments/new"));
  // A small part carries its bytes in the message itself.
  received.clear();
  attachment.provider_id.clear();
  Expect(200,
         R"({"id":"m","payload":{"parts":[{"partId":"1","body":{"data":")" + Base64UrlEncode("small") + R"("}}]}})");
  EXPECT_TRUE(Run(mailbox_->GetAttachment("m", attachment, sink)));
  EXPECT_EQ(received, "small");
}

TEST_F(GmailTest, AStreamedErrorIsUnderstoodToo) {
  const std::function<Task<bool>(std::string_view)> sink = [](std::string_view) -> Task<bool> { co_return true; };
  mail::Attachment attachment;
  attachment.provider_id = "a";
  Expect(403, R"({"error":{"code":403,"errors":[{"reason":"insufficientPermissions"}]}})");
  EXPECT_EQ(Run(mailbox_->GetAttachment("m", attachment, sink)).error().code, ErrorCode::kMissingScope);
  // A refused token is refreshed for a stream as well.
  Expect(401, R"({"error":{"code":401}})");
  Expect(200, R"({"data":"aGVsbG8"})");
  EXPECT_TRUE(Run(mailbox_->GetAttachment("m", attachment, sink)));
}

TEST_F(GmailTest, ManyMessagesParsedAtOnceEachGetTheirOwnAnswer) {
  MessageParser parser(pool_);
  int done = 0;
  for (int i = 0; i < 200; ++i) {
    auto one = [](MessageParser& p, int n, int& count) -> Task<void> {
      std::string json = R"({"id":"m)" + std::to_string(n) + "\"}";
      auto parsed = co_await p.Parse(std::move(json));
      EXPECT_EQ(parsed->message.external_id, "m" + std::to_string(n));
      ++count;
    };
    boost::asio::co_spawn(loop_, one(parser, i, done),
                          [](const std::exception_ptr& failure) { EXPECT_FALSE(failure); });
  }
  loop_.restart();
  loop_.run();
  EXPECT_EQ(done, 200);
}

TEST(AttachmentStream, RefusesWhatIsNoAttachment) {
  AttachmentStream error;
  EXPECT_EQ(error.Feed(R"({"error":{"code":404}})"), "");
  EXPECT_FALSE(error.complete());
  AttachmentStream broken;
  broken.Feed(R"({"data":"ab$)");
  EXPECT_TRUE(broken.broken());
  AttachmentStream endless;
  for (int i = 0; i < 100; ++i) endless.Feed(std::string(1000, ' '));
  EXPECT_TRUE(endless.broken());
}

}  // namespace
}  // namespace latchkey::google
