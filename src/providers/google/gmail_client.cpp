#include "providers/google/gmail_client.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

namespace latchkey::google {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A budget that is empty for longer than this is told to the caller, who has better things to do.
constexpr milliseconds kLongestPause = seconds(2);
/// All pauses of one call together.
constexpr milliseconds kLongestWait = seconds(30);
/// How long a token is used before the token source is asked again whether it still is the right one.
constexpr seconds kTokenReuse(20);

bool IsPassing(const Error& error) {
  const bool transient = error.code == ErrorCode::kProviderUnavailable || error.code == ErrorCode::kTimeout;
  return transient && error.retry_after.value_or(milliseconds(0)) <= kLongestPause;
}

}  // namespace

Task<Result<void>> GmailClient::TakeUnits(const Request& request) {
  if (request.lane == mail::Lane::kLive) co_return co_await WaitForUnits(request);
  if (!backfill_turn_) backfill_turn_.emplace(co_await boost::asio::this_coro::executor, 1);
  const Semaphore::Permit turn = co_await backfill_turn_->Acquire();
  co_return co_await WaitForUnits(request);
}

Task<Result<void>> GmailClient::WaitForUnits(const Request& request) {
  const auto lane =
      request.lane == mail::Lane::kLive ? sync::QuotaBudget::Lane::kLive : sync::QuotaBudget::Lane::kBackfill;
  milliseconds waited(0);
  while (true) {
    const auto wait = std::chrono::ceil<milliseconds>(parts_.budget.TrySpend(account_.text(), request.units, lane));
    if (wait <= milliseconds(0)) co_return Result<void>();
    if (wait > kLongestPause || waited + wait > kLongestWait) {
      co_return std::unexpected(
          Error{.code = ErrorCode::kRateLimited, .detail = "own budget is spent", .retry_after = wait});
    }
    waited += wait;
    co_await SleepFor(wait);
  }
}

Task<Result<SecretString>> GmailClient::Token(const SecretString& rejected) {
  const Instant now = parts_.clock.Now();
  // Another call may have brought the new one meanwhile.
  const bool usable = !token_.empty() && !(token_ == rejected) && now - token_read_at_ < kTokenReuse;
  if (usable) co_return token_;
  auto token = co_await parts_.tokens.AccessToken(account_, rejected);
  if (!token) co_return std::unexpected(token.error());
  token_ = *token;
  token_read_at_ = now;
  co_return token_;
}

Task<Result<std::string>> GmailClient::Once(const Request& request) {
  SecretString rejected;
  for (int attempt = 0;; ++attempt) {
    auto token = co_await Token(rejected);
    if (!token) co_return std::unexpected(token.error());
    http_client::HttpRequest http;
    http.url = parts_.options.base_url + "/gmail/v1/users/me/" + request.path;
    http.headers.emplace_back("Authorization", "Bearer " + token->Reveal());
    http.headers.emplace_back("Accept", "application/json");
    http.timeout = request.timeout.count() > 0 ? request.timeout : parts_.options.request_timeout;
    http.max_response_bytes = request.max_response_bytes;
    http.on_body_async = request.on_body;
    auto response = co_await parts_.http.Send(http);
    if (!response) co_return std::unexpected(std::move(response.error()));
    if (response->status == 200) co_return std::move(response->body);
    if (request.streamed_error) response->body = request.streamed_error();
    Error error = ClassifyGmailError(request.call, *response, parts_.clock.Now());
    if (error.code == ErrorCode::kUnauthenticated) {
      if (attempt == 0) {
        rejected = *token;
        continue;
      }
      error.code = ErrorCode::kReauthInvalidGrant;
    }
    if (error.code == ErrorCode::kRateLimited) {
      // Calls in flight next to this one would meet the same answer; let them wait at home.
      parts_.budget.Block(account_.text(), error.retry_after.value_or(seconds(1)));
    }
    co_return std::unexpected(std::move(error));
  }
}

Task<Result<std::string>> GmailClient::Get(const Request& request) {
  milliseconds pause = parts_.options.retry_delay;
  for (int attempt = 0;; ++attempt) {
    auto taken = co_await TakeUnits(request);
    if (!taken) co_return std::unexpected(std::move(taken.error()));
    auto body = co_await Once(request);
    // A streamed body may have been handed on in part: not repeatable.
    if (body || request.on_body || attempt >= parts_.options.max_retries || !IsPassing(body.error())) co_return body;
    co_await SleepFor(std::max(pause, body.error().retry_after.value_or(milliseconds(0))));
    pause *= 2;
  }
}

}  // namespace latchkey::google
