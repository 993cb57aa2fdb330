#include "http/router.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "async/testing.hpp"

namespace latchkey::http {
namespace {

Handler Says(std::string text) {
  return [text](Request& request) -> Task<Response> {
    Response response;
    response.body = text;
    for (const auto& [name, value] : request.path_parameters) response.body += " " + name + "=" + value;
    co_return response;
  };
}

std::string HeaderOf(const Response& response, std::string_view name) {
  for (const Header& header : response.headers) {
    if (EqualsIgnoreCase(header.name, name)) return header.value;
  }
  return {};
}

Response Ask(const Router& router, Method method, std::string path) {
  boost::asio::io_context loop;
  Request request;
  request.method = method;
  request.path = std::move(path);
  request.request_id = "REF";
  return ::latchkey::testing::RunTask(loop, router.Handle(request));
}

std::vector<Route> Table() {
  return {{.method = Method::kGet, .pattern = "/", .handler = Says("root")},
          {.method = Method::kGet, .pattern = "/items", .handler = Says("list")},
          {.method = Method::kPost, .pattern = "/items", .handler = Says("create"), .max_body_bytes = 7},
          {.method = Method::kGet, .pattern = "/items/{id}", .handler = Says("item")},
          {.method = Method::kDelete, .pattern = "/items/{name}", .handler = Says("delete")},
          {.method = Method::kGet, .pattern = "/items/new", .handler = Says("new")},
          {.method = Method::kGet, .pattern = "/items/{id}/parts/{part}", .handler = Says("part")}};
}

TEST(Router, FindsLiteralsBeforeParameters) {
  const Router router(Table());
  EXPECT_EQ(Ask(router, Method::kGet, "/").body, "root");
  EXPECT_EQ(Ask(router, Method::kGet, "/items").body, "list");
  EXPECT_EQ(Ask(router, Method::kGet, "/items/new").body, "new");
  EXPECT_EQ(Ask(router, Method::kGet, "/items/7").body, "item id=7");
  EXPECT_EQ(Ask(router, Method::kDelete, "/items/7").body, "delete name=7");
  EXPECT_EQ(Ask(router, Method::kGet, "/items/7/parts/8").body, "part id=7 part=8");
  EXPECT_EQ(Ask(router, Method::kGet, "/items/new/parts/8").body, "part id=new part=8");
}

TEST(Router, UnknownPathsAreNotFound) {
  const Router router(Table());
  for (const char* path : {"/none", "/items/", "/items//parts/8", "/items/7/", "/items/7/parts", "/Items", "//items"}) {
    const Response response = Ask(router, Method::kGet, path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_NE(response.body.find("\"ref\":\"REF\""), std::string::npos);
  }
}

TEST(Router, OtherMethodsAreToldWhatIsAllowed) {
  const Router router(Table());
  const Response response = Ask(router, Method::kPut, "/items");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(HeaderOf(response, "allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(Ask(router, Method::kOther, "/items").status, 405);
}

TEST(Router, AnswersOptionsItself) {
  const Router router(Table());
  const Response response = Ask(router, Method::kOptions, "/items/7");
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(HeaderOf(response, "allow"), "GET, HEAD, DELETE, OPTIONS");
}

TEST(Router, HeadIsServedByGet) { EXPECT_EQ(Ask(Router(Table()), Method::kHead, "/items").body, "list"); }

TEST(Router, TheFallbackSeesWhatNoRouteMatches) {
  const Router router(Table(), {}, [](const Request& request) -> std::optional<Response> {
    if (request.path != "/inbox") return std::nullopt;
    Response response;
    response.body = "app";
    return response;
  });
  EXPECT_EQ(Ask(router, Method::kGet, "/inbox").body, "app");
  EXPECT_EQ(Ask(router, Method::kGet, "/none").status, 404);
  EXPECT_EQ(Ask(router, Method::kPut, "/items").status, 405);
}

TEST(Router, TheGuardComesBeforeTheHandler) {
  bool handled = false;
  std::vector<Route> routes = {{.method = Method::kGet, .pattern = "/admin", .handler = {}, .access = Access::kAdmin}};
  routes[0].handler = [&](Request&) -> Task<Response> {
    handled = true;
    co_return Response();
  };
  const Router router(std::move(routes), [](Request&, const Route& route) -> Task<std::optional<Response>> {
    EXPECT_EQ(route.access, Access::kAdmin);
    Response refusal;
    refusal.status = 403;
    co_return refusal;
  });
  EXPECT_EQ(Ask(router, Method::kGet, "/admin").status, 403);
  EXPECT_FALSE(handled);
}

TEST(Router, ExceptionsEndInAGenericProblem) {
  const Router router({{.method = Method::kGet, .pattern = "/x", .handler = [](Request&) -> Task<Response> {
                          throw std::runtime_error("secret text");
                          co_return Response();
                        }}});
  ::testing::internal::CaptureStderr();
  const Response response = Ask(router, Method::kGet, "/x");
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("secret text"), std::string::npos);
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find("secret"), std::string::npos);
}

TEST(Router, KnowsEachRoutesBodyLimit) {
  const Router router(Table());
  Request request;
  request.path = "/items";
  request.method = Method::kPost;
  EXPECT_EQ(router.PlanBody(request).limit, 7u);
  request.path = "/none";
  EXPECT_EQ(router.PlanBody(request).limit, 1u << 20);
}

TEST(Router, RefusesTablesThatAreAmbiguousOrMalformed) {
  const auto build = [](std::string first, std::string second) {
    return Router({{.method = Method::kGet, .pattern = std::move(first), .handler = Says("")},
                   {.method = Method::kGet, .pattern = std::move(second), .handler = Says("")}});
  };
  EXPECT_THROW(build("/a/{x}", "/a/{y}"), std::invalid_argument);
  EXPECT_THROW(build("/a", "/a"), std::invalid_argument);
  EXPECT_THROW(build("/a", "b"), std::invalid_argument);
  EXPECT_THROW(build("/a", "/b{x}"), std::invalid_argument);
  EXPECT_THROW(build("/a", "/{}"), std::invalid_argument);
  EXPECT_THROW(build("/a", "/{x"), std::invalid_argument);
}

}  // namespace
}  // namespace latchkey::http
