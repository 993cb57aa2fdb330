#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.hpp"
#include "base/error.hpp"

namespace latchkey::http {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

struct Header {
  std::string name;
  std::string value;
};

/// What a guard learned about who asks; the API derives its own type from it.
struct Principal {
  virtual ~Principal() = default;
};

/// The body of a request whose route takes it piece by piece.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  /// The next piece, valid until the next call; empty at the end. Until then nothing more is read, so a slow receiver
  /// slows its sender. A failure means that the body broke off or broke the rules: the server then answers (or closes)
  /// by itself, whatever the handler returns.
  virtual Task<Result<std::string_view>> Read() = 0;
};

/// How a request's body is taken.
struct BodyPlan {
  std::size_t limit = 1 << 20;  ///< Beyond: 413.
  bool streamed = false;        ///< Handed to the handler as a reader, not gathered.
};

/// A request that passed the server's framing, size and syntax checks.
struct Request {
  Method method = Method::kGet;
  /// As received; for logs use `path`, because the query may hold a code.
  std::string target;
  /// Normalised and percent-decoded; starts with '/', holds no dot segments, no NUL and no encoded slash.
  std::string path;
  /// Decoded, in order, repeats kept.
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<Header> headers;
  std::string body;
  /// Instead of `body` on routes that stream it; valid while the handler runs.
  BodyReader* body_reader = nullptr;
  /// The client's address after trusted proxies were taken off, without port.
  std::string client_address;
  /// For the log line, the problem's `ref` and the X-Request-Id header.
  std::string request_id;
  /// Filled by the router from `{name}` segments.
  std::vector<std::pair<std::string, std::string>> path_parameters;
  /// Set by the router's guard; empty on public routes.
  std::shared_ptr<const Principal> principal;

  /// Case-insensitive; nullopt when absent, and when a header that must be single occurs twice.
  std::optional<std::string_view> FindHeader(std::string_view name) const;
  /// nullopt when absent. HasRepeatedQuery tells whether a name occurs more than once.
  std::optional<std::string_view> FindQuery(std::string_view name) const;
  bool HasRepeatedQuery(std::string_view name) const;
  /// The value of a `{name}` segment; the route guarantees it is there.
  std::string_view PathParameter(std::string_view name) const;
  /// nullopt when absent or when the Cookie header is ambiguous about this name (twice, with different values).
  std::optional<std::string_view> FindCookie(std::string_view name) const;
};

/// Writes the pieces of a streamed answer. Each Write ends when the bytes went to the socket, so a slow client slows
/// its producer; it throws boost::system::system_error when the client is gone or the server stops.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  virtual Task<void> Write(std::string_view bytes) = 0;
};

struct Response {
  int status = 200;
  std::vector<Header> headers;
  std::string body;
  /// Borrowed bytes (embedded files) sent instead of `body`; must live as long as the process.
  std::string_view static_body;
  /// When set, the answer is streamed by this coroutine after the headers (event streams, downloads).
  std::function<Task<void>(BodyWriter&)> stream;
  /// Marks a stream without an end of its own (events). When the server stops, its producer is cancelled and these
  /// bytes end it in order; a stream without them (a download) is let finish as long as the server may wait.
  std::string farewell;

  void SetHeader(std::string_view name, std::string value);
  /// For headers that may repeat (Set-Cookie).
  void AddHeader(std::string_view name, std::string value);
};

/// The media type of a Content-Type value equals `type`, whatever parameters follow and however it is spelled.
bool IsMediaType(std::string_view content_type, std::string_view type);
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

using Handler = std::function<Task<Response>(Request&)>;

}  // namespace latchkey::http
