#include "http/response_head.hpp"

#include <algorithm>
#include <charconv>

#include "telemetry/log.hpp"

namespace latchkey::http {

namespace {

constexpr std::string_view kNoFrames =
    "Content-Security-Policy: default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'\r\n";

void AppendNumber(std::string& out, std::uint64_t number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

bool IsSafe(std::string_view text) {
  return std::ranges::none_of(text,
                              [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

bool IsSafeName(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace

std::string_view ReasonOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

void AppendResponseHead(std::string& out, const Response& response, const ResponseHeadOptions& options) {
  out += "HTTP/1.1 ";
  AppendNumber(out, static_cast<std::uint64_t>(response.status));
  out += ' ';
  out += ReasonOf(response.status);
  out += "\r\n";

  bool own_policy = false, own_caching = false, is_page = false, own_referrer = false;
  for (const Header& header : response.headers) {
    if (!IsSafeName(header.name) || !IsSafe(header.value)) {
      log::Failure("http.header_left_out", {{"request_id", options.request_id}, {"status", response.status}});
      continue;
    }
    switch (header.name.size()) {
      case 4:
      case 10:
      case 12:
        if (EqualsIgnoreCase(header.name, "content-type")) is_page = header.value.starts_with("text/html");
        // Ours to decide.
        if (EqualsIgnoreCase(header.name, "date") || EqualsIgnoreCase(header.name, "connection")) continue;
        break;
      case 13:
        if (EqualsIgnoreCase(header.name, "cache-control")) own_caching = true;
        break;
      case 14:
        if (EqualsIgnoreCase(header.name, "content-length")) continue;
        break;
      case 15:
        if (EqualsIgnoreCase(header.name, "referrer-policy")) own_referrer = true;
        break;
      case 17:
        if (EqualsIgnoreCase(header.name, "transfer-encoding")) continue;
        break;
      case 23:
        if (EqualsIgnoreCase(header.name, "content-security-policy")) own_policy = true;
        break;
      default:
        break;
    }
    out += header.name;
    out += ": ";
    out += header.value;
    out += "\r\n";
  }

  if (!own_policy) out += kNoFrames;
  if (!own_caching) out += "Cache-Control: no-store\r\n";
  if (!own_referrer) out += "Referrer-Policy: same-origin\r\n";
  out += "X-Content-Type-Options: nosniff\r\n";
  if (is_page) out += "Cross-Origin-Opener-Policy: same-origin-allow-popups\r\n";
  if (options.hsts) out += "Strict-Transport-Security: max-age=63072000; includeSubDomains\r\n";
  out += "X-Request-Id: ";
  out += options.request_id;
  out += "\r\nDate: ";
  out += options.date;
  switch (options.framing) {
    case BodyFraming::kLength:
      out += "\r\nContent-Length: ";
      AppendNumber(out, options.content_length);
      break;
    case BodyFraming::kChunked:
      out += "\r\nTransfer-Encoding: chunked";
      break;
    case BodyFraming::kClose:
    case BodyFraming::kNone:
      break;
  }
  out += options.close ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n";
}

}  // namespace latchkey::http
