#include "providers/microsoft/graph_client.hpp"

#include <algorithm>

#include "http_client/origin.hpp"
#include "providers/microsoft/entra_errors.hpp"

namespace latchkey::microsoft {
namespace {

using http_client::HttpRequest;
using http_client::HttpResponse;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// An account that has to wait longer than this tells its caller, who has better things to do.
constexpr milliseconds kLongestPause = seconds(2);
/// All pauses before one attempt together.
constexpr milliseconds kLongestWait = seconds(30);
constexpr milliseconds kLongestGuess = std::chrono::minutes(5);
constexpr std::size_t kMaxClients = 10'000;
constexpr std::string_view kImmutableIds = "IdType=\"ImmutableId\"";

std::string ApiOf(std::string base) {
  while (base.ends_with('/')) base.pop_back();
  if (!base.ends_with("/v1.0")) base += "/v1.0";
  return base + '/';
}

bool LacksPermission(ErrorCode code) {
  return code == ErrorCode::kMissingScope || code == ErrorCode::kSendScopeMissing;
}

/// Worth a second try within the call: the provider stumbled and did not ask for patience.
bool IsPassing(const Error& error) {
  const bool transient = error.code == ErrorCode::kProviderUnavailable || error.code == ErrorCode::kTimeout;
  const bool refused = error.code == ErrorCode::kRateLimited && error.retry_after;
  return (transient || refused) && error.retry_after.value_or(milliseconds(0)) <= kLongestPause;
}

}  // namespace

GraphClient::GraphClient(const GraphParts& parts, RequestGate::Total& total, ConnectedAccountId account)
    : parts_(parts),
      api_(ApiOf(parts.options.base_url)),
      account_(std::move(account)),
      gate_({.per_mailbox = parts.options.max_concurrency,
             .total = parts.options.max_total_concurrency,
             .seats = parts.seats,
             .mailbox = account_.text()},
            total) {}

Result<std::string> GraphClient::PathOf(std::string_view link) const {
  const auto own = http_client::ParseOrigin(api_);
  const auto theirs = http_client::ParseOrigin(link);
  const std::string_view root = std::string_view(api_).substr(api_.find("//") + 2);
  const std::string_view own_path = root.substr(root.find('/'));
  const std::size_t host = link.find("//");
  const std::size_t path = host == std::string_view::npos ? host : link.find('/', host + 2);
  if (!own || !theirs || own->text != theirs->text || path == std::string_view::npos ||
      !link.substr(path).starts_with(own_path)) {
    return Fail(ErrorCode::kMalformedReply, "graph named a next page that is not on the configured server");
  }
  return std::string(link.substr(path + own_path.size()));
}

/// Whether the stored token is another than the one just used: somebody, perhaps another process, replaced it.
Task<bool> GraphClient::HasNewToken(const SecretString& used) {
  parts_.tokens.Forget(account_);
  const SecretString none;
  const auto stored = co_await parts_.tokens.AccessToken(account_, none);
  co_return stored && !(*stored == used);
}

Task<Result<void>> GraphClient::WaitForPause() {
  milliseconds waited(0);
  while (true) {
    if (parts_.pauses != nullptr) {
      const milliseconds asked = co_await parts_.pauses->Remaining(account_, sync::kGraphService);
      if (asked > milliseconds(0)) PauseUntil(parts_.clock.Now() + asked);
    }
    const auto wait = std::chrono::ceil<milliseconds>(paused_until_ - parts_.clock.Now());
    if (wait <= milliseconds(0)) co_return Result<void>();
    if (wait > kLongestPause || waited > kLongestWait) {
      Error error{.code = ErrorCode::kRateLimited, .detail = "graph asked this account to wait", .retry_after = wait};
      co_return std::unexpected(std::move(error));
    }
    waited += wait;
    co_await SleepFor(wait);
  }
}

Task<void> GraphClient::NotePause(const Error& error) {
  const bool refused = error.code == ErrorCode::kRateLimited;
  if (!refused && !(error.code == ErrorCode::kProviderUnavailable && error.retry_after)) co_return;
  milliseconds wait = std::min(kLongestGuess, parts_.options.throttle_delay * (1 << std::clamp(refusals_, 0, 10)));
  if (error.retry_after) {
    wait = *error.retry_after;
  } else {
    ++refusals_;
  }
  PauseUntil(parts_.clock.Now() + wait);
  if (parts_.pauses != nullptr) co_await parts_.pauses->Hold(account_, sync::kGraphService, wait);
}

HttpRequest GraphClient::Build(const GraphRequest& request, const SecretString& token) const {
  HttpRequest http;
  http.method = request.method;
  http.url = request.upload_url.empty() ? api_ + request.path : request.upload_url;
  if (request.upload_url.empty()) {
    http.headers.emplace_back("Authorization", "Bearer " + token.Reveal());
    http.headers.emplace_back("Accept", "application/json");
    std::string prefer(kImmutableIds);
    for (const std::string& wish : request.prefer) prefer += ", " + wish;
    http.headers.emplace_back("Prefer", std::move(prefer));
  }
  if (!request.body.empty()) http.headers.emplace_back("Content-Type", request.content_type);
  http.headers.insert(http.headers.end(), request.headers.begin(), request.headers.end());
  http.body = request.body;
  http.timeout = request.timeout.count() > 0 ? request.timeout : parts_.options.request_timeout;
  http.max_response_bytes = request.max_response_bytes;
  http.on_body_async = request.on_body;
  http.stream_only_success = true;
  return http;
}

Task<Result<HttpResponse>> GraphClient::Attempt(const GraphRequest& request) {
  using Kind = RequestGate::Kind;
  Kind kind = request.lane == mail::Lane::kBackfill ? Kind::kBackfill : Kind::kLive;
  if (request.on_body) kind = Kind::kStream;
  if (request.call == GraphCall::kBatch) kind = Kind::kBatch;
  auto pass = co_await gate_.Enter(kind);
  if (!pass) co_return std::unexpected(std::move(pass.error()));
  SecretString rejected;
  bool refused = false, looked_again = false;
  while (true) {
    // Looked at last: whoever was queueing while another call was refused must not go out.
    auto ready = co_await WaitForPause();
    if (!ready) co_return std::unexpected(std::move(ready.error()));
    SecretString token;
    if (request.upload_url.empty()) {
      auto got = co_await parts_.tokens.AccessToken(account_, rejected);
      if (!got) co_return std::unexpected(std::move(got.error()));
      token = std::move(*got);
      if (request.token_used) *request.token_used = token;
    }
    // The token may have taken its time.
    if (paused_until_ > parts_.clock.Now()) continue;
    HttpRequest http = Build(request, token);
    if (request.unclear) *request.unclear = true;
    bool may_have_left = true;
    http.may_have_left = &may_have_left;
    auto response = co_await parts_.http.Send(http);
    if (!response && request.unclear) *request.unclear = may_have_left;
    if (!response) co_return std::unexpected(std::move(response.error()));
    if (request.unclear && response->status < 500) *request.unclear = false;
    if (response->status >= 200 && response->status < 300) {
      refusals_ = 0;
      co_return std::move(*response);
    }
    Error error = ClassifyGraphError(request.call, *response, parts_.clock.Now());
    if (error.code == ErrorCode::kUnauthenticated && request.upload_url.empty()) {
      if (!refused) {
        refused = true;
        rejected = token;
        continue;
      }
      error.code = ErrorCode::kReauthInvalidGrant;
      // What Graph demands of the next sign-in (continuous access evaluation) is of no use to a refresh.
      const std::string challenge = ClaimsChallengeOf(response->Header("WWW-Authenticate"));
      if (!challenge.empty()) co_await parts_.tokens.RequireSignIn(account_, error.code, challenge);
    }
    if (LacksPermission(error.code) && request.upload_url.empty() && !looked_again) {
      // The person may have granted it since this token was read. Nothing was done, so even what happens once is safe.
      looked_again = true;
      const bool replaced = co_await HasNewToken(token);
      if (replaced) continue;
    }
    co_await NotePause(error);
    if (error.code == ErrorCode::kRateLimited && !error.retry_after) {
      error.retry_after = std::chrono::ceil<milliseconds>(paused_until_ - parts_.clock.Now());
    }
    co_return std::unexpected(std::move(error));
  }
}

Task<Result<HttpResponse>> GraphClient::Send(const GraphRequest& request) {
  milliseconds pause = parts_.options.retry_delay;
  for (int attempt = 0;; ++attempt) {
    auto response = co_await Attempt(request);
    // A streamed body may have been handed on in part: not repeatable.
    const bool last = request.once || request.on_body || attempt >= parts_.options.max_retries;
    if (response || last || !IsPassing(response.error())) co_return response;
    co_await SleepFor(std::max(pause, response.error().retry_after.value_or(milliseconds(0))));
    pause *= 2;
  }
}

GraphClients::GraphClients(GraphParts parts) : parts_(std::move(parts)), total_(parts_.options.max_total_concurrency) {}

std::shared_ptr<GraphClient> GraphClients::For(const ConnectedAccountId& account) {
  if (const auto found = clients_.find(account); found != clients_.end()) return found->second;
  if (clients_.size() >= kMaxClients) Forget();
  auto client = std::make_shared<GraphClient>(parts_, total_, account);
  clients_.emplace(account, client);
  return client;
}

void GraphClients::Forget() {
  // An account that is being waited for is remembered: forgetting it would be a call within its pause.
  const Instant now = parts_.clock.Now();
  std::erase_if(clients_, [&](const auto& entry) {
    return entry.second.use_count() == 1 && entry.second->paused_until() <= now;
  });
}

}  // namespace latchkey::microsoft
