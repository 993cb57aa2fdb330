#include "providers/google/google_client.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <iterator>

namespace latchkey::google {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A budget that is empty for longer than this is told to the caller, who has better things to do.
constexpr milliseconds kLongestPause = seconds(2);
/// All pauses of one call together.
constexpr milliseconds kLongestWait = seconds(30);

bool LacksPermission(ErrorCode code) {
  return code == ErrorCode::kMissingScope || code == ErrorCode::kSendScopeMissing;
}

bool IsPassing(const Error& error) {
  const bool transient = error.code == ErrorCode::kProviderUnavailable || error.code == ErrorCode::kTimeout;
  return transient && error.retry_after.value_or(milliseconds(0)) <= kLongestPause;
}

/// The address before a request's path. Stand-ins are given with or without the API's own path.
std::string UrlOf(const GoogleOptions& options, GoogleApi api) {
  std::string_view base = api == GoogleApi::kCalendar ? options.calendar_url : options.gmail_url;
  while (base.ends_with('/')) base.remove_suffix(1);
  switch (api) {
    case GoogleApi::kGmail:
      return std::string(base) + "/gmail/v1/users/me/";
    case GoogleApi::kGmailUpload:
      return std::string(base) + "/upload/gmail/v1/users/me/";
    case GoogleApi::kCalendar:
      break;
  }
  constexpr std::string_view kPath = "/calendar/v3";
  if (base.ends_with(kPath)) base.remove_suffix(kPath.size());
  return std::string(base).append(kPath) + '/';
}

std::string_view ServiceOf(GoogleApi api) {
  return api == GoogleApi::kCalendar ? sync::kGoogleCalendarService : sync::kGmailService;
}

}  // namespace

Task<Result<void>> GoogleClient::WaitForPause(const GoogleRequest& request) {
  if (parts_.pauses == nullptr) co_return Result<void>();
  milliseconds waited(0);
  while (true) {
    const milliseconds wait = co_await parts_.pauses->Remaining(account_, ServiceOf(request.api));
    if (wait <= milliseconds(0)) co_return Result<void>();
    if (wait > kLongestPause || waited + wait > kLongestWait) {
      co_return std::unexpected(
          Error{.code = ErrorCode::kRateLimited, .detail = "google asked this account to wait", .retry_after = wait});
    }
    waited += wait;
    co_await SleepFor(wait);
  }
}

Task<Result<void>> GoogleClient::TakeUnits(const GoogleRequest& request) {
  if (request.lane == mail::Lane::kLive) co_return co_await WaitForUnits(request);
  if (!backfill_turn_) backfill_turn_.emplace(co_await boost::asio::this_coro::executor, 1);
  const Semaphore::Permit turn = co_await backfill_turn_->Acquire();
  co_return co_await WaitForUnits(request);
}

Task<Result<void>> GoogleClient::WaitForUnits(const GoogleRequest& request) {
  const auto lane =
      request.lane == mail::Lane::kLive ? sync::QuotaBudget::Lane::kLive : sync::QuotaBudget::Lane::kBackfill;
  milliseconds waited(0);
  while (true) {
    const auto missing = co_await parts_.budget.TrySpend(account_.text(), request.units, lane);
    const auto wait = std::chrono::ceil<milliseconds>(missing);
    if (wait <= milliseconds(0)) co_return Result<void>();
    if (wait > kLongestPause || waited + wait > kLongestWait) {
      co_return std::unexpected(
          Error{.code = ErrorCode::kRateLimited, .detail = "own budget is spent", .retry_after = wait});
    }
    waited += wait;
    co_await SleepFor(wait);
  }
}

/// Whether the stored token is another than the one just used: somebody, perhaps another process, replaced it.
Task<bool> GoogleClient::HasNewToken(const SecretString& used) {
  parts_.tokens.Forget(account_);
  const SecretString none;
  const auto stored = co_await parts_.tokens.AccessToken(account_, none);
  co_return stored && !(*stored == used);
}

Task<Result<http_client::HttpResponse>> GoogleClient::Once(const GoogleRequest& request,
                                                           http_client::HttpRequest& http) {
  SecretString rejected;
  bool refused = false, looked_again = false;
  while (true) {
    auto token = co_await parts_.tokens.AccessToken(account_, rejected);
    if (!token) co_return std::unexpected(token.error());
    http.headers.front().second = "Bearer " + token->Reveal();
    auto response = co_await parts_.http.Send(http);
    if (!response) co_return std::unexpected(std::move(response.error()));
    if (response->status >= 200 && response->status < 300) co_return response;
    if (request.streamed_error) response->body = request.streamed_error();
    Error error = ClassifyGoogleError(request.call, *response, parts_.clock.Now());
    if (error.code == ErrorCode::kUnauthenticated) {
      if (!refused) {
        refused = true;
        rejected = *token;
        continue;
      }
      error.code = ErrorCode::kReauthInvalidGrant;
    }
    if (LacksPermission(error.code) && !looked_again) {
      // The person may have granted it since this token was read. Nothing was done, so even what happens once is safe.
      looked_again = true;
      const bool replaced = co_await HasNewToken(*token);
      if (replaced) continue;
    }
    if (error.retry_after && parts_.pauses != nullptr) {
      co_await parts_.pauses->Hold(account_, ServiceOf(request.api), *error.retry_after);
    }
    if (error.code == ErrorCode::kRateLimited) {
      // Calls in flight next to this one would meet the same answer; let them wait at home.
      parts_.budget.Block(account_.text(), error.retry_after.value_or(seconds(1)));
    }
    co_return std::unexpected(std::move(error));
  }
}

Task<Result<http_client::HttpResponse>> GoogleClient::Send(const GoogleRequest& request) {
  http_client::HttpRequest http;
  http.method = request.method;
  http.url = UrlOf(parts_.options, request.api) + request.path;
  http.headers.emplace_back("Authorization", "");
  http.headers.emplace_back("Accept", "application/json");
  if (!request.body.empty()) http.headers.emplace_back("Content-Type", request.content_type);
  std::ranges::copy(request.headers, std::back_inserter(http.headers));
  http.body_view = request.body;
  http.timeout = request.timeout.count() > 0 ? request.timeout : parts_.options.request_timeout;
  http.max_response_bytes = request.max_response_bytes;
  http.on_body_async = request.on_body;
  http.may_have_left = request.may_have_left;
  milliseconds pause = parts_.options.retry_delay;
  for (int attempt = 0;; ++attempt) {
    auto ready = co_await WaitForPause(request);
    if (!ready) co_return std::unexpected(std::move(ready.error()));
    auto taken = co_await TakeUnits(request);
    if (!taken) co_return std::unexpected(std::move(taken.error()));
    auto response = co_await Once(request, http);
    // A streamed body may have been handed on in part: not repeatable.
    const bool repeatable = !request.once && !request.on_body;
    if (response || !repeatable || attempt >= parts_.options.max_retries || !IsPassing(response.error())) {
      co_return response;
    }
    co_await SleepFor(std::max(pause, response.error().retry_after.value_or(milliseconds(0))));
    pause *= 2;
  }
}

Task<Result<std::string>> GoogleClient::Get(const GoogleRequest& request) {
  auto response = co_await Send(request);
  if (!response) co_return std::unexpected(std::move(response.error()));
  co_return std::move(response->body);
}

}  // namespace latchkey::google
