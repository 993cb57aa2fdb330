#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/error.hpp"
#include "http_client/http_client.hpp"
#include "telemetry/metrics.hpp"

namespace latchkey::http_client {

struct ClientOptions {
  /// Whoever is not named here (by any URL of it) is not reached. https only, except loopback.
  std::vector<std::string> allowed_origins;
  /// PEM certificates trusted beside the system's own.
  std::string ca_file;
  /// Let names outside of loopback lead to private addresses (a company's own identity provider).
  bool allow_private_addresses = false;
  /// No allow-list: any host whose address is public, also without TLS, is reached at its scheme's own port (images
  /// that mails refer to). What is asked for is then not logged and not counted by origin.
  bool any_public_host = false;
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  /// A transfer slower than this for `low_speed_time` is given up.
  long low_speed_bytes_per_second = 64;
  std::chrono::seconds low_speed_time = std::chrono::seconds(20);
  /// Requests in flight per origin; further ones wait in order of arrival, at most max_waiting_per_origin of them.
  std::size_t max_in_flight_per_origin = 100;
  std::size_t max_waiting_per_origin = 10'000;
  std::string user_agent = "latchkey";
  /// When set, requests are counted here. Must outlive the client.
  metrics::Registry* metrics = nullptr;
};

/// HttpClient over libcurl's multi interface: HTTP/2 multiplexing over TLS, pooled keep-alive connections otherwise.
/// Proxy variables of the environment, .netrc, cookies, redirects, Alt-Svc and HSTS caches are not used. Compression is
/// not asked for: inflating costs more than everything else of the client. POST and PATCH never share a connection and
/// are never repeated by libcurl, because it repeats what failed on a kept connection without knowing whether it was
/// acted on. Loop thread only; must outlive every Send.
class CurlHttpClient final : public HttpClient {
 public:
  /// Throws std::invalid_argument for an origin that cannot be allowed, std::runtime_error for an unreadable ca_file.
  CurlHttpClient(Executor executor, ClientOptions options);
  ~CurlHttpClient() override;

  Task<Result<HttpResponse>> Send(const HttpRequest& request) override;

  /// Adds the origin of `url` to the allow-list (endpoints named by a discovery document). Errors as ParseOrigin.
  Result<void> Allow(std::string_view url);

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace latchkey::http_client
