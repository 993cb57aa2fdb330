#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

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
#include "sync/quota_budget.hpp"

namespace latchkey::google {

struct GmailOptions {
  std::string base_url = "https://gmail.googleapis.com";
  /// Message fetches in flight per mailbox.
  int max_concurrency = 32;
  std::chrono::milliseconds request_timeout = std::chrono::seconds(60);
  /// First pause before a call that met a passing fault is made again; doubled for the next one.
  std::chrono::milliseconds retry_delay = std::chrono::milliseconds(250);
  int max_retries = 2;
};

/// What Gmail mailboxes share. Everything named here outlives them.
struct GmailParts {
  http_client::HttpClient& http;
  connected_accounts::TokenSource& tokens;
  sync::QuotaBudget& budget;
  WorkerPool& pool;
  const Clock& clock;
  GmailOptions options;
};

/// One request to the Gmail API: waits for the budget, carries the access token, refreshes it once when it is refused,
/// repeats what failed in passing, and translates what is no success. Loop thread only.
class GmailClient {
 public:
  GmailClient(const GmailParts& parts, ConnectedAccountId account) : parts_(parts), account_(std::move(account)) {}

  struct Request {
    GmailCall call = GmailCall::kMessage;
    std::string path;  ///< Behind /gmail/v1/users/me/, with query.
    std::int64_t units = 0;
    mail::Lane lane = mail::Lane::kLive;
    std::size_t max_response_bytes = 4 << 20;
    std::chrono::milliseconds timeout{0};  ///< 0: the default.
    std::function<Task<bool>(std::string_view)> on_body;
    /// Where the error document is when the body was streamed.
    std::function<std::string()> streamed_error;
  };
  /// The body of a 200. kUnauthenticated never comes out: a token refused twice is kReauthInvalidGrant.
  Task<Result<std::string>> Get(const Request& request);

  const GmailParts& parts() const { return parts_; }

 private:
  Task<Result<void>> TakeUnits(const Request& request);
  Task<Result<void>> WaitForUnits(const Request& request);
  Task<Result<SecretString>> Token(const SecretString& rejected);
  Task<Result<std::string>> Once(const Request& request);

  const GmailParts& parts_;
  ConnectedAccountId account_;
  /// Backfill calls come to the budget one after the other, in order: the first in line waits, nobody is overtaken.
  std::optional<Semaphore> backfill_turn_;
  SecretString token_;
  Instant token_read_at_{};
};

}  // namespace latchkey::google
