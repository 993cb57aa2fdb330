#include "api/flow.hpp"

#include "api/respond.hpp"

namespace latchkey::api {

http::Response RedirectToProvider(const oauth::StartedFlow& flow) {
  http::Response response;
  response.status = 307;
  response.SetHeader("Location", flow.authorize_url);
  SetCookie(response,
            {.name = flow.cookie.name, .value = flow.cookie.value, .max_age = flow.cookie.max_age, .strict = false});
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
