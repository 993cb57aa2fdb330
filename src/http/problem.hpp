#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "http/message.hpp"

namespace latchkey::http {

/// How an outcome looks over HTTP.
struct ProblemKind {
  int status;
  std::string_view title;
};

/// The one place where ErrorCode becomes HTTP.
ProblemKind ProblemOf(ErrorCode code);

/// An RFC 9457 answer: {"type","title","status","code","ref"}, with Retry-After (seconds, rounded up) when known.
/// `ref` is the request id, under which the log has the rest. Error::detail stays out of it, except for
/// kInvalidArgument: that one is said by whoever read the request, and says what to change in it.
Response MakeProblem(const Error& error, std::string_view request_id);
Response MakeProblem(ErrorCode code, std::string_view request_id);
/// For statuses that no ErrorCode leads to (405, 415, 431); `code` is the spelled form of the nearest one.
Response MakeProblem(int status, std::string_view code, std::string_view title, std::string_view request_id,
                     std::optional<std::chrono::milliseconds> retry_after = std::nullopt, std::string_view detail = {});

}  // namespace latchkey::http
