#include "images/image_proxy.hpp"

#include <curl/curl.h>

#include <memory>
#include <utility>

#include "images/image_type.hpp"

namespace latchkey::images {
namespace {

constexpr std::size_t kMaxUrl = 2048;
constexpr char kSeparator = '\n';
/// In the place of an address: no address that is ever fetched begins like this.
constexpr std::string_view kPart = "part:";

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool IsWeb(std::string_view url) {
  const auto starts = [&](std::string_view scheme) {
    if (url.size() < scheme.size()) return false;
    for (std::size_t i = 0; i < scheme.size(); ++i) {
      const char c = url[i] >= 'A' && url[i] <= 'Z' ? static_cast<char>(url[i] + 32) : url[i];
      if (c != scheme[i]) return false;
    }
    return true;
  };
  return starts("https://") || starts("http://");
}

/// Blanks and the like, which mails have in addresses, become escapes; what is escaped already stays.
std::string Clean(std::string_view url) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : url) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out.substr(0, out.find('#'));
}

}  // namespace

std::string ResolveUrl(const std::string& base, const std::string& location) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), &curl_url_cleanup);
  if (!url || curl_url_set(url.get(), CURLUPART_URL, base.c_str(), 0) != CURLUE_OK) return {};
  if (curl_url_set(url.get(), CURLUPART_URL, location.c_str(), 0) != CURLUE_OK) return {};
  char* text = nullptr;
  if (curl_url_get(url.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) return {};
  std::string resolved(text);
  curl_free(text);
  return resolved;
}

ImageProxy::ImageProxy(Executor executor, http_client::HttpClient& http, crypto::SealedBox box, const Clock& clock,
                       ProxyOptions options)
    : http_(http),
      box_(std::move(box)),
      clock_(clock),
      options_(options),
      slots_(std::move(executor), options.concurrency) {}

std::string ImageProxy::Seal(const UserId& user, const MessageId& message, std::string_view url) const {
  const std::string clean = Clean(url);
  if (!IsWeb(clean) || clean.size() > kMaxUrl) return {};
  return box_.Seal(user.text() + kSeparator + message.text() + kSeparator + clean, clock_.Now() + options_.token_life);
}

std::string ImageProxy::SealPart(const UserId& user, const MessageId& message, std::string_view attachment_id) const {
  return box_.Seal(
      user.text() + kSeparator + message.text() + kSeparator + std::string(kPart) + std::string(attachment_id),
      clock_.Now() + options_.token_life);
}

Result<ImageTicket> ImageProxy::Open(std::string_view token) const {
  const auto clear = box_.Open(token, clock_.Now());
  if (!clear) return Fail(ErrorCode::kNotFound, "no such image token");
  const std::size_t first = clear->find(kSeparator);
  const std::size_t second = first == std::string::npos ? first : clear->find(kSeparator, first + 1);
  if (second == std::string::npos) return Fail(ErrorCode::kNotFound, "no such image token");
  ImageTicket ticket{.user_id = UserId(clear->substr(0, first)),
                     .message_id = MessageId(clear->substr(first + 1, second - first - 1)),
                     .url = clear->substr(second + 1),
                     .part = {}};
  if (ticket.url.starts_with(kPart)) ticket.part = std::exchange(ticket.url, {}).substr(kPart.size());
  return ticket;
}

Task<Result<http_client::HttpResponse>> ImageProxy::Get(std::string url) {
  http_client::HttpRequest request;
  request.url = std::move(url);
  request.headers = {{"Accept", "image/png,image/jpeg,image/gif,image/webp"}};
  request.timeout = options_.timeout;
  request.max_response_bytes = options_.max_bytes;
  co_return co_await http_.Send(request);
}

Task<Result<Image>> ImageProxy::Fetch(const ImageTicket& ticket) {
  const auto permit = co_await slots_.AcquireFor(options_.patience);
  if (!permit) co_return Fail(ErrorCode::kOverloaded, "too many images are being fetched");
  std::string url = ticket.url;
  for (int hops = 0; hops <= options_.max_redirects; ++hops) {
    auto answer = co_await Get(url);
    if (!answer) {
      const auto code = answer.error().code;
      const bool passing = code == ErrorCode::kProviderUnavailable || code == ErrorCode::kTimeout ||
                           code == ErrorCode::kOverloaded || code == ErrorCode::kCancelled;
      co_return Fail(passing ? code : ErrorCode::kNotFound, "image: " + answer.error().detail);
    }
    if (IsRedirect(answer->status)) {
      const std::string location(answer->Header("Location"));
      const std::string next = location.empty() ? std::string() : ResolveUrl(url, location);
      if (!IsWeb(next) || next.size() > kMaxUrl) co_return Fail(ErrorCode::kNotFound, "image: leads nowhere");
      // From a protected address only to a protected one.
      if (IsWeb(url) && url[4] == 's' && next[4] != 's') co_return Fail(ErrorCode::kNotFound, "image: leads to http");
      url = next;
      continue;
    }
    if (answer->status != 200) co_return Fail(ErrorCode::kNotFound, "image: refused");
    const auto type = ImageTypeOf(answer->body);
    if (!type) co_return Fail(ErrorCode::kNotFound, "image: is none");
    co_return Image{.bytes = std::move(answer->body), .media_type = *type};
  }
  co_return Fail(ErrorCode::kNotFound, "image: too many redirects");
}

}  // namespace latchkey::images
