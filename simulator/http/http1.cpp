#include <optional>

#include <fmt/format.h>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "simulator/http/protocol.hpp"

namespace latchkey::simulator {
namespace {

namespace http = boost::beast::http;

/// Input that may wait behind the request being answered.
constexpr std::size_t kMaxWaitingInput = 64u << 10;
/// How often a slow drip sends its share of a second.
constexpr std::chrono::milliseconds kDripPeriod{20};

/// HTTP/1.1 with keep-alive. Pipelined requests are answered one after the other.
class Http1 final : public Protocol {
 public:
  Http1(ProtocolHost& host, Handler& handler) : host_(host), handler_(handler), timer_(host.executor()) {}

  bool Receive(std::string_view bytes) override {
    input_.append(bytes);
    return Process();
  }

  void Produce(std::string& out) override {
    if (out.empty()) {
      out.swap(output_);
    } else {
      out.append(output_);
      output_.clear();
    }
    if (!dripping_ && !busy_) response_.reset();
  }

  bool WantsInput() const override { return !busy_ || input_.size() < kMaxWaitingInput; }
  bool Finished() const override { return close_ && !busy_ && output_.empty(); }
  void Drain() override { close_ = true; }

 private:
  bool Process() {
    while (!busy_ && !close_ && !input_.empty()) {
      if (!parser_) {
        parser_.emplace();
        parser_->eager(true);
        parser_->header_limit(kMaxHeaderBytes);
        parser_->body_limit(kMaxBodyBytes);
        continued_ = false;
      }
      boost::system::error_code error;
      const std::size_t used = parser_->put(boost::asio::buffer(input_), error);
      input_.erase(0, used);
      if (error && error != http::error::need_more) {
        Refuse(error == http::error::body_limit ? 413 : 400);
        return false;
      }
      if (parser_->is_done()) {
        Dispatch();
      } else {
        if (parser_->is_header_done() && !continued_ && parser_->get()[http::field::expect] == "100-continue") {
          continued_ = true;
          output_ += "HTTP/1.1 100 Continue\r\n\r\n";
        }
        if (used == 0) break;
      }
    }
    return true;
  }

  void Dispatch() {
    http::request<http::string_body> message = parser_->release();
    parser_.reset();
    Request request;
    request.method = std::string(message.method_string());
    request.SetTarget(std::string(message.target()));
    request.scheme = host_.secure() ? "https" : "http";
    request.from_loopback = host_.from_loopback();
    for (const auto& field : message) {
      request.headers.Add(std::string(field.name_string()), std::string(field.value()));
    }
    request.host = std::string(request.headers.Get("Host"));
    request.body = std::move(message.body());
    if (!message.keep_alive()) close_ = true;
    head_only_ = request.method == "HEAD";
    busy_ = true;
    response_ = handler_.Handle(request);
    if (!response_->deferred) return Deliver();
    const std::shared_ptr<Deferred> deferred = response_->deferred;
    deferred->Then([this, life = std::weak_ptr<int>(life_)](Response answer) {
      if (life.expired()) return;
      response_ = std::move(answer);
      Deliver();
      Resume();
    });
  }

  void Deliver() {
    if (response_->delivery.reset != Delivery::Reset::kNone) {
      AfterDelay([this] { host_.Abort(); });
    } else {
      AfterDelay([this] { Start(); });
    }
  }

  template <class Action>
  void AfterDelay(Action action) {
    if (response_->delivery.delay.count() <= 0) return action();
    Later(response_->delivery.delay, [this, action] {
      action();
      Resume();
    });
  }

  template <class Action>
  void Later(std::chrono::milliseconds delay, Action action) {
    timer_.expires_after(delay);
    timer_.async_wait([life = std::weak_ptr<int>(life_), action](boost::system::error_code error) {
      if (!error && !life.expired()) action();
    });
  }

  void Start() {
    const Response& response = *response_;
    const bool has_body = response.status >= 200 && response.status != 204 && response.status != 304;
    auto out = std::back_inserter(output_);
    fmt::format_to(out, "HTTP/1.1 {} {}\r\n", response.status, ReasonPhrase(response.status));
    for (const auto& field : response.headers) fmt::format_to(out, "{}: {}\r\n", field.name, field.value);
    if (has_body) fmt::format_to(out, "Content-Length: {}\r\n", response.body.size());
    if (close_) output_ += "Connection: close\r\n";
    fmt::format_to(out, "Date: {}\r\n\r\n", HttpDate());
    body_end_ = has_body && !head_only_ ? response.body.size() : 0;
    cut_ = false;
    if (response.delivery.truncate_after && *response.delivery.truncate_after < body_end_) {
      body_end_ = *response.delivery.truncate_after;
      cut_ = true;
    }
    body_sent_ = 0;
    if (response.delivery.bytes_per_second > 0) {
      dripping_ = true;
      Drip();
    } else {
      output_.append(response.body, 0, body_end_);
      Complete();
    }
  }

  void Drip() {
    const std::size_t share =
        std::max<std::size_t>(1, response_->delivery.bytes_per_second * kDripPeriod.count() / 1000);
    const std::size_t size = std::min(share, body_end_ - body_sent_);
    output_.append(response_->body, body_sent_, size);
    body_sent_ += size;
    if (body_sent_ == body_end_) {
      dripping_ = false;
      Complete();
    } else {
      Later(kDripPeriod, [this] {
        Drip();
        Resume();
      });
    }
  }

  void Complete() {
    busy_ = false;
    if (cut_) close_ = true;
  }

  /// After a timer: the next pipelined request may start, and there is something to write.
  void Resume() {
    Process();
    host_.Flush();
  }

  void Refuse(int status) {
    fmt::format_to(std::back_inserter(output_),
                   "HTTP/1.1 {} {}\r\nConnection: close\r\nContent-Length: 0\r\nDate: {}\r\n\r\n", status,
                   ReasonPhrase(status), HttpDate());
    close_ = true;
  }

  ProtocolHost& host_;
  Handler& handler_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<int> life_ = std::make_shared<int>(0);
  std::optional<http::request_parser<http::string_body>> parser_;
  std::string input_;
  std::string output_;
  std::optional<Response> response_;
  std::size_t body_end_ = 0;
  std::size_t body_sent_ = 0;
  bool continued_ = false;
  bool head_only_ = false;
  bool busy_ = false;
  bool dripping_ = false;
  bool cut_ = false;
  bool close_ = false;
};

}  // namespace

std::unique_ptr<Protocol> MakeHttp1(ProtocolHost& host, Handler& handler) {
  return std::make_unique<Http1>(host, handler);
}

}  // namespace latchkey::simulator
