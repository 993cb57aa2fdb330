#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.hpp"

namespace latchkey::http {

/// Why a request is refused before anybody looks at its meaning. The connection closes after the answer.
struct Refusal {
  int status = 400;
  std::string_view reason;  ///< For the log.
};

/// A request's head, taken apart. The views point into the text it was read from.
struct RequestHead {
  Method method = Method::kOther;
  std::string_view method_name;
  /// Origin form; "*" for OPTIONS only.
  std::string_view target;
  std::string_view host;
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  /// Absent: no body, or a chunked one.
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool http_1_1 = true;
  bool keep_alive = true;
  bool expects_continue = false;
};

struct HeadLimits {
  std::size_t max_fields = 100;
  std::size_t max_target_bytes = 8 << 10;
};

/// Reads a head up to and with its empty line, by the letter of RFC 9112: CRLF only, no folding, no blanks before the
/// colon, one valid Host, one Content-Length or one "chunked" but never both, no target that could name another host.
/// What two readers could understand differently is refused, because somebody in front of us may be the other reader.
std::expected<RequestHead, Refusal> ParseRequestHead(std::string_view head, const HeadLimits& limits);

/// Path and query of an origin-form target, decoded once.
struct Target {
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
};

/// Refused (nullopt): broken escapes, encoded or real backslashes, encoded slashes, control characters, dot segments,
/// invalid UTF-8, more than 100 query parameters.
std::optional<Target> ParseTarget(std::string_view target);

}  // namespace latchkey::http
