#include "simulator/graph/graph_service.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace latchkey::simulator::graph {
namespace {

using ::testing::HasSubstr;

class Service : public ::testing::Test {
 protected:
  Service() {
    service_.router().Add({"GET", "/me/things/{}", {"Mail.Read"}, [](Call& call) {
                             return Json(200, {{"id", call.parameter(0)}, {"immutable", call.immutable_ids()}});
                           }});
    service_.router().Add(
        {"GET", "/me/things/delta", {"Mail.Read"}, [](Call&) { return Json(200, {{"delta", true}}); }});
    service_.SetInProgress([this](const Account&) { return in_progress_; });
  }
  Response Send(std::string method, std::string target, std::string body = {}, Headers headers = {}) {
    Request request;
    request.method = std::move(method);
    request.SetTarget("/v1.0" + target);
    request.scheme = "http";
    request.host = "127.0.0.1:8025";
    request.headers = std::move(headers);
    request.body = std::move(body);
    if (!GraphService::Prepare(request, grant_.account)) return AccessDenied(clock_.Now());
    return service_.Handle(request, grant_);
  }
  static boost::json::object Parsed(const Response& response) { return boost::json::parse(response.body).as_object(); }
  static std::string Code(const Response& response) {
    return std::string(Parsed(response).at("error").at("code").as_string());
  }
  /// A batch of `count` reads of things.
  static std::string Batch(int count) {
    std::string text;
    for (int i = 1; i <= count; ++i) {
      text += (text.empty() ? "" : ",") + std::string(R"({"id":")") + std::to_string(i) +
              R"(","method":"GET","url":"/me/things/)" + std::to_string(i) + "\"}";
    }
    return R"({"requests":[)" + text + "]}";
  }

  ManualClock clock_{Instant(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20))};
  AccountRegistry accounts_;
  Account& ada_ = accounts_.AddMicrosoft("ada@example.com");
  Settings settings_;
  GraphService service_{clock_, settings_};
  Grant grant_{&ada_, "client", {"Mail.Read", "User.Read"}};
  std::uint64_t in_progress_ = 1;
};

TEST_F(Service, PathsInEveryForm) {
  for (const char* path : {"/me/things/a=", "/ME/Things/a%3D", "/me/things('a=')", "/users/ada@example.com/things/a=",
                           "/users('ada@example.com')/things('a=')", "/me/things//a="}) {
    EXPECT_EQ(Parsed(Send("GET", path)).at("id"), "a=") << path;
  }
  EXPECT_TRUE(Parsed(Send("GET", "/me/things/delta()")).at("delta").as_bool());
  EXPECT_EQ(Code(Send("GET", "/users/eve@example.com/things/a")), "ErrorAccessDenied");
  EXPECT_EQ(Send("DELETE", "/me/things/a").status, 405);
  EXPECT_THAT(Send("GET", "/me/nothing").body, HasSubstr("Resource not found for the segment 'nothing'."));
}

TEST_F(Service, PreferencesAndRequestIds) {
  EXPECT_TRUE(Parsed(Send("GET", "/me/things/1", "", {{"Prefer", "odata.maxpagesize=3, IdType=\"ImmutableId\""}}))
                  .at("immutable")
                  .as_bool());
  const Response refused = Send("GET", "/me/nothing", "", {{"client-request-id", "mine"}});
  EXPECT_EQ(refused.headers.Get("client-request-id"), "mine");
  const auto inner = Parsed(refused).at("error").at("innerError").as_object();
  EXPECT_EQ(inner.at("request-id"), boost::json::string(refused.headers.Get("request-id")));
  EXPECT_EQ(inner.at("client-request-id"), "mine");
}

TEST_F(Service, ScopesAndMailboxAreRequired) {
  ada_.has_mailbox = false;
  EXPECT_EQ(Code(Send("GET", "/me/things/1")), "MailboxNotEnabledForRESTAPI");
  EXPECT_EQ(Send("GET", "/me").status, 200);
  ada_.has_mailbox = true;
  grant_.scopes = {"Mail.Send"};
  EXPECT_EQ(Code(Send("GET", "/me/things/1")), "ErrorAccessDenied");
}

TEST_F(Service, FifthRequestAtATimeIsThrottled) {
  in_progress_ = 5;
  const Response refused = Send("GET", "/me/things/1");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.Get("Retry-After"), "4");
  settings_.graph_retry_after = "decimal";
  settings_.graph_retry_after_seconds = 2.128;
  EXPECT_EQ(Send("GET", "/me/things/1").headers.Get("Retry-After"), "2.128");
  settings_.graph_retry_after = "missing";
  EXPECT_FALSE(Send("GET", "/me/things/1").headers.Find("Retry-After"));
  settings_.quota = false;
  EXPECT_EQ(Send("GET", "/me/things/1").status, 200);
}

TEST_F(Service, TenMinutesHaveTheirNumberOfRequests) {
  settings_.graph_window_requests = 3;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Send("GET", "/me/things/1").status, 200);
  const Response refused = Send("GET", "/me/things/1");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.Get("Retry-After"), "600");
  clock_.Advance(std::chrono::minutes(10));
  EXPECT_EQ(Send("GET", "/me/things/1").status, 200);
}

TEST_F(Service, PartsOfABatchAreThrottledEachOnItsOwn) {
  const auto statuses = [&](const std::string& body) {
    std::map<std::string, std::int64_t> result;
    const Response answer = Send("POST", "/$batch", body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    const boost::json::object parsed = Parsed(answer);
    for (const auto& part : parsed.at("responses").as_array()) {
      result[std::string(part.at("id").as_string())] = part.at("status").as_int64();
    }
    return result;
  };
  EXPECT_EQ(statuses(Batch(20)).size(), 20u);
  for (const auto& [id, status] : statuses(Batch(20))) EXPECT_EQ(status, 200) << id;
  in_progress_ = 2;  // Another request beside the batch: the fourth of each four is too many.
  const auto beside = statuses(Batch(8));
  EXPECT_EQ(beside.at("3"), 200);
  EXPECT_EQ(beside.at("4"), 429);
  EXPECT_EQ(beside.at("8"), 429);
  EXPECT_EQ(statuses(R"({"requests":[{"id":"1","method":"GET","url":"/me/nothing"},
                         {"id":"2","method":"GET","url":"/me/things/1","dependsOn":["1"]}]})")
                .at("2"),
            424);
}

TEST_F(Service, BrokenBatchesAreRefusedWhole) {
  EXPECT_EQ(Send("POST", "/$batch", Batch(21)).status, 400);
  EXPECT_EQ(Send("POST", "/$batch", "[]").status, 400);
  EXPECT_EQ(Send("POST", "/$batch", R"({"requests":[{"id":"1","method":"GET","url":"https://evil.example/"}]})").status,
            400);
  EXPECT_EQ(Send("POST", "/$batch", R"({"requests":[{"id":"1","method":"GET","url":"/me","dependsOn":["2"]}]})").status,
            400);
}

TEST_F(Service, PartsMeetTheGate) {
  service_.SetPartGate([](const Request& part, const Account&) -> std::optional<Response> {
    if (part.path == "/v1.0/me/things/2") return MakePayload("graph.error.ApplicationThrottled.429", Instant());
    return std::nullopt;
  });
  const Response answer = Send("POST", "/$batch", Batch(2));
  EXPECT_THAT(answer.body, HasSubstr("MailboxConcurrency"));
  EXPECT_THAT(answer.body, HasSubstr("\"Retry-After\":\"4\""));
}

TEST(DeferredAnswers, PassThroughChangesAndComeOnce) {
  Response waiting;
  waiting.deferred = std::make_shared<Deferred>();
  const auto source = waiting.deferred;
  const Response changed = Transform(std::move(waiting), [](Response answer) {
    answer.headers.Add("X", "1");
    return answer;
  });
  ASSERT_TRUE(changed.deferred);
  source->Complete(TextResponse(201, "done"));
  source->Complete(TextResponse(500, "again"));
  int calls = 0;
  changed.deferred->Then([&](Response answer) {
    ++calls;
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.headers.Get("X"), "1");
  });
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace latchkey::simulator::graph
