#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.hpp"
#include "base/error.hpp"

namespace latchkey::http_client {

using Header = std::pair<std::string, std::string>;

/// One request to a host on the allow-list. Header values may hold tokens: nothing of a request but method, host, path
/// without query, status and duration is ever logged.
struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<Header> headers;
  std::string body;
  /// A body that the caller keeps until Send returns; used when `body` is empty. Large bodies are not copied this way.
  std::string_view body_view;
  /// When set: whether a byte of the request may have left when Send returned. False is certain (no connection, no
  /// room in the queue), so that what must not be done twice may be tried again.
  bool* may_have_left = nullptr;
  /// From start to the last byte of the answer.
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
  /// Answers beyond this end with kMalformedReply and the transfer is cut.
  std::size_t max_response_bytes = 8 << 20;
  /// When set, body bytes are handed over as they arrive instead of being collected (attachments). Returning false cuts
  /// the transfer. Called on the loop.
  std::function<bool(std::string_view)> on_body;
  /// Like on_body, but may wait: while it does, at most a few hundred KiB arrive and then the transfer is paused. Uses
  /// a connection of its own.
  std::function<Task<bool>(std::string_view)> on_body_async;
  /// With on_body or on_body_async: only the body of a 2xx answer is handed over, that of any other is collected, so
  /// that an error document is not taken for content.
  bool stream_only_success = false;
};

struct HttpResponse {
  int status = 0;
  std::vector<http_client::Header> headers;
  std::string body;

  /// Case-insensitive; empty when absent.
  std::string_view Header(std::string_view name) const;
};

/// Requests to the outside. Redirects are never followed, TLS is always verified, hosts outside the allow-list are
/// refused. Loop thread only. A cancelled task cancels its transfer.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// Any HTTP answer, whatever its status, is a value. Errors: kProviderUnavailable (no connection, reset, bad TLS),
  /// kTimeout, kMalformedReply (too large, not HTTP), kForbidden (host not allowed), kCancelled.
  virtual Task<Result<HttpResponse>> Send(const HttpRequest& request) = 0;
};

}  // namespace latchkey::http_client
