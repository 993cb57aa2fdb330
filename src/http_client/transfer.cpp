#include "http_client/transfer.hpp"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace latchkey::http_client {

namespace asio = boost::asio;

namespace {

/// More header bytes than any provider sends; libcurl itself limits single lines only.
constexpr std::size_t kMaxHeaderBytes = 64 << 10;
/// Bytes held for a receiver that is busy, before the transfer is paused.
constexpr std::size_t kMaxPending = 256 << 10;

bool IsVisible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
}

bool IsHeaderValue(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' || text.back() == '\n')) {
    text.remove_suffix(1);
  }
  return text;
}

bool EqualsLower(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? char(a + 32) : a) == b; });
}

/// Asking twice for the same thing is only harmless when the method says so (RFC 9110 section 9.2.2).
bool IsIdempotent(std::string_view method) { return method != "POST" && method != "PATCH"; }

std::string_view BodyOf(const HttpRequest& request) {
  return request.body.empty() ? request.body_view : std::string_view(request.body);
}

}  // namespace

Transfer::Transfer(const TransferSettings& settings) : settings_(settings), easy_(curl_easy_init()) {
  if (!easy_) throw std::runtime_error("curl_easy_init failed");
  SetConstantOptions();
}

Transfer::~Transfer() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(header_list_);
}

void Transfer::SetConstantOptions() {
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_text_.data());
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &Transfer::OnOpenSocket);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_NOPROGRESS, 1L);
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");
  curl_easy_setopt(easy_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy_, CURLOPT_PIPEWAIT, 1L);
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, 32L << 10);
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, settings_.user_agent.c_str());
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings_.connect_timeout.count()));
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_LIMIT, settings_.low_speed_bytes_per_second);
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings_.low_speed_time.count()));
  if (!settings_.ca_file.empty()) {
    curl_easy_setopt(easy_, CURLOPT_SSL_CTX_FUNCTION, &Transfer::OnTlsContext);
    curl_easy_setopt(easy_, CURLOPT_SSL_CTX_DATA, this);
  }
}

Result<void> Transfer::Prepare(const HttpRequest& request, const Origin& origin, std::chrono::milliseconds timeout) {
  if (!IsVisible(request.url)) return Fail(ErrorCode::kInvalidArgument, "URL with white space or control characters");
  if (!IsVisible(request.method)) return Fail(ErrorCode::kInvalidArgument, "malformed method");
  request_ = &request;
  origin_ = &origin;
  response_ = HttpResponse();
  received_ = header_bytes_ = 0;
  pending_.clear();
  result_ = CURLE_OK;
  finished_ = paused_ = too_large_ = address_refused_ = stopped_by_receiver_ = false;
  error_text_[0] = '\0';

  curl_slist_free_all(std::exchange(header_list_, nullptr));
  bool has_content_type = false;
  std::string line;
  for (const auto& [name, value] : request.headers) {
    if (name.empty() || !IsVisible(name) || name.find(':') != std::string::npos || !IsHeaderValue(value)) {
      return Fail(ErrorCode::kInvalidArgument, "malformed request header");
    }
    has_content_type = has_content_type || EqualsLower(name, "content-type");
    // libcurl takes "Name:" as the wish to leave it out, and "Name;" as an empty one.
    line.assign(name);
    if (value.empty()) {
      line.push_back(';');
    } else {
      line.append(": ").append(value);
    }
    header_list_ = curl_slist_append(header_list_, line.c_str());
  }
  if (!BodyOf(request).empty()) {
    if (!has_content_type) header_list_ = curl_slist_append(header_list_, "Content-Type:");
    header_list_ = curl_slist_append(header_list_, "Expect:");
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, header_list_);
  curl_easy_setopt(easy_, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, origin.tls ? "https" : "http");
  // A receiver that may wait gets a connection of its own without HTTP/2: libcurl 7.88 would go on taking a paused
  // stream's bytes (measured: all 100 MB of a download), and the other streams would wait behind them.
  const bool may_pause = static_cast<bool>(request.on_body_async);
  const bool http2 = origin.tls && !may_pause;
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION,
                   static_cast<long>(http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(1, timeout.count())));
  const long alone = IsIdempotent(request.method) && !may_pause ? 0 : 1;
  curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, alone);
  curl_easy_setopt(easy_, CURLOPT_FORBID_REUSE, alone);
  SetMethodAndBody(request);
  return {};
}

void Transfer::SetMethodAndBody(const HttpRequest& request) {
  curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, nullptr);
  curl_easy_setopt(easy_, CURLOPT_NOBODY, 0L);
  if (const std::string_view body = BodyOf(request); !body.empty() || request.method == "POST") {
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, body.empty() ? "" : body.data());
    if (request.method != "POST") curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    return;
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPGET, 1L);
  if (request.method == "HEAD") {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET") {
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

std::size_t Transfer::OnBody(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<Transfer*>(self)->AcceptBody({data, size * count});
}

std::size_t Transfer::AcceptBody(std::string_view bytes) {
  bool streams = true;
  if (request_->stream_only_success) {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    streams = status >= 200 && status < 300;
  }
  if (streams && request_->on_body_async && pending_.size() + bytes.size() > kMaxPending && !pending_.empty()) {
    paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  if (bytes.size() > request_->max_response_bytes - received_) {
    too_large_ = true;
    return 0;
  }
  if (streams && request_->on_body_async) {
    pending_.append(bytes);
    Resume();
  } else if (streams && request_->on_body) {
    if (!request_->on_body(bytes)) {
      stopped_by_receiver_ = true;
      return 0;
    }
  } else {
    if (received_ == 0) {
      curl_off_t announced = -1;
      curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
      if (announced > 0) {
        response_.body.reserve(std::min(static_cast<std::size_t>(announced), request_->max_response_bytes));
      }
    }
    response_.body.append(bytes);
  }
  received_ += bytes.size();
  return bytes.size();
}

std::size_t Transfer::OnHeader(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<Transfer*>(self)->AcceptHeaderLine({data, size * count}) ? size * count : 0;
}

bool Transfer::AcceptHeaderLine(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaderBytes) {
    too_large_ = true;
    return false;
  }
  // Trailers come after the body and are nothing we asked for.
  if (received_ > 0) return true;
  if (line.starts_with("HTTP/")) {
    // Interim answers (1xx) have heads of their own; the last one counts.
    response_.headers.clear();
    return true;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return true;
  if (response_.headers.empty()) response_.headers.reserve(16);
  response_.headers.emplace_back(std::string(line.substr(0, colon)), std::string(Trim(line.substr(colon + 1))));
  return true;
}

curl_socket_t Transfer::OnOpenSocket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  const AddressKind kind = KindOf(address->addr);
  // The address that is really connected to decides, not what a lookup said earlier (DNS rebinding).
  const bool allowed = transfer.origin_->loopback     ? kind == AddressKind::kLoopback
                       : kind == AddressKind::kPublic ? true
                                                      : transfer.settings_.allow_private_addresses;
  if (!allowed) {
    transfer.address_refused_ = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

CURLcode Transfer::OnTlsContext(CURL*, void* context, void* self) {
  const auto& transfer = *static_cast<Transfer*>(self);
  const int loaded =
      SSL_CTX_load_verify_locations(static_cast<SSL_CTX*>(context), transfer.settings_.ca_file.c_str(), nullptr);
  return loaded == 1 ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
}

void Transfer::Finish(CURLcode result) {
  if (std::exchange(finished_, true)) return;
  result_ = result;
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  Resume();
}

void Transfer::Resume() {
  if (!resume_) return;
  if (slot_.is_connected()) slot_.clear();
  asio::post(executor_, std::exchange(resume_, nullptr));
}

Task<void> Transfer::Wait(std::function<void()> cancel) {
  if (finished_ || (request_->on_body_async && has_pending())) co_return;
  executor_ = co_await asio::this_coro::executor;
  auto start = [this, &cancel](auto handler) {
    slot_ = asio::get_associated_cancellation_slot(handler);
    resume_ = [kept = std::move(handler)]() mutable { std::move(kept)(); };
    if (slot_.is_connected()) {
      slot_.assign([&cancel](asio::cancellation_type) { cancel(); });
    }
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start, asio::use_awaitable);
}

std::string Transfer::TakePending() { return std::exchange(pending_, {}); }

Error Transfer::TranslateFailure() const {
  std::string detail = error_text_[0] ? error_text_.data() : curl_easy_strerror(result_);
  const auto with = [&](ErrorCode code) { return Error{.code = code, .detail = std::move(detail), .retry_after = {}}; };
  if (too_large_) return {.code = ErrorCode::kMalformedReply, .detail = "the answer is too large", .retry_after = {}};
  if (stopped_by_receiver_) return {.code = ErrorCode::kCancelled, .detail = "stopped by receiver", .retry_after = {}};
  if (address_refused_ && result_ == CURLE_COULDNT_CONNECT) {
    return {.code = ErrorCode::kForbidden, .detail = "the host's address is not allowed", .retry_after = {}};
  }
  switch (result_) {
    case CURLE_ABORTED_BY_CALLBACK:
      return with(ErrorCode::kCancelled);
    case CURLE_OPERATION_TIMEDOUT:
      return with(ErrorCode::kTimeout);
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR:
      return with(ErrorCode::kMalformedReply);
    case CURLE_URL_MALFORMAT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return with(ErrorCode::kInvalidArgument);
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_SSL_CACERT_BADFILE:
      return with(ErrorCode::kInternal);
    default:
      return with(ErrorCode::kProviderUnavailable);
  }
}

bool Transfer::MayHaveLeft() const {
  curl_off_t connected_after = 0;
  long request_bytes = 0;
  curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &connected_after);
  curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &request_bytes);
  return !finished_ || result_ == CURLE_OK || response_.status != 0 || connected_after > 0 || request_bytes > 0;
}

Result<HttpResponse> Transfer::TakeResult() {
  if (result_ != CURLE_OK) return Fail(TranslateFailure());
  return std::move(response_);
}

}  // namespace latchkey::http_client
