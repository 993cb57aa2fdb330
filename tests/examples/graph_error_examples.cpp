// What Graph says when it does not do what was asked.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "providers/microsoft/entra_errors.hpp"
#include "providers/microsoft/graph_errors.hpp"
#include "tests/examples/example.hpp"

namespace latchkey::examples {
namespace {

using microsoft::GraphCall;
using std::chrono::milliseconds;

const Instant kNow = *ParseInstant("2026-11-20T10:00:00Z");

}  // namespace

void ClaimGraphErrors(Claims& claims) {
  const auto error = [&](const char* name, GraphCall call, ErrorCode code, FaultOwner owner,
                         std::optional<milliseconds> retry_after = std::nullopt) {
    claims.Add(std::string("graph.error.") + name, [=](const Example& example) {
      ExpectError(microsoft::ClassifyGraphError(call, example.Response(), kNow), code, owner, retry_after);
    });
  };
  using enum ErrorCode;
  using enum FaultOwner;
  error("ApplicationThrottled.429", GraphCall::kMessage, kRateLimited, kProvider, milliseconds(4000));
  error("throttled-documented.429", GraphCall::kList, kRateLimited, kProvider, milliseconds(2128));
  error("serviceNotAvailable.503", GraphCall::kMessage, kProviderUnavailable, kProvider, milliseconds(30'000));
  error("UnknownError.504", GraphCall::kMessage, kProviderUnavailable, kProvider);
  error("ErrorInternalServerTransientError.500", GraphCall::kMessage, kProviderUnavailable, kProvider);
  error("ErrorAccessDenied.403", GraphCall::kMessage, kMissingScope, kAccount);
  // Of sending alone: the mail fails, and reading goes on.
  error("ErrorAccountSuspend.403", GraphCall::kSend, kSendRejected, kCaller);
  error("ErrorExceededMessageLimit.403", GraphCall::kSend, kQuotaExceeded, kProvider);
  error("ErrorMessageSizeExceeded.413", GraphCall::kSend, kAttachmentTooLarge, kCaller);
  error("ErrorInvalidIdMalformed.400", GraphCall::kMessage, kInvalidArgument, kCaller);
  error("ErrorIrresolvableConflict.409", GraphCall::kMessage, kConflict, kCaller);
  error("ErrorItemNotFound.404", GraphCall::kMessage, kGone, kProvider);
  error("ResourceNotFound.404", GraphCall::kSubscription, kGone, kProvider);
  error("MailboxNotEnabledForRESTAPI.404", GraphCall::kFolders, kNoMailbox, kAccount);
  error("InvalidAuthenticationToken.expired.401", GraphCall::kMessage, kUnauthenticated, kCaller);
  error("invalidRequest.delta-params.400", GraphCall::kDeltaStart, kInvalidArgument, kCaller);
  error("resyncRequired.410", GraphCall::kDeltaLink, kCursorExpired, kProvider);
  error("syncStateNotFound.410", GraphCall::kDeltaLink, kCursorExpired, kProvider);
  error("subscription-exists.409", GraphCall::kSubscription, kAlreadyExists, kCaller);
  error("subscription-validation-failed.400", GraphCall::kSubscription, kInvalidArgument, kCaller);
  claims.Add("graph.error.claims-challenge.401", [](const Example& example) {
    const auto response = example.Response();
    ExpectError(microsoft::ClassifyGraphError(GraphCall::kMessage, response, kNow), kUnauthenticated, kCaller);
    EXPECT_EQ(microsoft::ClaimsChallengeOf(response.Header("WWW-Authenticate")),
              R"({"access_token":{"nbf":{"essential":true,"value":"1772000000"}}})");
  });
  claims.Add("graph.batch.200", [](const Example& example) {
    // Each part is an answer of its own, in any order, under an outer 200.
    std::map<std::string, Error> parts;
    for (const auto& part : example.At("response/body/responses").as_array()) {
      const auto& object = part.as_object();
      http_client::HttpResponse response;
      response.status = static_cast<int>(object.at("status").as_int64());
      if (const auto* headers = object.if_contains("headers")) {
        for (const auto& [name, value] : headers->as_object())
          response.headers.emplace_back(std::string(name), std::string(value.as_string()));
      }
      if (const auto* body = object.if_contains("body")) response.body = boost::json::serialize(*body);
      if (response.status >= 300) {
        parts.emplace(std::string(object.at("id").as_string()),
                      microsoft::ClassifyGraphError(GraphCall::kMessage, response, kNow));
      }
    }
    ASSERT_TRUE(parts.contains("1") && parts.contains("2"));
    ExpectError(parts.at("1"), kGone, kProvider);
    ExpectError(parts.at("2"), kRateLimited, kProvider, milliseconds(4000));
  });
}

}  // namespace latchkey::examples
