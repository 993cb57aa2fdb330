#include "simulator/control/counters.hpp"

#include <gtest/gtest.h>

namespace latchkey::simulator {
namespace {

std::string Template(std::string method, std::string target) {
  Request request;
  request.method = std::move(method);
  request.SetTarget(std::move(target));
  return RouteTemplate(request);
}

TEST(RouteTemplate, IdsAreLeftOut) {
  EXPECT_EQ(Template("GET", "/gmail/v1/users/me/messages?maxResults=5"), "GET /gmail/v1/users/{userId}/messages");
  EXPECT_EQ(Template("GET", "/gmail/v1/users/a%40b.example/messages/19aa/attachments/x"),
            "GET /gmail/v1/users/{userId}/messages/{id}/attachments/{id}");
  EXPECT_EQ(Template("POST", "/gmail/v1/users/me/messages/19aa/modify"),
            "POST /gmail/v1/users/{userId}/messages/{id}/modify");
  EXPECT_EQ(Template("POST", "/gmail/v1/users/me/messages/batchModify"),
            "POST /gmail/v1/users/{userId}/messages/batchModify");
  EXPECT_EQ(Template("POST", "/upload/gmail/v1/users/me/messages/send"),
            "POST /upload/gmail/v1/users/{userId}/messages/send");
  EXPECT_EQ(Template("GET", "/google/o/oauth2/v2/auth"), "GET /google/o/oauth2/v2/auth");
}

TEST(RequestCounters, KnowHowManyWereInProgressAtOnce) {
  AccountRegistry accounts;
  const Account& ada = accounts.Add("ada@example.com");
  RequestCounters counters;
  {
    const auto first = counters.Begin(ada);
    auto second = counters.Begin(ada);
    EXPECT_EQ(counters.InProgress(ada), 2u);
    second.reset();
    const auto third = counters.Begin(ada);
  }
  EXPECT_EQ(counters.InProgress(ada), 0u);
  EXPECT_EQ(counters.OfAccount(ada).at("max_in_progress"), 2u);
  EXPECT_EQ(counters.OfAccount(ada).at("requests"), 3u);
  counters.Reset();
  EXPECT_EQ(counters.OfAccount(ada).at("requests"), 0u);
}

TEST(RequestCounters, CountPerRouteAndStatus) {
  RequestCounters counters;
  counters.Count("GET /a", 200);
  counters.Count("GET /a", 429);
  EXPECT_EQ(counters.Requests().at("GET /a").at("count"), 2u);
  EXPECT_EQ(counters.Requests().at("GET /a").at("statuses").at("429"), 1u);
}

TEST(RequestCounters, InventedPathsShareOneEntry) {
  RequestCounters counters;
  for (int i = 0; i < 2000; ++i) counters.Count("GET /" + std::to_string(i), 404);
  EXPECT_LE(counters.Requests().size(), 501u);
}

}  // namespace
}  // namespace latchkey::simulator
