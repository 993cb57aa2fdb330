#include "providers/google/google_errors.hpp"

#include <gtest/gtest.h>

namespace latchkey::google {
namespace {

using http_client::HttpResponse;
using std::chrono::milliseconds;

const Instant kNow = *ParseInstant("2026-09-11T19:59:00Z");

/// Error answers of Gmail as recorded, documented or seen in public, each with what it means to us.
struct Sample {
  std::string_view name;
  GoogleCall call;
  int status;
  ErrorCode code;
  int retry_after_ms;  ///< 0: not said.
  std::string_view body;
};
// clang-format off
constexpr Sample kSamples[] = {
    {"accessNotConfigured.403", GoogleCall::kMessage, 403, ErrorCode::kApiNotEnabled, 0,
     R"x({"error":{"code":403,"message":"Gmail API has not been used in project 123456789012 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/gmail.googleapis.com/overview?project=123456789012 then retry.","errors":[{"message":"Gmail API has not been used in project 123456789012 before or it is disabled.","domain":"usageLimits","reason":"accessNotConfigured","extendedHelp":"https://console.developers.google.com"}],"status":"PERMISSION_DENIED"}})x"},
    {"authError.401", GoogleCall::kMessage, 401, ErrorCode::kUnauthenticated, 0,
     R"x({"error":{"errors":[{"domain":"global","reason":"authError","message":"Invalid Credentials","locationType":"header","location":"Authorization"}],"code":401,"message":"Invalid Credentials"}})x"},
    {"backendError.500", GoogleCall::kMessage, 500, ErrorCode::kProviderUnavailable, 0,
     R"x({"error":{"errors":[{"domain":"global","reason":"backendError","message":"Backend Error"}],"code":500,"message":"Backend Error"}})x"},
    {"bad-gateway-html.502", GoogleCall::kMessage, 502, ErrorCode::kProviderUnavailable, 0,
     R"x(<html lang=en><meta charset=utf-8><title>Error 502 (Server Error)!!1</title><p>The server encountered a temporary error and could not complete your request.<p>Please try again in 30 seconds.)x"},
    {"badRequest.400", GoogleCall::kMessage, 400, ErrorCode::kInvalidArgument, 0,
     R"x({"error":{"errors":[{"domain":"global","reason":"badRequest","message":"Sorting is not supported for queries with fullText terms. Results are always in descending relevance order.","location":"orderBy","locationType":"parameter"}],"code":400,"message":"Sorting is not supported for queries with fullText terms. Results are always in descending relevance order."}})x"},
    {"dailyLimitExceeded.403", GoogleCall::kMessage, 403, ErrorCode::kQuotaExceeded, 0,
     R"x({"error":{"errors":[{"domain":"usageLimits","reason":"dailyLimitExceeded","message":"Daily Limit Exceeded"}],"code":403,"message":"Daily Limit Exceeded"}})x"},
    {"domainPolicy.403", GoogleCall::kMessage, 403, ErrorCode::kPolicyEnforced, 0,
     R"x({"error":{"errors":[{"domain":"global","reason":"domainPolicy","message":"The domain administrators have disabled Gmail apps."}],"code":403,"message":"The domain administrators have disabled Gmail apps."}})x"},
    {"history-expired.404", GoogleCall::kHistory, 404, ErrorCode::kCursorExpired, 0,
     R"x({"error":{"code":404,"message":"Requested entity was not found.","errors":[{"message":"Requested entity was not found.","domain":"global","reason":"notFound"}],"status":"NOT_FOUND"}})x"},
    {"insufficientPermissions.403", GoogleCall::kMessage, 403, ErrorCode::kMissingScope, 0,
     R"x({"error":{"code":403,"message":"Request had insufficient authentication scopes.","errors":[{"message":"Insufficient Permission","domain":"global","reason":"insufficientPermissions"}],"status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT","domain":"googleapis.com","metadata":{"service":"gmail.googleapis.com","method":"caribou.api.proto.MailboxService.CreateDraft"}}]}})x"},
    {"invalid-to-header.400", GoogleCall::kMessage, 400, ErrorCode::kInvalidArgument, 0,
     R"x({"error":{"code":400,"message":"Invalid To header","errors":[{"message":"Invalid To header","domain":"global","reason":"invalidArgument"}],"status":"INVALID_ARGUMENT"}})x"},
    {"mail-sending-limit.429", GoogleCall::kMessage, 429, ErrorCode::kRateLimited, 60000,
     R"x({"error":{"code":429,"message":"User-rate limit exceeded.  Retry after 2026-09-11T20:00:00.000Z (Mail sending)","errors":[{"message":"User-rate limit exceeded.  Retry after 2026-09-11T20:00:00.000Z (Mail sending)","domain":"usageLimits","reason":"rateLimitExceeded"}],"status":"RESOURCE_EXHAUSTED"}})x"},
    {"mail-service-not-enabled.400", GoogleCall::kProfile, 400, ErrorCode::kNoMailbox, 0,
     R"x({"error":{"code":400,"message":"Mail service not enabled","errors":[{"message":"Mail service not enabled","domain":"global","reason":"failedPrecondition"}],"status":"FAILED_PRECONDITION"}})x"},
    {"notFound.404", GoogleCall::kMessage, 404, ErrorCode::kGone, 0,
     R"x({"error":{"code":404,"message":"Requested entity was not found.","errors":[{"message":"Requested entity was not found.","domain":"global","reason":"notFound"}],"status":"NOT_FOUND"}})x"},
    {"quota-metric.429", GoogleCall::kMessage, 429, ErrorCode::kRateLimited, 0,
     R"x({"error":{"code":429,"message":"Quota exceeded for quota metric 'Total Query Cost' and limit 'Units per minute per user' of service 'gmail.googleapis.com' for consumer 'project_number:123456789012'.","errors":[{"message":"Quota exceeded for quota metric 'Total Query Cost' and limit 'Units per minute per user' of service 'gmail.googleapis.com' for consumer 'project_number:123456789012'.","domain":"global","reason":"rateLimitExceeded"}],"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED","domain":"googleapis.com","metadata":{"service":"gmail.googleapis.com","quota_unit":"1/min/{project}/{user}","quota_limit":"defaultPerMinutePerUser","quota_limit_value":"6000","consumer":"projects/123456789012"}}]}})x"},
    {"rateLimitExceeded.403", GoogleCall::kMessage, 403, ErrorCode::kRateLimited, 0,
     R"x({"error":{"errors":[{"domain":"usageLimits","reason":"rateLimitExceeded","message":"Rate Limit Exceeded"}],"code":403,"message":"Rate Limit Exceeded"}})x"},
    {"too-many-concurrent.429", GoogleCall::kMessage, 429, ErrorCode::kRateLimited, 0,
     R"x({"error":{"code":429,"message":"Too many concurrent requests for user","errors":[{"message":"Too many concurrent requests for user","domain":"usageLimits","reason":"rateLimitExceeded"}],"status":"RESOURCE_EXHAUSTED"}})x"},
    {"unauthenticated-new-envelope.401", GoogleCall::kMessage, 401, ErrorCode::kUnauthenticated, 0,
     R"x({"error":{"code":401,"message":"Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.","errors":[{"message":"Invalid Credentials","domain":"global","reason":"authError","location":"Authorization","locationType":"header"}],"status":"UNAUTHENTICATED"}})x"},
    {"unavailable.503", GoogleCall::kMessage, 503, ErrorCode::kProviderUnavailable, 0,
     R"x({"error":{"code":503,"message":"The service is currently unavailable.","errors":[{"message":"The service is currently unavailable.","domain":"global","reason":"backendError"}],"status":"UNAVAILABLE"}})x"},
    {"user-rate-retry-after.403", GoogleCall::kMessage, 403, ErrorCode::kRateLimited, 60000,
     R"x({"error":{"code":403,"message":"User-rate limit exceeded.  Retry after 2026-09-11T20:00:00.000Z","errors":[{"message":"User-rate limit exceeded.","domain":"usageLimits","reason":"rateLimitExceeded"}],"status":"PERMISSION_DENIED"}})x"},
    {"userRateLimitExceeded.403", GoogleCall::kMessage, 403, ErrorCode::kRateLimited, 0,
     R"x({"error":{"errors":[{"domain":"usageLimits","reason":"userRateLimitExceeded","message":"User Rate Limit Exceeded"}],"code":403,"message":"User Rate Limit Exceeded"}})x"},
};
// clang-format on

TEST(GoogleErrors, EveryRecordedAnswerHasItsMeaning) {
  for (const Sample& sample : kSamples) {
    HttpResponse response;
    response.status = sample.status;
    response.body = sample.body;
    const Error error = ClassifyGoogleError(sample.call, response, kNow);
    EXPECT_EQ(ToString(error.code), ToString(sample.code)) << sample.name;
    if (sample.retry_after_ms == 0) {
      EXPECT_FALSE(error.retry_after) << sample.name;
    } else {
      EXPECT_EQ(error.retry_after, milliseconds(sample.retry_after_ms)) << sample.name;
    }
  }
}

TEST(GoogleErrors, TheEndpointDecidesWhatNotFoundMeans) {
  HttpResponse response;
  response.status = 404;
  response.body = R"({"error":{"code":404,"errors":[{"reason":"notFound"}]}})";
  EXPECT_EQ(ClassifyGoogleError(GoogleCall::kHistory, response, kNow).code, ErrorCode::kCursorExpired);
  EXPECT_EQ(ClassifyGoogleError(GoogleCall::kMessage, response, kNow).code, ErrorCode::kGone);
  EXPECT_EQ(ClassifyGoogleError(GoogleCall::kAttachment, response, kNow).code, ErrorCode::kGone);
  EXPECT_EQ(ClassifyGoogleError(GoogleCall::kLabels, response, kNow).code, ErrorCode::kNotFound);
  response.status = 400;
  EXPECT_EQ(ClassifyGoogleError(GoogleCall::kList, response, kNow).code, ErrorCode::kCursorExpired);
}

TEST(GoogleErrors, ReadsEveryFormOfRetryAfter) {
  const auto wait = [](std::string value) {
    HttpResponse response;
    response.status = 429;
    response.headers = {{"retry-after", std::move(value)}};
    return ClassifyGoogleError(GoogleCall::kMessage, response, kNow).retry_after;
  };
  EXPECT_EQ(wait("30"), milliseconds(30'000));
  EXPECT_EQ(wait("1.5"), milliseconds(1'500));
  EXPECT_EQ(wait("0"), milliseconds(1'000));
  EXPECT_EQ(wait("999999999"), milliseconds(86'400'000));
  EXPECT_EQ(wait("Fri, 11 Sep 2026 19:59:30 GMT"), milliseconds(30'000));
  EXPECT_EQ(wait("Fri, 11 Sep 2026 10:00:00 GMT"), milliseconds(1'000));
  EXPECT_EQ(wait("soon"), std::nullopt);
  EXPECT_EQ(wait("-5"), std::nullopt);
}

TEST(GoogleErrors, BodiesOfAnyShapeAreFine) {
  for (const std::string_view body : {"", "{", "[]", "null", R"({"error":"x"})", R"({"error":{"errors":[1,{}]}})"}) {
    HttpResponse response;
    response.status = 403;
    response.body = body;
    EXPECT_EQ(ClassifyGoogleError(GoogleCall::kMessage, response, kNow).code, ErrorCode::kForbidden) << body;
  }
}

}  // namespace
}  // namespace latchkey::google
