#include "providers/microsoft/graph_errors.hpp"

#include <gtest/gtest.h>

#include "mail/retry_after.hpp"

namespace latchkey::microsoft {
namespace {

using http_client::HttpResponse;
using std::chrono::milliseconds;

const Instant kNow = *ParseInstant("2026-11-20T10:00:00Z");

/// Error answers of Graph as recorded, documented or seen in public, each with what it means to us.
struct Sample {
  std::string_view name;
  GraphCall call;
  int status;
  ErrorCode code;
  int retry_after_ms;  ///< 0: not said.
  std::string_view retry_after;
  std::string_view body;
};
// clang-format off
constexpr Sample kSamples[] = {
    {"ApplicationThrottled.429", GraphCall::kMessage, 429, ErrorCode::kRateLimited, 4000, "4",
     R"x({"error":{"code":"ApplicationThrottled","message":"Application is over its MailboxConcurrency limit.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"ErrorAccessDenied.403", GraphCall::kMessage, 403, ErrorCode::kMissingScope, 0, "",
     R"x({"error":{"code":"ErrorAccessDenied","message":"Access is denied. Check credentials and try again.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"ErrorAccessDenied.403", GraphCall::kSend, 403, ErrorCode::kSendScopeMissing, 0, "",
     R"x({"error":{"code":"ErrorAccessDenied","message":"Access is denied. Check credentials and try again.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"ErrorAccountSuspend.403", GraphCall::kSend, 403, ErrorCode::kSendRejected, 0, "",
     R"x({"error":{"code":"ErrorAccountSuspend","message":"Account suspended. Follow the instructions in your Inbox to verify your account., WASCL UserAction verdict is not None. Actual verdict is Suspend."}})x"},
    {"ErrorAccountSuspend.403", GraphCall::kMessage, 403, ErrorCode::kPolicyEnforced, 0, "",
     R"x({"error":{"code":"ErrorAccountSuspend","message":"Account suspended. Follow the instructions in your Inbox to verify your account., WASCL UserAction verdict is not None. Actual verdict is Suspend."}})x"},
    {"ErrorExceededMessageLimit.403", GraphCall::kSend, 403, ErrorCode::kQuotaExceeded, 0, "",
     R"x({"error":{"code":"ErrorExceededMessageLimit","message":"Cannot send mail. Follow the instructions in your Inbox to verify your account.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"ErrorInternalServerTransientError.500", GraphCall::kMessage, 500, ErrorCode::kProviderUnavailable, 0, "",
     R"x({"error":{"code":"ErrorInternalServerTransientError","message":"Cannot open mailbox.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"ErrorInvalidIdMalformed.400", GraphCall::kMessage, 400, ErrorCode::kInvalidArgument, 0, "",
     R"x({"error":{"code":"ErrorInvalidIdMalformed","message":"Id is malformed.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"ErrorIrresolvableConflict.409", GraphCall::kMessage, 409, ErrorCode::kConflict, 0, "",
     R"x({"error":{"code":"ErrorIrresolvableConflict","message":"The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"ErrorItemNotFound.404", GraphCall::kMessage, 404, ErrorCode::kGone, 0, "",
     R"x({"error":{"code":"ErrorItemNotFound","message":"The specified object was not found in the store.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"ErrorItemNotFound.404", GraphCall::kDeltaLink, 404, ErrorCode::kGone, 0, "",
     R"x({"error":{"code":"ErrorItemNotFound","message":"The specified object was not found in the store.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"ErrorItemNotFound.404", GraphCall::kAttachment, 404, ErrorCode::kGone, 0, "",
     R"x({"error":{"code":"ErrorItemNotFound","message":"The specified object was not found in the store.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"ErrorMessageSizeExceeded.413", GraphCall::kSend, 413, ErrorCode::kAttachmentTooLarge, 0, "",
     R"x({"error":{"code":"ErrorMessageSizeExceeded","message":"The message exceeds the maximum supported size.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"InvalidAuthenticationToken.expired.401", GraphCall::kMessage, 401, ErrorCode::kUnauthenticated, 0, "",
     R"x({"error":{"code":"InvalidAuthenticationToken","message":"Lifetime validation failed, the token is expired.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"MailboxNotEnabledForRESTAPI.404", GraphCall::kFolders, 404, ErrorCode::kNoMailbox, 0, "",
     R"x({"error":{"code":"MailboxNotEnabledForRESTAPI","message":"The mailbox is either inactive, soft-deleted, or is hosted on-premise.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"ResourceNotFound.404", GraphCall::kSubscription, 404, ErrorCode::kGone, 0, "",
     R"x({"error":{"code":"ResourceNotFound","message":"The object was not found.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"UnknownError.504", GraphCall::kMessage, 504, ErrorCode::kProviderUnavailable, 0, "",
     R"x({"error":{"code":"UnknownError","message":"","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"claims-challenge.401", GraphCall::kMessage, 401, ErrorCode::kUnauthenticated, 0, "",
     R"x({"error":{"code":"InvalidAuthenticationToken","message":"Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"invalidRequest.delta-params.400", GraphCall::kDeltaStart, 400, ErrorCode::kInvalidArgument, 0, "",
     R"x({"error":{"code":"ErrorInvalidParameter","message":"startDateTime and endDateTime are required","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"resyncRequired.410", GraphCall::kDeltaLink, 410, ErrorCode::kCursorExpired, 0, "",
     R"x({"error":{"code":"resyncRequired","message":"Resync required. Replace any local items with the server's version (including deletes).","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"serviceNotAvailable.503", GraphCall::kMessage, 503, ErrorCode::kProviderUnavailable, 30000, "30",
     R"x({"error":{"code":"serviceNotAvailable","message":"The service is temporarily unavailable.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"subscription-exists.409", GraphCall::kSubscription, 409, ErrorCode::kAlreadyExists, 0, "",
     R"x({"error":{"code":"ExtensionError","message":"Operation: Create; Exception: [Status Code: Conflict; Reason: Subscription already exists.]","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"subscription-validation-failed.400", GraphCall::kSubscription, 400, ErrorCode::kInvalidArgument, 0, "",
     R"x({"error":{"code":"InvalidRequest","message":"Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"syncStateNotFound.410", GraphCall::kDeltaLink, 410, ErrorCode::kCursorExpired, 0, "",
     R"x({"error":{"code":"SyncStateNotFound","message":"The sync state generation is not found.","innerError":{"date":"2026-11-20T10:00:00","request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673","client-request-id":"db39f8ea-8072-4eb5-95e2-26b8f78c1673"}}})x"},
    {"throttled-documented.429", GraphCall::kMessage, 429, ErrorCode::kRateLimited, 2128, "2.128",
     R"x({"error":{"code":"TooManyRequests","innerError":{"code":"429","date":"2020-08-18T12:51:51","message":"Please retry after","request-id":"94fb3b52-452a-4535-a601-69e0a90e3aa2","status":"429"},"message":"Please retry again later."}})x"},
};
// clang-format on

HttpResponse Answer(int status, std::string_view body, std::string_view retry_after = "") {
  HttpResponse response;
  response.status = status;
  response.body = body;
  if (!retry_after.empty()) response.headers.emplace_back("Retry-After", retry_after);
  return response;
}

TEST(GraphErrors, EverySampleHasItsMeaning) {
  for (const Sample& sample : kSamples) {
    SCOPED_TRACE(sample.name);
    const Error error = ClassifyGraphError(sample.call, Answer(sample.status, sample.body, sample.retry_after), kNow);
    EXPECT_EQ(error.code, sample.code) << ToString(error.code);
    EXPECT_EQ(error.retry_after.value_or(milliseconds(0)), milliseconds(sample.retry_after_ms));
    EXPECT_NE(error.detail.find(std::to_string(sample.status)), std::string::npos) << error.detail;
  }
}

TEST(GraphErrors, ADeltaLinkThatNoLongerWorksIsExpiredUnderEveryStatusSeen) {
  for (const std::string_view code : {"syncStateNotFound", "SyncStateNotFound", "syncStateInvalid", "resyncRequired",
                                      "resyncChangesApplyDifferences"}) {
    const std::string body = R"({"error":{"code":")" + std::string(code) + R"(","message":"x"}})";
    const std::string inner =
        R"({"error":{"code":"UnknownError","innerError":{"code":")" + std::string(code) + R"("}}})";
    for (const int status : {400, 404, 410}) {
      EXPECT_EQ(ClassifyGraphError(GraphCall::kDeltaLink, Answer(status, body), kNow).code, ErrorCode::kCursorExpired);
      EXPECT_EQ(ClassifyGraphError(GraphCall::kDeltaLink, Answer(status, inner), kNow).code, ErrorCode::kCursorExpired);
    }
  }
  EXPECT_EQ(ClassifyGraphError(GraphCall::kDeltaLink, Answer(410, ""), kNow).code, ErrorCode::kCursorExpired);
  const auto bad_link = Answer(400, R"({"error":{"code":"BadRequest","message":"Badly formed token."}})");
  EXPECT_EQ(ClassifyGraphError(GraphCall::kDeltaLink, bad_link, kNow).code, ErrorCode::kCursorExpired);
  EXPECT_EQ(ClassifyGraphError(GraphCall::kDeltaStart, bad_link, kNow).code, ErrorCode::kInvalidArgument);
}

TEST(GraphErrors, FrontEndsAnswerWithHtmlOrNothing) {
  for (const int status : {500, 502, 503, 504}) {
    for (const std::string_view body : {"", "<html><body>Our services aren't available right now</body></html>"}) {
      EXPECT_EQ(ClassifyGraphError(GraphCall::kMessage, Answer(status, body), kNow).code,
                ErrorCode::kProviderUnavailable);
    }
  }
  EXPECT_EQ(ClassifyGraphError(GraphCall::kMessage, Answer(429, ""), kNow).code, ErrorCode::kRateLimited);
}

TEST(GraphErrors, RetryAfterIsReadInEveryForm) {
  EXPECT_EQ(mail::ReadRetryAfter("4", kNow), milliseconds(4000));
  EXPECT_EQ(mail::ReadRetryAfter(" 2.128 ", kNow), milliseconds(2128));
  EXPECT_EQ(mail::ReadRetryAfter("Fri, 20 Nov 2026 10:00:30 GMT", kNow), milliseconds(30'000));
  EXPECT_EQ(mail::ReadRetryAfter("Fri, 20 Nov 2026 09:00:00 GMT", kNow), milliseconds(1000)) << "the past is soon";
  EXPECT_EQ(mail::ReadRetryAfter("0", kNow), milliseconds(1000));
  EXPECT_EQ(mail::ReadRetryAfter("1e300", kNow), milliseconds(86'400'000));
  for (const std::string_view nothing : {"", "soon", "-5", "nan"}) {
    EXPECT_EQ(mail::ReadRetryAfter(nothing, kNow), std::nullopt) << nothing;
  }
}

TEST(GraphErrors, TheDetailNamesTheRequestAndNothingUnsafe) {
  auto answer = Answer(500, R"({"error":{"code":"X\nfake line","innerError":{"request-id":"inner"}}})");
  EXPECT_EQ(ClassifyGraphError(GraphCall::kMessage, answer, kNow).detail,
            "graph answered 500 xfakeline, request-id inner");
  answer.headers.emplace_back("request-id", "db39f8ea-8072\r\n");
  EXPECT_EQ(ClassifyGraphError(GraphCall::kMessage, answer, kNow).detail,
            "graph answered 500 xfakeline, request-id db39f8ea-8072");
}

}  // namespace
}  // namespace latchkey::microsoft
