#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "api/services.hpp"
#include "http/message.hpp"

namespace latchkey::api {

http::Response Json(int status, std::string body);
http::Response NoContent();
http::Response Html(int status, std::string body);
/// A redirect of ours: `location` is a path of the front end ("/login"), so it cannot lead elsewhere.
http::Response RedirectToApp(const Site& site, int status, std::string_view path);
/// To /auth/error?error=<code>.
http::Response RedirectToError(const Site& site, int status, std::string_view code);

struct Cookie {
  std::string name;
  std::string value;
  std::chrono::seconds max_age{0};  ///< 0 clears it.
  bool strict = true;               ///< SameSite=Strict, else Lax.
};
/// HttpOnly, Path=/, no Domain; Secure exactly when the name has the __Host- prefix.
void SetCookie(http::Response& response, const Cookie& cookie);

/// "latchkey_setup", with the __Host- prefix on https.
std::string SetupCookieName(const Site& site);

}  // namespace latchkey::api
