#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "async/timer.hpp"
#include "async/worker_pool.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "base/secret.hpp"
#include "connected_accounts/account_store.hpp"
#include "http_client/http_client.hpp"
#include "mail/mail_provider.hpp"
#include "providers/google/google_errors.hpp"
#include "providers/google/message_parser.hpp"
#include "sync/provider_pause.hpp"
#include "sync/quota_budget.hpp"

namespace latchkey::google {

struct GoogleOptions {
  std::string gmail_url = "https://gmail.googleapis.com";
  /// With or without /calendar/v3 at its end.
  std::string calendar_url = "https://www.googleapis.com/calendar/v3";
  /// Message fetches in flight per mailbox.
  int max_concurrency = 32;
  std::chrono::milliseconds request_timeout = std::chrono::seconds(60);
  /// First pause before a call that met a passing fault is made again; doubled for the next one.
  std::chrono::milliseconds retry_delay = std::chrono::milliseconds(250);
  int max_retries = 2;
};

/// What the clients of one API share. Gmail and Calendar have quotas of their own, so each has its parts with its
/// budget. Everything named here outlives the clients.
struct GoogleParts {
  http_client::HttpClient& http;
  connected_accounts::TokenSource& tokens;
  sync::QuotaBudget& budget;
  WorkerPool& pool;
  const Clock& clock;
  GoogleOptions options;
  /// The waits that Google asked for, kept over restarts; nullptr keeps them in the budget alone.
  sync::ProviderPauses* pauses = nullptr;
};

/// Which API a path belongs to.
enum class GoogleApi {
  kGmail,        ///< Behind gmail/v1/users/me/
  kGmailUpload,  ///< Behind upload/gmail/v1/users/me/
  kCalendar,     ///< Behind calendar/v3/
};

struct GoogleRequest {
  std::string method = "GET";
  GoogleApi api = GoogleApi::kGmail;
  GoogleCall call = GoogleCall::kMessage;
  std::string path;                          ///< Without a slash at its beginning, with query, percent-encoded.
  std::vector<http_client::Header> headers;  ///< Beside Authorization, Accept and Content-Type.
  std::string body;
  std::string content_type = "application/json";  ///< Of the body, when there is one.
  std::int64_t units = 0;
  mail::Lane lane = mail::Lane::kLive;
  std::size_t max_response_bytes = 4 << 20;
  std::chrono::milliseconds timeout{0};  ///< 0: the default.
  /// What the call does must not be done twice: it is made once. Only a refused token (401) is answered by a second
  /// try, because then nothing was done.
  bool once = false;
  /// As in HttpRequest: false afterwards means that nothing can have happened at the provider.
  bool* may_have_left = nullptr;
  std::function<Task<bool>(std::string_view)> on_body;
  /// Where the error document is when the body was streamed.
  std::function<std::string()> streamed_error;
};

/// One request to an API of Google for one account: waits for the budget, carries the access token, refreshes it once
/// when it is refused, repeats what failed in passing, and translates what is no success. Loop thread only.
class GoogleClient {
 public:
  GoogleClient(const GoogleParts& parts, ConnectedAccountId account) : parts_(parts), account_(std::move(account)) {}

  /// The answer when its status is 2xx. kUnauthenticated never comes out: a token refused twice is
  /// kReauthInvalidGrant. Other errors as ClassifyGoogleError and HttpClient say; kRateLimited also when the own budget
  /// is spent, with nothing sent.
  Task<Result<http_client::HttpResponse>> Send(const GoogleRequest& request);
  /// The body of that answer.
  Task<Result<std::string>> Get(const GoogleRequest& request);

  const GoogleParts& parts() const { return parts_; }
  const ConnectedAccountId& account() const { return account_; }

 private:
  Task<Result<void>> WaitForPause(const GoogleRequest& request);
  Task<Result<void>> TakeUnits(const GoogleRequest& request);
  Task<Result<void>> WaitForUnits(const GoogleRequest& request);
  Task<bool> HasNewToken(const SecretString& used);
  Task<Result<http_client::HttpResponse>> Once(const GoogleRequest& request, http_client::HttpRequest& http);

  const GoogleParts& parts_;
  ConnectedAccountId account_;
  /// Backfill calls come to the budget one after the other, in order: the first in line waits, nobody is overtaken.
  std::optional<Semaphore> backfill_turn_;
};

}  // namespace latchkey::google
