#include "providers/google/google_errors.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "mail/charset.hpp"
#include "mail/mail_date.hpp"

namespace latchkey::google {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLongest = hours(24);
constexpr milliseconds kShortest = seconds(1);

/// What the two envelopes of a Google error say.
struct Envelope {
  std::vector<std::string> reasons;  ///< errors[].reason and details[].reason
  std::string status;
  std::string message;

  bool Has(std::string_view reason) const { return std::find(reasons.begin(), reasons.end(), reason) != reasons.end(); }
};

std::string Text(simdjson::simdjson_result<simdjson::dom::element> element) {
  std::string_view text;
  return element.get_string().get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

Envelope ReadEnvelope(const std::string& body) {
  Envelope envelope;
  // Front ends answer 5xx with a page of HTML; anything long is no error of the API either.
  if (body.size() > (64 << 10)) return envelope;
  simdjson::dom::parser parser;
  simdjson::dom::element error;
  if (parser.parse(body).at_key("error").get(error) != simdjson::SUCCESS) return envelope;
  envelope.status = Text(error.at_key("status"));
  envelope.message = Text(error.at_key("message"));
  for (const std::string_view list : {"errors", "details"}) {
    simdjson::dom::array entries;
    if (error.at_key(list).get_array().get(entries) != simdjson::SUCCESS) continue;
    for (const simdjson::dom::element entry : entries) {
      if (std::string reason = Text(entry.at_key("reason")); !reason.empty())
        envelope.reasons.push_back(std::move(reason));
    }
  }
  return envelope;
}

milliseconds Until(Instant when, Instant now) { return std::chrono::ceil<milliseconds>(when - now); }

/// RFC 9110 section 10.2.3, and decimals, which Google's quota services have been seen to send.
std::optional<milliseconds> ReadRetryAfter(std::string_view header, Instant now) {
  header = mail::TrimAscii(header);
  if (header.empty()) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), value);
  if (error == std::errc() && end == header.data() + header.size() && value >= 0) {
    return milliseconds(static_cast<std::int64_t>(std::min(value, 86400.0) * 1000));
  }
  if (const auto when = mail::ParseMailDate(header)) return Until(*when, now);
  return std::nullopt;
}

std::optional<milliseconds> ReadRetryText(std::string_view message, Instant now) {
  constexpr std::string_view kWords = "Retry after ";
  const std::size_t at = message.find(kWords);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view time = message.substr(at + kWords.size());
  time = time.substr(0, time.find(' '));
  const auto when = ParseInstant(time);
  if (!when) return std::nullopt;
  return Until(*when, now);
}

ErrorCode Classify(GoogleCall call, int status, const Envelope& envelope) {
  if (status == 401) return ErrorCode::kUnauthenticated;
  const bool sends = call == GoogleCall::kSend || call == GoogleCall::kDraft;
  // What waiting does not cure comes first: some of these carry the domain "usageLimits".
  if (envelope.Has("insufficientPermissions") || envelope.Has("ACCESS_TOKEN_SCOPE_INSUFFICIENT")) {
    return sends ? ErrorCode::kSendScopeMissing : ErrorCode::kMissingScope;
  }
  if (envelope.Has("accessNotConfigured") || envelope.Has("SERVICE_DISABLED")) return ErrorCode::kApiNotEnabled;
  if (envelope.Has("domainPolicy")) return ErrorCode::kPolicyEnforced;
  if (envelope.Has("failedPrecondition") && envelope.message.find("Mail service not enabled") != std::string::npos) {
    return ErrorCode::kNoMailbox;
  }
  if (envelope.Has("dailyLimitExceeded") || envelope.Has("quotaExceeded")) return ErrorCode::kQuotaExceeded;
  if (envelope.Has("rateLimitExceeded") || envelope.Has("userRateLimitExceeded") ||
      envelope.Has("RATE_LIMIT_EXCEEDED") || envelope.status == "RESOURCE_EXHAUSTED" || status == 429) {
    return ErrorCode::kRateLimited;
  }
  if (status >= 500 || status == 408 || envelope.Has("backendError")) return ErrorCode::kProviderUnavailable;
  if (status == 404 || status == 410) {
    const bool expired = call == GoogleCall::kHistory || (call == GoogleCall::kEvents && status == 410);
    if (expired) return ErrorCode::kCursorExpired;
    if (call == GoogleCall::kMessage || call == GoogleCall::kAttachment || call == GoogleCall::kDraft) {
      return ErrorCode::kGone;
    }
    return call == GoogleCall::kSend ? ErrorCode::kSendRejected : ErrorCode::kNotFound;
  }
  // A page token or start id that Gmail cannot read (any more) comes back as a bad request.
  if (status == 400 && (call == GoogleCall::kList || call == GoogleCall::kHistory)) return ErrorCode::kCursorExpired;
  if (sends) {
    return status == 413 || envelope.Has("uploadTooLarge") ? ErrorCode::kAttachmentTooLarge : ErrorCode::kSendRejected;
  }
  if (status == 403) return ErrorCode::kForbidden;
  return ErrorCode::kInvalidArgument;
}

}  // namespace

Error ClassifyGoogleError(GoogleCall call, const http_client::HttpResponse& response, Instant now) {
  const Envelope envelope = ReadEnvelope(response.body);
  Error error;
  error.code = Classify(call, response.status, envelope);
  error.detail = fmt::format("google answered {} {} {}", response.status, envelope.status,
                             envelope.reasons.empty() ? "" : envelope.reasons.front());
  if (error.code == ErrorCode::kRateLimited || error.code == ErrorCode::kQuotaExceeded ||
      error.code == ErrorCode::kProviderUnavailable) {
    auto wait = ReadRetryAfter(response.Header("Retry-After"), now);
    if (!wait) wait = ReadRetryText(envelope.message, now);
    if (wait) error.retry_after = std::clamp(*wait, kShortest, kLongest);
  }
  return error;
}

}  // namespace latchkey::google
