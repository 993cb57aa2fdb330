#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "api/file_name.hpp"
#include "api/routes.hpp"
#include "api/web_app.hpp"
#include "base/json.hpp"

namespace latchkey::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string_view MethodName(http::Method method) {
  switch (method) {
    case http::Method::kPost:
      return "post";
    case http::Method::kPatch:
      return "patch";
    case http::Method::kDelete:
      return "delete";
    default:
      return "get";
  }
}

TEST(Routes, CoverEveryOperationOfTheContract) {
  const auto contract = json::Parse(EmbeddedOpenApi());
  ASSERT_TRUE(contract) << contract.error().detail;
  std::set<std::string> routes;
  for (const auto& route : Routes())
    routes.insert(std::string(MethodName(route.method)) + " " + std::string(route.path));
  for (const auto& [path, item] : contract->at("paths").as_object()) {
    for (const auto& [method, operation] : item.as_object()) {
      if (method != "parameters")
        EXPECT_THAT(routes, ::testing::Contains(std::string(method) + " " + std::string(path)));
    }
  }
}

TEST(Routes, OnlyTheseAreOpenToStrangers) {
  std::set<std::string_view> open;
  for (const auto& route : Routes()) {
    if (route.access == Access::kNone || route.access == Access::kOptionalSession) open.insert(route.path);
  }
  EXPECT_THAT(open, ::testing::UnorderedElementsAre("/auth/login/{provider}", "/auth/login/{provider}/callback",
                                                    "/auth/setup", "/auth/session", "/auth/apis/connect/{provider}",
                                                    "/auth/apis/connect/{provider}/callback", "/api/v1/images/{token}",
                                                    "/webhooks/google/gmail", "/webhooks/google/calendar",
                                                    "/webhooks/microsoft", "/health", "/livez", "/readyz", "/metrics",
                                                    "/openapi.json", "/.well-known/jwks.json"));
}

TEST(Routes, NoStateChangeIsOpenToStrangers) {
  for (const auto& route : Routes()) {
    // Providers have no session: what they post proves itself (push/receiver.hpp) and can only wake a sync.
    if (route.path.starts_with("/webhooks/")) continue;
    if (route.method != http::Method::kGet) EXPECT_GE(route.access, Access::kSession) << route.path;
  }
}

TEST(FileName, PlainNamesStayAsTheyAre) {
  EXPECT_EQ(AttachmentDisposition("minutes.pdf"), "attachment; filename=\"minutes.pdf\"");
}

TEST(FileName, PathsQuotesControlsAndDirectionMarksAreTakenOut) {
  const auto text = AttachmentDisposition("../../etc/\"pass\r\nwd\u202Egpj.exe");
  EXPECT_THAT(text, Not(HasSubstr("/")));
  EXPECT_THAT(text, Not(HasSubstr("\r")));
  EXPECT_THAT(text, Not(HasSubstr("%E2%80%AE")));
  EXPECT_EQ(text, "attachment; filename=\"_.._etc__pass__wd_gpj.exe\"");
}

TEST(FileName, OtherScriptsComeTwice) {
  EXPECT_EQ(AttachmentDisposition("Größe.pdf"),
            "attachment; filename=\"Gr__e.pdf\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.pdf");
}

TEST(FileName, NothingLeftStillHasAName) {
  EXPECT_EQ(AttachmentDisposition(""), "attachment; filename=\"attachment\"");
  EXPECT_EQ(AttachmentDisposition("..."), "attachment; filename=\"attachment\"");
}

TEST(FileName, LongNamesAreCutBetweenCharacters) {
  std::string name;
  for (int i = 0; i < 100; ++i) name += "ö";
  const auto text = AttachmentDisposition(name);
  EXPECT_LT(text.size(), 700U);
  EXPECT_THAT(text, Not(HasSubstr("%C3%C3")));
}

http::Request PageRequest(std::string path) {
  http::Request request;
  request.target = path;
  request.path = std::move(path);
  request.headers.push_back({"Accept", "text/html"});
  return request;
}

TEST(WebApp, AppAddressesGetTheIndexPageAndApiAddressesDoNot) {
  const WebApp app(EmbeddedWebApp());
  for (const auto* path : {"/", "/login", "/inbox", "/auth/error"}) {
    const auto response = app.TryServe(PageRequest(path));
    ASSERT_TRUE(response) << path;
    EXPECT_EQ(response->status, 200);
  }
  EXPECT_FALSE(app.TryServe(PageRequest("/api/v1/nothing")));
  EXPECT_FALSE(app.TryServe(PageRequest("/assets/gone-1234.js")));
  EXPECT_FALSE(app.TryServe(PageRequest("/favicon-old.ico")));
}

}  // namespace
}  // namespace latchkey::api
