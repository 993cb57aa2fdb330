#include "api/flow.hpp"

#include <string_view>
#include <vector>

#include "api/respond.hpp"

namespace latchkey::api {

namespace {

/// Flows that one browser may have under way; a person has one or two.
constexpr std::size_t kMaxFlows = 8;

std::vector<std::string> TransactionCookies(const http::Request& request) {
  std::vector<std::string> names;
  std::string_view rest = request.FindHeader("Cookie").value_or("");
  while (!rest.empty()) {
    const auto end = rest.find(';');
    auto pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    const auto name = pair.substr(0, pair.find('='));
    if (name.starts_with("latchkey_txn_") || name.starts_with("__Host-latchkey_txn_")) names.emplace_back(name);
  }
  return names;
}

}  // namespace

http::Response RedirectToProvider(const Call& call, const oauth::StartedFlow& flow) {
  http::Response response;
  response.status = 307;
  response.SetHeader("Location", flow.authorize_url);
  SetCookie(response,
            {.name = flow.cookie.name, .value = flow.cookie.value, .max_age = flow.cookie.max_age, .strict = false});
  const auto pending = TransactionCookies(call.request);
  if (pending.size() >= kMaxFlows) {
    for (const auto& name : pending) ClearTransaction(response, name);
  }
  return response;
}

oauth::CallbackRequest MakeCallback(Call& call) {
  oauth::CallbackRequest callback;
  callback.provider = call.request.PathParameter("provider");
  callback.query = call.request.query;
  callback.cookie = [&request = call.request](std::string_view name) -> std::optional<std::string> {
    const auto value = request.FindCookie(name);
    return value ? std::optional<std::string>(*value) : std::nullopt;
  };
  callback.user_agent = call.request.FindHeader("User-Agent").value_or("").substr(0, 200);
  callback.address = call.request.client_address;
  return callback;
}

void ClearTransaction(http::Response& response, const std::string& name) {
  if (!name.empty()) SetCookie(response, {.name = name, .value = {}, .strict = false});
}

}  // namespace latchkey::api
