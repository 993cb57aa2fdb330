// POST /batch/gmail/v1 and /batch/calendar/v3: up to a hundred calls in one multipart/mixed body, each answered on its
// own.
#include "simulator/gmail/batch.hpp"

#include <fmt/format.h>

#include "simulator/gmail/errors.hpp"
#include "simulator/gmail/gmail_service.hpp"

namespace latchkey::simulator {
namespace {

constexpr std::size_t kMaxParts = 100;

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 409:
      return "Conflict";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

std::string_view NextLine(std::string_view& text) {
  const std::size_t eol = text.find('\n');
  std::string_view line = text.substr(0, eol);
  text = eol == std::string_view::npos ? std::string_view() : text.substr(eol + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// An application/http part: request line, fields, empty line, body. False when the request line is none.
bool ReadInnerRequest(std::string_view text, const Request& outer, Request& inner) {
  const std::string_view line = NextLine(text);
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos || first == 0) return false;
  const std::size_t second = line.find(' ', first + 1);
  inner.method = std::string(line.substr(0, first));
  inner.SetTarget(std::string(line.substr(first + 1, second == std::string_view::npos ? second : second - first - 1)));
  while (!text.empty()) {
    const std::string_view field = NextLine(text);
    if (field.empty()) break;
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view value = field.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    inner.headers.Add(std::string(field.substr(0, colon)), std::string(value));
  }
  inner.body = std::string(text);
  inner.scheme = outer.scheme;
  inner.host = outer.host;
  return true;
}

/// "<item1:1@x>" is answered as "<response-item1:1@x>".
std::string AnswerId(std::string_view content_id) {
  if (content_id.starts_with('<')) return "<response-" + std::string(content_id.substr(1));
  return "response-" + std::string(content_id);
}

}  // namespace

Response AnswerBatch(const Request& request, std::uint64_t nonce, const std::function<Response(Request&)>& answer_one) {
  const std::vector<BodyPart> parts = SplitMultipart(request.body, request.headers.Get("Content-Type"), kMaxParts + 1);
  if (parts.empty()) return InvalidArgument("Failed to parse batch request, error: 0 items. Received batch body.");
  if (parts.size() > kMaxParts) return TooManyBatchParts();
  const std::string boundary = fmt::format("batch_{:016x}", nonce);
  std::string body;
  for (const BodyPart& part : parts) {
    Request inner;
    Response answer;
    if (!ReadInnerRequest(part.body, request, inner)) {
      answer = InvalidArgument("Failed to parse the request of this part.");
    } else {
      answer = answer_one(inner);
    }
    body += fmt::format("--{}\r\nContent-Type: application/http\r\n", boundary);
    if (const std::string_view id = part.headers.Get("Content-ID"); !id.empty()) {
      body += fmt::format("Content-ID: {}\r\n", AnswerId(id));
    }
    body += fmt::format("\r\nHTTP/1.1 {} {}\r\n", answer.status, ReasonPhrase(answer.status));
    for (const Headers::Field& field : answer.headers) body += fmt::format("{}: {}\r\n", field.name, field.value);
    body += fmt::format("Vary: Origin\r\nContent-Length: {}\r\n\r\n", answer.body.size());
    body += answer.body;
    body += "\r\n";
  }
  body += fmt::format("--{}--\r\n", boundary);
  Response response;
  response.headers.Add("Content-Type", fmt::format("multipart/mixed; boundary={}", boundary));
  response.body = std::move(body);
  return response;
}

Response GmailService::HandleBatch(Request& request, const Grant& grant) {
  return AnswerBatch(request, state_.NextNonce(), [&](Request& part) {
    std::optional<Response> gated = gate_ ? gate_(part, grant) : std::nullopt;
    return gated ? std::move(*gated) : HandleOne(part, grant);
  });
}

}  // namespace latchkey::simulator
