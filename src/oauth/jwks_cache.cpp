#include "oauth/jwks_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "oauth/discovery.hpp"
#include "telemetry/log.hpp"

namespace latchkey::oauth {
namespace {

constexpr std::chrono::hours kUsable{24};
constexpr std::chrono::minutes kMinFresh{5};
constexpr std::chrono::hours kDefaultFresh{1};
constexpr std::chrono::minutes kUnknownPause{1};
constexpr std::chrono::seconds kPauseAfterFailure{2};
constexpr std::chrono::minutes kPauseWhileUsable{1};

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

}  // namespace

std::optional<std::chrono::seconds> MaxAgeOf(std::string_view cache_control) {
  const std::string text = Lower(cache_control);
  if (text.contains("no-store") || text.contains("no-cache")) return std::chrono::seconds(0);
  constexpr std::string_view kName = "max-age=";
  for (std::size_t at = text.find(kName); at != std::string::npos; at = text.find(kName, at + 1)) {
    // Not the tail of another directive, such as stale-max-age.
    if (at != 0 && text[at - 1] != ',' && text[at - 1] != ' ') continue;
    long seconds = 0;
    const char* begin = text.data() + at + kName.size();
    const auto [end, error] = std::from_chars(begin, text.data() + text.size(), seconds);
    if (error == std::errc() && seconds >= 0) return std::chrono::seconds(seconds);
  }
  return std::nullopt;
}

JwksCache::JwksCache(http_client::HttpClient& http, const Clock& clock, const Executor& executor)
    : http_(http), clock_(clock), one_at_a_time_(executor, 1) {}

bool JwksCache::Fresh() const { return keys_ && clock_.Now() < fresh_until_; }
bool JwksCache::Usable() const { return keys_ && clock_.Now() < fetched_at_ + kUsable; }

Task<Result<std::optional<crypto::VerificationKey>>> JwksCache::Find(const std::string& url, std::string_view kid) {
  const auto look = [&]() -> const crypto::VerificationKey* { return keys_ ? keys_->Find(kid) : nullptr; };
  if (Fresh() && url == url_) {
    if (const auto* key = look()) co_return *key;
  }
  const auto permit = co_await one_at_a_time_.Acquire();
  if (url != url_) {
    // Keys of another address say nothing about this one.
    keys_.reset();
    retry_after_ = next_unknown_ = {};
    url_ = url;
  }
  if (Fresh()) {
    if (const auto* key = look()) co_return *key;
    // A kid nobody knows: the provider may have rotated, or somebody makes kids up. One look a minute serves both.
    if (clock_.Now() < next_unknown_) co_return std::nullopt;
    next_unknown_ = clock_.Now() + kUnknownPause;
  } else if (clock_.Now() < retry_after_) {
    if (!Usable()) co_return Fail(last_error_);
    if (const auto* key = look()) co_return *key;
    co_return std::nullopt;
  }
  const auto fetched = co_await Fetch(url);
  if (!fetched) {
    last_error_ = fetched.error();
    retry_after_ = clock_.Now() + (Usable() ? std::chrono::seconds(kPauseWhileUsable) : kPauseAfterFailure);
    log::Warn("oauth.keys_failed",
              {{"error_code", ToString(last_error_.code)}, {"detail", last_error_.detail}, {"uses_cached", Usable()}});
    if (!Usable()) co_return Fail(last_error_);
  }
  if (const auto* key = look()) co_return *key;
  co_return std::nullopt;
}

Task<Result<void>> JwksCache::Fetch(const std::string& url) {
  http_client::HttpRequest request;
  request.url = url;
  request.headers = {{"Accept", "application/json"}};
  request.timeout = kProviderDeadline;
  request.max_response_bytes = kMaxProviderDocument;
  const auto response = co_await http_.Send(request);
  if (!response) co_return Fail(response.error());
  if (response->status != 200) {
    co_return Fail(ErrorCode::kProviderUnavailable, fmt::format("keys: status {}", response->status));
  }
  auto keys = crypto::Jwks::Parse(response->body);
  if (!keys) co_return Fail(keys.error());
  if (keys->size() == 0) co_return Fail(ErrorCode::kMalformedReply, "key set without a usable key");
  keys_ = std::make_shared<const crypto::Jwks>(std::move(*keys));
  fetched_at_ = clock_.Now();
  const auto max_age = MaxAgeOf(response->Header("Cache-Control")).value_or(kDefaultFresh);
  fresh_until_ = fetched_at_ + std::clamp(max_age, std::chrono::seconds(kMinFresh), std::chrono::seconds(kUsable));
  co_return Result<void>();
}

}  // namespace latchkey::oauth
