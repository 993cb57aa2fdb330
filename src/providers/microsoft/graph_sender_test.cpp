// Which drafts are removed, and how. What is sent, and how often, is the oracle's matter (tests/sending).

#include "providers/microsoft/graph_sender.hpp"

#include <boost/asio/io_context.hpp>
#include <deque>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "async/testing.hpp"

namespace latchkey::microsoft {
namespace {

using ::testing::ElementsAre;

constexpr const char* kOutboxId = "01890000-0000-7000-8000-00000000000a";

/// Answers from a script, in order, and remembers what was asked, without queries.
class Answers final : public http_client::HttpClient {
 public:
  std::deque<std::pair<int, std::string>> script;
  std::vector<std::string> seen;

  Task<Result<http_client::HttpResponse>> Send(const http_client::HttpRequest& request) override {
    constexpr std::string_view kBase = "https://graph.example/v1.0/me";
    const std::string path = request.url.substr(kBase.size());
    seen.push_back(request.method + " " + path.substr(0, path.find('?')));
    if (script.empty()) co_return Fail(ErrorCode::kInternal, "the script is at its end");
    http_client::HttpResponse response;
    std::tie(response.status, response.body) = std::move(script.front());
    script.pop_front();
    // Long enough for the client not to wait for it.
    if (response.status == 429) response.headers.emplace_back("Retry-After", "60");
    co_return response;
  }
};

class Tokens final : public connected_accounts::TokenSource {
 public:
  Task<Result<SecretString>> AccessToken(const ConnectedAccountId&, const SecretString&) override {
    co_return SecretString("token");
  }
};

/// A draft with our header, made at noon and last written to at `written`.
std::string Draft(std::string_view id, std::string_view written = "2026-11-20T12:01:00Z") {
  return fmt::format(R"({{"id":"{}","isDraft":true,"createdDateTime":"2026-11-20T12:00:00Z",)"
                     R"("lastModifiedDateTime":"{}","internetMessageHeaders":[)"
                     R"({{"name":"x-latchkey-outbox-id","value":"{}"}}]}})",
                     id, written, kOutboxId);
}
std::string List(std::string_view items) { return fmt::format(R"({{"value":[{}]}})", items); }

class GraphSenderTest : public ::testing::Test {
 protected:
  bool CleanUp(mail::Leftovers which) {
    http_.seen.clear();
    auto sender = *senders_.For(ConnectedAccountId("01890000-0000-7000-8000-000000000001"), "microsoft");
    return latchkey::testing::RunTask(loop_, sender->CleanUp(entry_, which)).has_value();
  }
  GraphSenderTest() {
    entry_.id = mail::OutboxId(kOutboxId);
    entry_.draft_id = "d1";
  }

  boost::asio::io_context loop_;
  ManualClock clock_{ParseInstant("2026-11-20T12:30:00Z").value()};
  Answers http_;
  Tokens tokens_;
  GraphClients clients_{
      GraphParts{.http = http_,
                 .tokens = tokens_,
                 .clock = clock_,
                 .options = {.base_url = "https://graph.example", .retry_delay = std::chrono::milliseconds(1)}}};
  GraphSenders senders_{clients_};
  mail::OutboxEntry entry_;
};

TEST_F(GraphSenderTest, DraftsOfOursGoWithoutLyingInTheBin) {
  http_.script = {{200, Draft("d1")}, {204, ""}, {200, List(Draft("d2"))}, {204, ""}, {200, List("")}};
  EXPECT_TRUE(CleanUp(mail::Leftovers::kAll));
  EXPECT_THAT(http_.seen,
              ElementsAre("GET /messages/d1", "POST /messages/d1/permanentDelete", "GET /mailFolders/drafts/messages",
                          "POST /messages/d2/permanentDelete", "GET /mailFolders/drafts/messages"));
}

TEST_F(GraphSenderTest, TheDraftThatMayBeOnItsWayOutStaysWhenTheOthersGo) {
  http_.script = {{200, List(Draft("d1") + ',' + Draft("d2"))}, {204, ""}, {200, List(Draft("d1"))}};
  EXPECT_TRUE(CleanUp(mail::Leftovers::kBesideDraft));
  EXPECT_THAT(http_.seen, ElementsAre("GET /mailFolders/drafts/messages", "POST /messages/d2/permanentDelete",
                                      "GET /mailFolders/drafts/messages"));
}

TEST_F(GraphSenderTest, WhatThePersonMayHaveWorkedOnStaysWithinTheirReach) {
  entry_.draft_id.clear();
  const std::string untold = std::string(R"({"id":"d3","isDraft":true,"internetMessageHeaders":[)") +
                             R"({"name":"x-latchkey-outbox-id","value":")" + kOutboxId + R"("}]})";
  http_.script = {
      {200, List(Draft("d2", "2026-11-20T12:02:01Z"))}, {204, ""}, {200, List(untold)}, {204, ""}, {200, List("")}};
  EXPECT_TRUE(CleanUp(mail::Leftovers::kAll));
  EXPECT_THAT(http_.seen,
              ElementsAre("GET /mailFolders/drafts/messages", "DELETE /messages/d2", "GET /mailFolders/drafts/messages",
                          "DELETE /messages/d3", "GET /mailFolders/drafts/messages"));
}

TEST_F(GraphSenderTest, WhereNothingCanBeDeletedForGoodItIsThrownAway) {
  entry_.draft_id.clear();
  for (const auto& [status, code] :
       {std::pair(400, "BadRequest"), {404, "ErrorItemNotFound"}, {405, "x"}, {501, "x"}}) {
    http_.script = {{200, List(Draft("d2"))},
                    {status, fmt::format(R"({{"error":{{"code":"{}","message":"x"}}}})", code)},
                    {204, ""},
                    {200, List("")}};
    EXPECT_TRUE(CleanUp(mail::Leftovers::kAll)) << status;
    EXPECT_THAT(http_.seen, ElementsAre("GET /mailFolders/drafts/messages", "POST /messages/d2/permanentDelete",
                                        "DELETE /messages/d2", "GET /mailFolders/drafts/messages"));
  }
  // What passes is waited for.
  http_.script = {{200, List(Draft("d2"))}, {429, R"({"error":{"code":"TooManyRequests","message":"x"}})"}};
  EXPECT_FALSE(CleanUp(mail::Leftovers::kAll));
  EXPECT_THAT(http_.seen, ElementsAre("GET /mailFolders/drafts/messages", "POST /messages/d2/permanentDelete"));
}

}  // namespace
}  // namespace latchkey::microsoft
