#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace latchkey::http {

/// RFC 9110's phrase for a status.
std::string_view ReasonOf(int status);

/// How the body of an answer ends.
enum class BodyFraming {
  kLength,   ///< Content-Length.
  kChunked,  ///< Transfer-Encoding: chunked.
  kClose,    ///< With the connection (HTTP/1.0 streams).
  kNone,     ///< There is none and nothing is said about its length (204, 304).
};

struct ResponseHeadOptions {
  BodyFraming framing = BodyFraming::kLength;
  std::uint64_t content_length = 0;
  bool close = false;
  bool hsts = false;
  std::string_view date;
  std::string_view request_id;
};

/// Appends status line and fields: the answer's own, and what every answer of ours carries (security headers of rule
/// 69, no-store, Date, X-Request-Id), unless the answer says otherwise itself. Fields with bytes that would break the
/// head apart are left out and logged.
void AppendResponseHead(std::string& out, const Response& response, const ResponseHeadOptions& options);

}  // namespace latchkey::http
