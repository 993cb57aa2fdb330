#include "api/handlers.hpp"
#include "api/respond.hpp"

// What providers post. The receiver proves each one; a refusal says nothing of why.
namespace latchkey::api {
namespace {

http::Response Empty(int status) {
  http::Response response;
  response.status = status;
  return response;
}

}  // namespace

Answer ReceiveGmailPush(Call& call) {
  const auto authorization = call.request.FindHeader("Authorization").value_or("");
  auto received = co_await call.services.push.Gmail(authorization, call.request.body);
  if (!received) co_return Fail(std::move(received.error()));
  co_return Empty(204);
}

Answer ReceiveCalendarPush(Call& call) {
  const auto header = [&](std::string_view name) { return call.request.FindHeader(name); };
  auto received = co_await call.services.push.Calendar(header);
  if (!received) co_return Fail(std::move(received.error()));
  co_return Empty(204);
}

Answer ReceiveGraphPush(Call& call) {
  if (const auto token = call.request.FindQuery("validationToken")) {
    auto answer = co_await call.services.push.Validate(*token);
    if (!answer) co_return Fail(std::move(answer.error()));
    auto response = Empty(200);
    response.SetHeader("Content-Type", "text/plain");
    response.body = std::move(*answer);
    co_return response;
  }
  auto received = co_await call.services.push.Graph(call.request.body);
  if (!received) co_return Fail(std::move(received.error()));
  co_return Empty(202);
}

}  // namespace latchkey::api
