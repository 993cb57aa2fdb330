#include "providers/microsoft/graph_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <deque>

#include <gmock/gmock.h>

#include "async/task_group.hpp"
#include "async/testing.hpp"
#include "sync/testing/memory_pause_store.hpp"

namespace latchkey::microsoft {
namespace {

using http_client::HttpRequest;
using http_client::HttpResponse;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string HeaderOf(const HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return {};
}

/// Answers requests from a script, in order, and remembers them and how many were in flight.
class ScriptedHttp final : public http_client::HttpClient {
 public:
  struct Answer {
    int status = 200;
    std::string body;
    std::vector<http_client::Header> headers;
    std::optional<ErrorCode> failure;
  };
  std::deque<Answer> script;
  std::vector<HttpRequest> requests;
  int in_flight = 0, most_in_flight = 0, turns = 1;

  Task<Result<HttpResponse>> Send(const HttpRequest& request) override {
    requests.push_back(request);
    most_in_flight = std::max(most_in_flight, ++in_flight);
    for (int i = 0; i < turns; ++i) co_await boost::asio::post(boost::asio::use_awaitable);
    --in_flight;
    if (script.empty()) co_return Fail(ErrorCode::kInternal, "the script is at its end");
    Answer answer = std::move(script.front());
    script.pop_front();
    if (answer.failure) co_return Fail(*answer.failure);
    HttpResponse response{.status = answer.status, .headers = std::move(answer.headers), .body = {}};
    const bool streams = request.on_body_async && answer.status < 300;
    if (streams) {
      co_await request.on_body_async(answer.body);
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
  void Forget(const ConnectedAccountId&) override {
    if (granted_more) ++issued;
  }
  bool granted_more = false;
};

class GraphClientTest : public ::testing::Test {
 protected:
  explicit GraphClientTest(GraphOptions options = {.base_url = "https://graph.example/v1.0",
                                                   .retry_delay = milliseconds(1),
                                                   .throttle_delay = seconds(3)})
      : clients_(GraphParts{.http = http_, .tokens = tokens_, .clock = clock_, .options = std::move(options)}) {}

  template <class T>
  T Run(Task<T> task) {
    return latchkey::testing::RunTask(loop_, std::move(task));
  }
  void Expect(int status, std::string body = "{}", std::vector<http_client::Header> headers = {}) {
    http_.script.push_back({.status = status, .body = std::move(body), .headers = std::move(headers), .failure = {}});
  }
  Result<HttpResponse> Get(std::string path, GraphCall call = GraphCall::kMessage) {
    const GraphRequest request{.call = call, .path = std::move(path)};
    return Run(client_->Send(request));
  }

  boost::asio::io_context loop_;
  ManualClock clock_{FromMicros(1'800'000'000'000'000)};
  ScriptedHttp http_;
  Tokens tokens_;
  GraphClients clients_;
  ConnectedAccountId account_{"01890000-0000-7000-8000-000000000001"};
  std::shared_ptr<GraphClient> client_ = clients_.For(account_);
};

constexpr std::string_view kThrottled =
    R"({"error":{"code":"ApplicationThrottled","message":"Application is over its MailboxConcurrency limit."}})";

TEST_F(GraphClientTest, AsksForImmutableIdsWithEveryRequest) {
  Expect(200, R"({"id":"a"})");
  GraphRequest request{.call = GraphCall::kMessage, .method = "PATCH", .path = "me/messages/a", .body = "{}"};
  request.prefer = {"odata.maxpagesize=50"};
  const auto answer = Run(client_->Send(request));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, R"({"id":"a"})");
  ASSERT_THAT(http_.requests, SizeIs(1));
  const HttpRequest& sent = http_.requests[0];
  EXPECT_EQ(sent.url, "https://graph.example/v1.0/me/messages/a");
  EXPECT_EQ(sent.method, "PATCH");
  EXPECT_EQ(HeaderOf(sent, "Prefer"), "IdType=\"ImmutableId\", odata.maxpagesize=50");
  EXPECT_EQ(HeaderOf(sent, "Authorization"), "Bearer token1");
  EXPECT_EQ(HeaderOf(sent, "Content-Type"), "application/json");
}

TEST_F(GraphClientTest, TheBaseAddressMayLackTheVersion) {
  for (const std::string base : {"http://127.0.0.1:8200", "http://127.0.0.1:8200/", "http://127.0.0.1:8200/v1.0/"}) {
    GraphClients clients(GraphParts{.http = http_, .tokens = tokens_, .clock = clock_, .options = {.base_url = base}});
    Expect(200);
    const GraphRequest request{.path = "me"};
    ASSERT_TRUE(Run(clients.For(account_)->Send(request)));
    EXPECT_EQ(http_.requests.back().url, "http://127.0.0.1:8200/v1.0/me");
    EXPECT_EQ(clients.For(account_)->PathOf("http://127.0.0.1:8200/v1.0/me/x?$skiptoken=a%2Fb").value_or("-"),
              "me/x?$skiptoken=a%2Fb");
  }
}

TEST_F(GraphClientTest, APermissionGrantedSinceTheTokenWasReadIsUsedAtOnceAndALackingOneIsAskedForOnce) {
  constexpr const char* kDenied = R"({"error":{"code":"ErrorAccessDenied"}})";
  Expect(403, kDenied);
  EXPECT_EQ(Get("me/calendars").error().code, ErrorCode::kMissingScope);
  EXPECT_THAT(http_.requests, SizeIs(1)) << "the stored token is the one that was refused";
  tokens_.granted_more = true;
  Expect(403, kDenied);
  Expect(200);
  EXPECT_TRUE(Get("me/calendars"));
  EXPECT_EQ(HeaderOf(http_.requests.back(), "Authorization"), "Bearer token2");
  Expect(403, kDenied);
  Expect(403, kDenied);
  EXPECT_EQ(Get("me/calendars").error().code, ErrorCode::kMissingScope) << "no loop";
  EXPECT_THAT(http_.requests, SizeIs(5));
  EXPECT_THAT(tokens_.rejected, IsEmpty()) << "a refresh brings no permission";
}

TEST_F(GraphClientTest, LinksAreFollowedOnTheConfiguredServerOnly) {
  EXPECT_EQ(client_->PathOf("https://graph.example/v1.0/me/mailFolders('inbox')/messages/delta?$deltatoken=x").value(),
            "me/mailFolders('inbox')/messages/delta?$deltatoken=x");
  EXPECT_EQ(client_->PathOf("https://GRAPH.example:443/v1.0/me").value(), "me");
  for (const std::string_view elsewhere :
       {"https://graph.example.evil.example/v1.0/me", "http://graph.example/v1.0/me",
        "https://graph.example:444/v1.0/me", "https://user@graph.example/v1.0/me", "https://graph.example/beta/me",
        "/v1.0/me", "", "javascript:x", "https://graph.example"}) {
    EXPECT_FALSE(client_->PathOf(elsewhere)) << elsewhere;
  }
}

TEST_F(GraphClientTest, ARefusedTokenIsRefreshedOnceAndRefusedTwiceIsThePersons) {
  Expect(401, R"({"error":{"code":"InvalidAuthenticationToken"}})");
  Expect(200);
  ASSERT_TRUE(Get("me"));
  EXPECT_THAT(tokens_.rejected, ElementsAre("token1"));
  EXPECT_EQ(HeaderOf(http_.requests[1], "Authorization"), "Bearer token2");
  Expect(401);
  Expect(401);
  EXPECT_EQ(Get("me").error().code, ErrorCode::kReauthInvalidGrant);
  EXPECT_THAT(http_.requests, SizeIs(4));
}

TEST_F(GraphClientTest, NoCallIsMadeWhileGraphAskedTheAccountToWait) {
  Expect(429, std::string(kThrottled), {{"Retry-After", "30"}});
  const auto refused = Get("me/messages/a");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kRateLimited);
  EXPECT_EQ(refused.error().retry_after, seconds(30));
  clock_.Advance(seconds(29) - milliseconds(1500));
  const auto still = Get("me/messages/b");
  ASSERT_FALSE(still);
  EXPECT_EQ(still.error().retry_after, milliseconds(2500));
  EXPECT_THAT(http_.requests, SizeIs(1)) << "requests during the wait would count too";
  clock_.Advance(seconds(3));
  Expect(200);
  EXPECT_TRUE(Get("me/messages/b"));
  // Another account is not concerned.
  Expect(429, std::string(kThrottled), {{"Retry-After", "30"}});
  ASSERT_FALSE(Get("me/messages/a"));
  Expect(200);
  const GraphRequest request{.path = "me"};
  EXPECT_TRUE(Run(clients_.For(ConnectedAccountId("01890000-0000-7000-8000-000000000002"))->Send(request)));
}

TEST_F(GraphClientTest, AWaitWithoutAnEndDoublesUntilACallGoesThrough) {
  std::vector<milliseconds> waits;
  for (int i = 0; i < 10; ++i) {
    Expect(429, std::string(kThrottled));
    const auto refused = Get("me");
    ASSERT_FALSE(refused);
    waits.push_back(refused.error().retry_after.value());
    clock_.Advance(waits.back());
  }
  EXPECT_EQ(waits[0], seconds(3));
  EXPECT_EQ(waits[1], seconds(6));
  EXPECT_EQ(waits[9], std::chrono::minutes(5));
  Expect(200);
  ASSERT_TRUE(Get("me"));
  Expect(429, std::string(kThrottled));
  EXPECT_EQ(Get("me").error().retry_after, seconds(3));
}

TEST_F(GraphClientTest, AnOutageWithItsEndIsAWaitForTheWholeAccount) {
  Expect(503, R"({"error":{"code":"serviceNotAvailable"}})", {{"Retry-After", "30"}});
  EXPECT_EQ(Get("me").error().code, ErrorCode::kProviderUnavailable);
  EXPECT_EQ(Get("me").error().code, ErrorCode::kRateLimited);
  EXPECT_THAT(http_.requests, SizeIs(1));
}

TEST_F(GraphClientTest, WhatFailedInPassingIsTriedAgainAFewTimes) {
  Expect(502, "<html>bad gateway</html>");
  Expect(504, "");
  Expect(200, R"({"id":"a"})");
  EXPECT_TRUE(Get("me"));
  for (int i = 0; i < 3; ++i) Expect(500);
  EXPECT_EQ(Get("me").error().code, ErrorCode::kProviderUnavailable);
  EXPECT_THAT(http_.requests, SizeIs(6));
}

TEST_F(GraphClientTest, WhatMayBeDoneOnlyOnceIsNeverRepeatedAndSaysWhetherItMayHaveHappened) {
  bool unclear = false;
  GraphRequest request{.call = GraphCall::kSend, .method = "POST", .path = "me/messages/a/send", .once = true};
  request.unclear = &unclear;
  for (const int status : {500, 502, 504}) {
    Expect(status, "");
    EXPECT_FALSE(Run(client_->Send(request)));
    EXPECT_TRUE(unclear);
  }
  http_.script.push_back({.status = 0, .body = {}, .headers = {}, .failure = ErrorCode::kTimeout});
  EXPECT_FALSE(Run(client_->Send(request)));
  EXPECT_TRUE(unclear);
  EXPECT_THAT(http_.requests, SizeIs(4));
  Expect(403, R"({"error":{"code":"ErrorAccountSuspend"}})");
  EXPECT_EQ(Run(client_->Send(request)).error().code, ErrorCode::kSendRejected);
  EXPECT_FALSE(unclear);
  // A refused token means that nothing was done.
  Expect(401);
  Expect(202, "");
  EXPECT_TRUE(Run(client_->Send(request)));
  EXPECT_FALSE(unclear);
  Expect(429, std::string(kThrottled), {{"Retry-After", "30"}});
  EXPECT_FALSE(Run(client_->Send(request)));
  EXPECT_FALSE(unclear);
  EXPECT_FALSE(Run(client_->Send(request))) << "not even sent";
  EXPECT_FALSE(unclear);
}

TEST_F(GraphClientTest, AStreamedErrorIsNotTakenForContent) {
  std::string got;
  GraphRequest request{.call = GraphCall::kAttachment, .path = "me/messages/a/attachments/b/$value"};
  request.on_body = [&got](std::string_view bytes) -> Task<bool> {
    got += bytes;
    co_return true;
  };
  Expect(404, R"({"error":{"code":"ErrorItemNotFound"}})");
  EXPECT_EQ(Run(client_->Send(request)).error().code, ErrorCode::kGone);
  EXPECT_THAT(got, IsEmpty());
  Expect(200, "content");
  EXPECT_TRUE(Run(client_->Send(request)));
  EXPECT_EQ(got, "content");
  EXPECT_TRUE(http_.requests[0].stream_only_success);
}

TEST_F(GraphClientTest, AnUploadAddressGetsNoToken) {
  Expect(201, "");
  GraphRequest request{.call = GraphCall::kSend, .method = "PUT", .body = "bytes"};
  request.upload_url = "https://upload.example/session?authtoken=x";
  request.content_type = "application/octet-stream";
  ASSERT_TRUE(Run(client_->Send(request)));
  EXPECT_EQ(http_.requests[0].url, request.upload_url);
  EXPECT_EQ(HeaderOf(http_.requests[0], "Authorization"), "");
  EXPECT_EQ(tokens_.issued, 0);
}

TEST_F(GraphClientTest, NeverMoreThanFourAtATimeAndBackfillLeavesASlot) {
  http_.turns = 20;
  int done = 0, live_done_at = 0;
  const auto get = [&](mail::Lane lane) -> Task<void> {
    const GraphRequest request{.path = "me/messages/x", .lane = lane};
    const auto answer = co_await client_->Send(request);
    EXPECT_TRUE(answer);
    ++done;
    if (lane == mail::Lane::kLive) live_done_at = done;
  };
  for (int i = 0; i < 31; ++i) Expect(200);
  TaskGroup group(loop_.get_executor());
  for (int i = 0; i < 20; ++i) group.Spawn("backfill", [&] { return get(mail::Lane::kBackfill); });
  loop_.run_for(milliseconds(0));
  group.Spawn("live", [&] { return get(mail::Lane::kLive); });
  const auto wait = [&]() -> Task<void> {
    while (group.size() > 0) co_await boost::asio::post(boost::asio::use_awaitable);
  };
  Run(wait());
  EXPECT_EQ(done, 21);
  EXPECT_LE(live_done_at, 8);
  EXPECT_EQ(http_.most_in_flight, 4);
  for (int i = 0; i < 10; ++i) group.Spawn("live", [&] { return get(mail::Lane::kLive); });
  Run(wait());
  EXPECT_EQ(http_.most_in_flight, 4);
  Run(group.Stop());
}

class GraphBatchTest : public GraphClientTest {
 protected:
  static std::vector<GraphBatchPart> Parts(std::size_t count) {
    std::vector<GraphBatchPart> parts;
    for (std::size_t i = 0; i < count; ++i) parts.push_back({.path = "me/messages/" + std::to_string(i)});
    return parts;
  }
  static std::string Part(std::size_t id, int status, const std::string& body, const std::string& headers = "{}") {
    return R"({"id":")" + std::to_string(id) + R"(","status":)" + std::to_string(status) + R"(,"headers":)" + headers +
           R"(,"body":)" + body + "}";
  }
  static std::string Answer(const std::vector<std::string>& parts) {
    std::string all;
    for (const std::string& part : parts) all += (all.empty() ? "" : ",") + part;
    return R"({"responses":[)" + all + "]}";
  }
  auto Batch(const std::vector<GraphBatchPart>& parts) {
    return Run(client_->Batch(parts, GraphCall::kMessage, mail::Lane::kLive));
  }
};

TEST_F(GraphBatchTest, AnswersComeInTheOrderOfThePartsWhateverTheirOwn) {
  Expect(200, Answer({Part(2, 404, R"({"error":{"code":"ErrorItemNotFound"}})"), Part(0, 200, R"({"id":"a\ud800"})"),
                      Part(1, 200, R"("YmFzZTY0")")}));
  const auto answers = Batch(Parts(3));
  ASSERT_TRUE(answers) << answers.error().detail;
  EXPECT_EQ((*answers)[0].value().body, R"({"id":"a\ud800"})");
  EXPECT_EQ((*answers)[1].value().body, "YmFzZTY0");
  EXPECT_EQ((*answers)[2].error().code, ErrorCode::kGone);
  EXPECT_EQ(http_.requests[0].url, "https://graph.example/v1.0/$batch");
  EXPECT_THAT(
      http_.requests[0].body,
      HasSubstr(R"({"id":"1","method":"GET","url":"/me/messages/1","headers":{"Prefer":"IdType=\"ImmutableId\""}})"));
}

TEST_F(GraphBatchTest, TwentyPartsToACall) {
  for (int call = 0; call < 3; ++call) {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < 20; ++i) parts.push_back(Part(static_cast<std::size_t>(call) * 20 + i, 200, "{}"));
    Expect(200, Answer(parts));
  }
  const auto answers = Batch(Parts(45));
  ASSERT_TRUE(answers);
  EXPECT_THAT(http_.requests, SizeIs(3));
  for (const auto& answer : *answers) EXPECT_TRUE(answer);
}

TEST_F(GraphBatchTest, ThrottledPartsAloneAreAskedForAgainAfterTheLongestWait) {
  Expect(200, Answer({Part(0, 200, "{}"), Part(1, 429, std::string(kThrottled), R"({"Retry-After":"1"})"),
                      Part(2, 503, "{}")}));
  Expect(200, Answer({Part(1, 200, "{}"), Part(2, 200, "{}")}));
  const auto advance = [this]() -> Task<void> {
    while (client_->paused_until() <= clock_.Now()) co_await boost::asio::post(boost::asio::use_awaitable);
    clock_.Advance(seconds(1));
  };
  TaskGroup group(loop_.get_executor());
  group.Spawn("advance", advance);
  const auto answers = Batch(Parts(3));
  ASSERT_TRUE(answers);
  for (const auto& answer : *answers) EXPECT_TRUE(answer);
  ASSERT_THAT(http_.requests, SizeIs(2));
  EXPECT_THAT(http_.requests[1].body, ::testing::Not(HasSubstr("me/messages/0")));
  Run(group.Stop());
}

TEST_F(GraphBatchTest, ALongWaitOfOnePartStopsTheWholeAccount) {
  Expect(200, Answer({Part(0, 200, "{}"), Part(1, 429, std::string(kThrottled), R"({"Retry-After":"4"})"),
                      Part(2, 429, std::string(kThrottled), R"({"retry-after":60})")}));
  const auto answers = Batch(Parts(3));
  ASSERT_TRUE(answers);
  EXPECT_TRUE((*answers)[0]);
  EXPECT_EQ((*answers)[1].error().code, ErrorCode::kRateLimited);
  EXPECT_EQ((*answers)[2].error().retry_after, seconds(60));
  clock_.Advance(seconds(30));
  EXPECT_EQ(Get("me").error().code, ErrorCode::kRateLimited);
  EXPECT_THAT(http_.requests, SizeIs(1));
}

TEST_F(GraphBatchTest, WhatChangesSomethingIsNeverRepeated) {
  Expect(200, Answer({Part(0, 503, "{}")}));
  std::vector<GraphBatchPart> parts = {{.method = "PATCH", .path = "me/messages/a", .headers = {}, .body = "{}"}};
  EXPECT_EQ(Batch(parts).value()[0].error().code, ErrorCode::kProviderUnavailable);
  Expect(500);
  EXPECT_FALSE(Batch(parts));
  EXPECT_THAT(http_.requests, SizeIs(2));
}

TEST_F(GraphBatchTest, AnAnswerOfAnotherShapeOrWithoutAPartIsNoSuccess) {
  Expect(200, R"({"value":[]})");
  EXPECT_EQ(Batch(Parts(1)).error().code, ErrorCode::kMalformedReply);
  Expect(200, Answer({Part(0, 200, "{}"), Part(7, 200, "{}")}));
  const auto answers = Batch(Parts(2));
  ASSERT_TRUE(answers);
  EXPECT_TRUE((*answers)[0]);
  EXPECT_EQ((*answers)[1].error().code, ErrorCode::kMalformedReply);
}

TEST_F(GraphBatchTest, ARefusedTokenInsideIsRefreshedOnce) {
  Expect(200, Answer({Part(0, 401, "{}")}));
  Expect(200, Answer({Part(0, 200, "{}")}));
  EXPECT_TRUE(Batch(Parts(1)).value()[0]);
  EXPECT_THAT(tokens_.rejected, ElementsAre("token1"));
}

TEST_F(GraphClientTest, AWaitThatGraphAskedForHoldsInTheNextLifeOfTheProcess) {
  sync::testing::MemoryPauseStore rows;
  const auto made = [&](sync::ProviderPauses& pauses) {
    return GraphParts{.http = http_,
                      .tokens = tokens_,
                      .clock = clock_,
                      .options = {.base_url = "https://graph.example/v1.0"},
                      .pauses = &pauses};
  };
  const GraphRequest request{.path = "me"};
  {
    sync::ProviderPauses pauses(rows, clock_);
    GraphClients clients(made(pauses));
    Expect(429, std::string(kThrottled), {{"Retry-After", "30"}});
    EXPECT_EQ(Run(clients.For(account_)->Send(request)).error().code, ErrorCode::kRateLimited);
  }
  sync::ProviderPauses pauses(rows, clock_);
  GraphClients clients(made(pauses));
  const auto waiting = Run(clients.For(account_)->Send(request));
  EXPECT_EQ(waiting.error().code, ErrorCode::kRateLimited);
  EXPECT_EQ(waiting.error().retry_after, seconds(30));
  EXPECT_THAT(http_.requests, SizeIs(1)) << "no call inside the window";
  clock_.Advance(seconds(30));
  Expect(200);
  EXPECT_TRUE(Run(clients.For(account_)->Send(request)));
}

}  // namespace
}  // namespace latchkey::microsoft
