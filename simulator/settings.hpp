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

  // Microsoft.
  std::string microsoft_client_id = "5b1a6e0c-7d3f-4c52-9a41-1e7c4a6b0d29";
  std::string microsoft_client_secret = "microsoft-secret-of-the-simulator";
  bool microsoft_client_deleted = false;   ///< AADSTS700016.
  bool microsoft_client_disabled = false;  ///< AADSTS7000112.
  bool microsoft_secret_expired = false;   ///< AADSTS7000222.
  /// Life of Microsoft's access tokens; 0 is Entra's own way, a different one of 60 to 90 minutes for each token.
  std::chrono::seconds microsoft_token_life{0};
  /// The redirect URI is registered as that of a single-page app: refresh tokens live 24 hours.
  bool microsoft_spa = false;

  // Graph. `quota` false switches both limits off.
  std::uint64_t graph_concurrency = 4;           ///< Requests in progress per mailbox; 0 is no limit.
  std::uint64_t graph_window_requests = 10'000;  ///< Per mailbox in ten minutes; 0 is no limit.
  double graph_retry_after_seconds = 4;          ///< What Retry-After of the concurrency limit says.
  std::string graph_retry_after = "integer";     ///< "integer", "decimal", "date" or "missing".
  /// Changed messages come in delta answers with the properties that may have changed only.
  bool graph_thin_updates = false;
  /// Milliseconds between a message's dispatch and its copy in Sent Items.
  std::uint64_t graph_sent_copy_milliseconds = 0;
  /// How change notifications come: "normal", "off", "duplicate" or "wrong_client_state".
  std::string graph_notifications = "normal";
  /// Milliseconds between a change and its notification.
  std::uint64_t graph_notification_milliseconds = 0;

  std::uint64_t seed = 1;
};

}  // namespace latchkey::simulator
