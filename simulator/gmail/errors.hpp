#pragma once

#include <string>
#include <string_view>

#include "simulator/http/message.hpp"

namespace latchkey::simulator {

/// Google's error envelope as the live service sends it: code, message, errors[] and status.
struct GoogleError {
  int code = 400;
  std::string message;
  std::string reason;             ///< "invalidArgument", "notFound", ...
  std::string status;             ///< "INVALID_ARGUMENT", ...
  std::string domain = "global";  ///< "usageLimits" for some rate limits.
  std::string detail_message;     ///< errors[].message where it differs from message.
  std::string details;            ///< JSON of the details array; empty: none.
};

Response ErrorResponse(const GoogleError& error);

Response InvalidArgument(std::string message);
Response NotFound();
/// The account has no Gmail mailbox.
Response MailServiceNotEnabled();
Response DelegationDenied(std::string_view user);
/// `rpc` as in "caribou.api.proto.MailboxService.GetMessage".
Response InsufficientScopes(std::string_view rpc, std::string_view wanted_scope);
/// 403, the time to wait stands only in the text (two blanks before "Retry", as recorded).
Response UserRateLimit(std::string_view retry_at);
/// 429 of the newer envelope. `limit` is "Units per minute per user" or "Units per minute".
Response QuotaMetric(bool per_user, std::int64_t limit_value);
Response TooManyBatchParts();
/// 204 without a body.
Response NoContent();

}  // namespace latchkey::simulator
