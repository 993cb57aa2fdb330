#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace latchkey::simulator {

/// What the command line starts with and the control API changes. Loop thread only.
struct Settings {
  bool quota = true;
  /// Requests in progress per account above which Gmail answers 429; 0 is no limit.
  std::uint64_t concurrency_limit = 0;
  /// The OAuth project is "in testing": refresh tokens for more than sign-in live seven days.
  bool testing_mode = false;
  std::chrono::seconds access_token_life{3599};
  std::string client_id = "latchkey-demo.apps.googleusercontent.com";
  std::string client_secret = "secret-of-the-simulator";
  std::string client_name = "Latchkey";
  bool client_deleted = false;
  /// Compared exactly; empty: any http(s) URI on loopback.
  std::vector<std::string> redirect_uris;
  /// Lists answer an empty page with a next link before each page, or repeat the last item of the page before.
  bool empty_pages = false;
  bool repeated_items = false;
  bool send_iss = false;
  /// The pages carry Cross-Origin-Opener-Policy: same-origin, which cuts a popup from the page that opened it.
  bool sever_opener = false;
  std::uint64_t seed = 1;
};

}  // namespace latchkey::simulator
