#include "api/respond.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "http/cookie.hpp"

namespace latchkey::api {
http::Response Json(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.SetHeader("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

http::Response NoContent() {
  http::Response response;
  response.status = 204;
  return response;
}

http::Response Html(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.SetHeader("Content-Type", "text/html; charset=utf-8");
  response.body = std::move(body);
  return response;
}

http::Response RedirectToApp(const Site& site, int status, std::string_view path) {
  http::Response response;
  response.status = status;
  response.SetHeader("Location", site.frontend_url + std::string(path));
  return response;
}

http::Response RedirectToError(const Site& site, int status, std::string_view code) {
  return RedirectToApp(site, status, fmt::format("/auth/error?error={}", PercentEncode(code)));
}

void SetCookie(http::Response& response, const Cookie& cookie) {
  const http::SetCookie line{.name = cookie.name,
                             .value = cookie.value,
                             .same_site = cookie.strict ? http::SameSite::kStrict : http::SameSite::kLax,
                             .secure = cookie.name.starts_with("__Host-"),
                             .http_only = true,
                             .max_age = cookie.max_age};
  response.AddHeader("Set-Cookie", http::FormatSetCookie(line));
}

std::string SetupCookieName(const Site& site) { return site.https ? "__Host-latchkey_setup" : "latchkey_setup"; }

}  // namespace latchkey::api
