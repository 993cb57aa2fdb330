#include "simulator/gmail/upload.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <boost/json.hpp>

#include "simulator/gmail/errors.hpp"
#include "simulator/mime/header.hpp"
#include "simulator/mime/transfer.hpp"

namespace latchkey::simulator {
namespace {

Response MediaTooLarge(std::size_t limit) {
  return ErrorResponse({.code = 413,
                        .message = fmt::format("Media is too large. Maximum: {} bytes.", limit),
                        .reason = "uploadTooLarge",
                        .status = "INVALID_ARGUMENT"});
}

/// "bytes 0-99/200" or "bytes 0-99/*"; "bytes */200" asks how much has come.
struct ContentRange {
  bool query = false;
  std::size_t first = 0;
  std::size_t last = 0;
  std::optional<std::size_t> total;
};

std::optional<std::size_t> ReadSize(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<ContentRange> ParseContentRange(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  ContentRange range;
  if (text.substr(slash + 1) != "*") {
    range.total = ReadSize(text.substr(slash + 1));
    if (!range.total) return std::nullopt;
  }
  const std::string_view span = text.substr(0, slash);
  if (span == "*") {
    range.query = true;
    return range;
  }
  const std::size_t dash = span.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = ReadSize(span.substr(0, dash));
  const auto last = ReadSize(span.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  range.first = *first;
  range.last = *last;
  return range;
}

}  // namespace

std::expected<boost::json::object, Response> ReadJsonBody(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return boost::json::object();
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(body, error);
  if (error || !value.is_object()) {
    return std::unexpected(ErrorResponse({.code = 400,
                                          .message = "Invalid JSON payload received. Unexpected token.",
                                          .reason = "parseError",
                                          .status = "INVALID_ARGUMENT"}));
  }
  return std::move(value.as_object());
}

std::vector<BodyPart> SplitMultipart(std::string_view body, std::string_view content_type, std::size_t limit) {
  std::vector<BodyPart> parts;
  const mime::ParameterisedValue type = mime::ParseParameterised(content_type);
  const std::string_view boundary = type.Get("boundary");
  if (boundary.empty()) return parts;
  const std::string delimiter = "--" + std::string(boundary);
  std::size_t at = body.find(delimiter);
  while (at != std::string_view::npos && parts.size() < limit) {
    const std::size_t line_end = body.find('\n', at);
    if (body.substr(at + delimiter.size(), 2) == "--" || line_end == std::string_view::npos) break;
    std::size_t next = body.find("\n" + delimiter, line_end);
    const std::size_t begin = line_end + 1;
    std::size_t end = next == std::string_view::npos ? body.size() : next;
    if (end > begin && body[end - 1] == '\r') --end;
    const std::string_view bytes = end > begin ? body.substr(begin, end - begin) : std::string_view();
    const mime::HeaderBlock header = mime::ParseHeaderBlock(bytes);
    BodyPart part;
    for (const mime::HeaderField& field : header.fields) {
      part.headers.Add(std::string(field.name), mime::Unfold(field.raw));
    }
    part.body = bytes.substr(header.body_offset);
    parts.push_back(std::move(part));
    at = next == std::string_view::npos ? next : next + 1;
  }
  return parts;
}

std::expected<UploadedMessage, Response> Uploads::Read(Request& request, std::uint64_t nonce) {
  if (request.query.Find("upload_id") != nullptr) return ContinueSession(request);
  std::string_view type = request.query.Get("uploadType");
  if (type.empty()) type = request.query.Get("upload_protocol");
  if (type == "resumable") return std::unexpected(StartSession(request, nonce));
  if (type == "multipart") return ReadMultipart(request);
  // media, and the absence of a type with a message as body.
  UploadedMessage upload;
  upload.raw = std::move(request.body);
  return upload;
}

std::expected<UploadedMessage, Response> Uploads::ReadMultipart(Request& request) {
  const std::vector<BodyPart> parts = SplitMultipart(request.body, request.headers.Get("Content-Type"), 3);
  if (parts.size() != 2) return std::unexpected(InvalidArgument("Malformed multipart body."));
  std::expected<boost::json::object, Response> metadata = ReadJsonBody(parts[0].body);
  if (!metadata) return std::unexpected(std::move(metadata.error()));
  UploadedMessage upload;
  upload.metadata = std::move(*metadata);
  const std::string_view encoding = parts[1].headers.Get("Content-Transfer-Encoding");
  upload.raw = mime::DecodeTransfer(parts[1].body, mime::ParseTransferEncoding(encoding));
  return upload;
}

Response Uploads::StartSession(Request& request, std::uint64_t nonce) {
  std::expected<boost::json::object, Response> metadata = ReadJsonBody(request.body);
  if (!metadata) return std::move(metadata.error());
  if (sessions_.size() >= kMaxSessions) sessions_.pop_front();
  Session& session = sessions_.emplace_back();
  session.id = fmt::format("ABPtcP{:016x}{:016x}", nonce, nonce * 0x9E3779B97F4A7C15ULL);
  session.metadata = std::move(*metadata);
  Response response;
  const char separator = request.target.find('?') == std::string::npos ? '?' : '&';
  response.headers.Add("Location",
                       fmt::format("{}{}{}upload_id={}", request.Base(), request.target, separator, session.id));
  response.headers.Add("X-GUploader-UploadID", session.id);
  return response;
}

std::expected<UploadedMessage, Response> Uploads::ContinueSession(Request& request) {
  const auto session = std::ranges::find(sessions_, request.query.Get("upload_id"), &Session::id);
  if (session == sessions_.end()) return std::unexpected(NotFound());
  bool complete = true;
  if (const std::string_view header = request.headers.Get("Content-Range"); !header.empty()) {
    const std::optional<ContentRange> range = ParseContentRange(header);
    if (!range) return std::unexpected(InvalidArgument("Failed to parse Content-Range header."));
    if (!range->query) {
      const bool fits = range->first == session->bytes.size() && range->last - range->first + 1 == request.body.size();
      if (!fits) return std::unexpected(InvalidArgument("Invalid request. The number of bytes does not match."));
      session->bytes += request.body;
    }
    complete = range->total && session->bytes.size() == *range->total;
  } else {
    session->bytes += request.body;
  }
  if (session->bytes.size() > kMaxBytes) {
    sessions_.erase(session);
    return std::unexpected(MediaTooLarge(kMaxBytes));
  }
  if (!complete) {
    Response response;
    response.status = 308;
    if (!session->bytes.empty()) {
      response.headers.Add("Range", fmt::format("bytes=0-{}", session->bytes.size() - 1));
    }
    return std::unexpected(std::move(response));
  }
  UploadedMessage upload;
  upload.metadata = std::move(session->metadata);
  upload.raw = std::move(session->bytes);
  sessions_.erase(session);
  return upload;
}

}  // namespace latchkey::simulator
