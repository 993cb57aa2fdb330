#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace latchkey::simulator {

/// True when both texts are equal apart from the case of ASCII letters.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

/// Header fields in the order they came or shall go. Names compare without case (RFC 9110 section 5.1).
class Headers {
 public:
  struct Field {
    std::string name;
    std::string value;
  };

  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}

  /// The first value under `name`, or nullptr.
  const std::string* Find(std::string_view name) const;
  /// The first value under `name`, or "".
  std::string_view Get(std::string_view name) const;
  void Add(std::string name, std::string value) { fields_.push_back({std::move(name), std::move(value)}); }
  /// Replaces every field of that name.
  void Set(std::string name, std::string value);
  bool empty() const { return fields_.empty(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

/// Name and value pairs of a query string or of a form body, percent-decoded, '+' read as a blank. Names may repeat.
class Parameters {
 public:
  /// Broken escapes are kept as they stand; a simulator should not be stricter than what it imitates.
  static Parameters Parse(std::string_view encoded);

  const std::string* Find(std::string_view name) const;
  std::string_view Get(std::string_view name) const;
  /// Every value under `name`, in order (`labelIds=A&labelIds=B`).
  std::vector<std::string_view> All(std::string_view name) const;
  bool empty() const { return pairs_.empty(); }
  auto begin() const { return pairs_.begin(); }
  auto end() const { return pairs_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

/// One request, complete with its body, whichever HTTP version brought it.
struct Request {
  std::string method;                 ///< Upper case.
  std::string target;                 ///< As on the wire: "/gmail/v1/users/me/messages?maxResults=5".
  std::string path;                   ///< The target before '?', still percent-encoded. For routes.
  std::vector<std::string> segments;  ///< `path` split at '/' (no empty first one), each percent-decoded.
  Parameters query;
  Headers headers;
  std::string body;
  std::string scheme;  ///< "http" or "https".
  std::string host;    ///< Host field or :authority, with port.
  bool from_loopback = true;

  /// Sets target, path, segments and query from a raw target. Absolute targets lose scheme and authority.
  void SetTarget(std::string raw_target);
  /// "https://localhost:8443": where the client reached us, for links that must lead back.
  std::string Base() const { return scheme + "://" + host; }
};

/// How a response misbehaves on its way out. The default is an honest delivery.
struct Delivery {
  enum class Reset { kNone, kStream, kConnection };

  std::chrono::milliseconds delay{0};         ///< Wait before the first byte.
  std::optional<std::size_t> truncate_after;  ///< Cut the connection (HTTP/2: the stream) after so many body bytes.
  std::size_t bytes_per_second = 0;           ///< Slow drip; 0 is full speed.
  /// Instead of an answer. kStream is RST_STREAM, and under HTTP/1.1 the same as kConnection, a TCP reset.
  Reset reset = Reset::kNone;
};

class Deferred;

/// One answer. Content-Length and Date are set by the server; Content-Type by whoever builds it.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  Delivery delivery;
  /// Released when the last byte was handed to the socket (or the connection ended): counts requests in progress.
  std::shared_ptr<void> in_progress;
  /// Set: the answer comes later, through it; everything else here is without meaning.
  std::shared_ptr<Deferred> deferred;
};

/// An answer that waits for something else, as Graph's answer to a new subscription waits for the validation of its
/// URL. Held by whoever completes it and by the response it stands in for. Loop thread only.
class Deferred {
 public:
  /// The first call counts.
  void Complete(Response response);
  /// Hands the answer to `ready`, now or later. Called once.
  void Then(std::function<void(Response)> ready);

 private:
  std::function<void(Response)> ready_;
  std::optional<Response> response_;
  bool done_ = false;
};

/// `deferred` behind another: each answer passes through `change` on its way.
Response Transform(Response response, std::function<Response(Response)> change);

/// A JSON answer with Google's content type.
Response JsonResponse(int status, std::string body);
Response HtmlResponse(int status, std::string body);
Response TextResponse(int status, std::string body);
/// 302 to `location`.
Response RedirectResponse(std::string location);

}  // namespace latchkey::simulator
