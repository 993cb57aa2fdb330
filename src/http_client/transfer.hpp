#pragma once

#include <curl/curl.h>

#include <array>
#include <boost/asio/cancellation_signal.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/error.hpp"
#include "http_client/http_client.hpp"
#include "http_client/origin.hpp"

namespace latchkey::http_client {

/// What all transfers of a client have in common.
struct TransferSettings {
  std::string ca_file;
  std::string user_agent;
  bool allow_private_addresses = false;
  std::chrono::milliseconds connect_timeout{0};
  long low_speed_bytes_per_second = 0;
  std::chrono::seconds low_speed_time{0};
};

/// One libcurl easy handle with what its callbacks fill. Handles are kept and used again, because making one costs more
/// than a request. Loop thread only.
class Transfer {
 public:
  /// `settings` must outlive the transfer.
  explicit Transfer(const TransferSettings& settings);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// Sets the handle up. `request` and `origin` must live until Finish or Abort. kInvalidArgument for header or URL
  /// bytes that cannot be sent.
  Result<void> Prepare(const HttpRequest& request, const Origin& origin, std::chrono::milliseconds timeout);

  CURL* easy() const { return easy_; }
  bool finished() const { return finished_; }
  int status() const { return response_.status; }
  /// The transfer ended with `result`; wakes whoever waits.
  void Finish(CURLcode result);
  /// Ends it from our side.
  void Abort() { Finish(CURLE_ABORTED_BY_CALLBACK); }
  /// Whether a byte of the request can have reached the network: libcurl got as far as having a connection to write to.
  bool MayHaveLeft() const;
  /// The outcome, once finished.
  Result<HttpResponse> TakeResult();

  /// Waits until finished or, when the request has on_body_async, until body bytes are pending. `cancel` is called when
  /// the waiting task is cancelled.
  Task<void> Wait(std::function<void()> cancel);
  bool has_pending() const { return !pending_.empty(); }
  std::string TakePending();
  bool paused() const { return paused_; }
  void ClearPaused() { paused_ = false; }
  /// The receiver wanted no more: the result is kCancelled, even if all had arrived already.
  void StopByReceiver() {
    stopped_by_receiver_ = true;
    result_ = CURLE_WRITE_ERROR;
  }

 private:
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* self);
  static curl_socket_t OnOpenSocket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static CURLcode OnTlsContext(CURL* easy, void* context, void* self);

  void SetConstantOptions();
  void SetMethodAndBody(const HttpRequest& request);
  std::size_t AcceptBody(std::string_view bytes);
  bool AcceptHeaderLine(std::string_view line);
  void Resume();
  Error TranslateFailure() const;

  const TransferSettings& settings_;
  CURL* easy_;
  curl_slist* header_list_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> error_text_{};

  const HttpRequest* request_ = nullptr;
  const Origin* origin_ = nullptr;
  HttpResponse response_;
  std::size_t received_ = 0;
  std::size_t header_bytes_ = 0;
  std::string pending_;
  CURLcode result_ = CURLE_OK;
  bool finished_ = false;
  bool paused_ = false;
  bool too_large_ = false;
  bool address_refused_ = false;
  bool stopped_by_receiver_ = false;

  std::move_only_function<void()> resume_;
  boost::asio::cancellation_slot slot_;
  Executor executor_;
};

}  // namespace latchkey::http_client
