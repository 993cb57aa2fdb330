#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "simulator/http/message.hpp"

namespace latchkey::simulator {

/// What a call that takes a message was given: JSON metadata and, for uploads, the raw bytes.
struct UploadedMessage {
  boost::json::object metadata;  ///< The resource (Message or Draft); empty for uploadType=media.
  std::string raw;               ///< RFC 5322 bytes from the media part; empty when the JSON carries `raw`.
};

/// Reads bodies of uploads: uploadType=media, multipart and resumable.
class Uploads {
 public:
  /// The message, or the answer to give instead: an error, 200 with the session's Location (start of a resumable
  /// upload), or 308 (a chunk was taken, more to come).
  std::expected<UploadedMessage, Response> Read(Request& request, std::uint64_t nonce);

 private:
  /// Unfinished uploads; the oldest goes when there are too many.
  static constexpr std::size_t kMaxSessions = 50;
  /// GD mediaUpload.maxSize of insert, the largest of all.
  static constexpr std::size_t kMaxBytes = 157'286'400;

  struct Session {
    std::string id;
    boost::json::object metadata;
    std::string bytes;
  };

  std::expected<UploadedMessage, Response> ReadMultipart(Request& request);
  Response StartSession(Request& request, std::uint64_t nonce);
  std::expected<UploadedMessage, Response> ContinueSession(Request& request);

  std::deque<Session> sessions_;
};

/// The request's JSON object; an empty body is an empty object. The answer to give when it is none.
std::expected<boost::json::object, Response> ReadJsonBody(std::string_view body);

/// One part of a MIME multipart body, as batch requests and multipart uploads send them. RFC 2046 with CRLF or LF.
struct BodyPart {
  Headers headers;
  std::string_view body;
};
/// Empty when the boundary of `content_type` does not occur. At most `limit` parts.
std::vector<BodyPart> SplitMultipart(std::string_view body, std::string_view content_type, std::size_t limit);

}  // namespace latchkey::simulator
