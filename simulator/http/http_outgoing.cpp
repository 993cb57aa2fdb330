#include "simulator/http/http_outgoing.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

namespace latchkey::simulator {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kMaxRunning = 32;
constexpr std::size_t kMaxWaiting = 10'000;
constexpr std::size_t kMaxAnswer = 1024 * 1024;

http::request<http::string_body> ToBeast(OutgoingRequest& request, const boost::urls::url& url) {
  std::string target(url.encoded_target());
  if (!target.starts_with('/')) target.insert(0, "/");
  http::request<http::string_body> out(http::verb::post, target, 11);
  out.method_string(request.method);
  out.set(http::field::host, std::string(url.encoded_host_and_port()));
  out.set(http::field::connection, "close");
  for (const Headers::Field& field : request.headers) out.insert(field.name, field.value);
  out.body() = std::move(request.body);
  out.prepare_payload();
  if (out.body().empty()) out.set(http::field::content_length, "0");
  return out;
}

}  // namespace

/// One request from the resolver to the last byte. Kept alive by its coroutine and by the list of what runs.
class HttpOutgoing::Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(HttpOutgoing& owner, Waiting work)
      : owner_(owner),
        request_(std::move(work.request)),
        done_(std::move(work.done)),
        resolver_(owner.loop_),
        stream_(owner.loop_, owner.tls_),
        deadline_(owner.loop_) {}

  void Start() {
    deadline_.expires_after(request_.deadline);
    deadline_.async_wait([weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (error || !self) return;
      self->late_ = true;
      self->Abort();
    });
    asio::co_spawn(owner_.loop_, Run(shared_from_this()),
                   [self = shared_from_this()](const std::exception_ptr& failure, OutgoingAnswer answer) {
                     self->deadline_.cancel();
                     if (failure) answer.problem = "the request could not be made";
                     self->owner_.Ended(self, std::move(answer));
                   });
  }

  void Abort() {
    error_code ignored;
    aborted_ = true;
    resolver_.cancel();
    deadline_.cancel();
    stream_.next_layer().close(ignored);
  }

  void Finish(OutgoingAnswer answer) { done_(std::move(answer)); }

 private:
  /// Static with a shared_ptr parameter: the frame itself keeps the exchange alive.
  static asio::awaitable<OutgoingAnswer> Run(std::shared_ptr<Exchange> self) {
    OutgoingAnswer answer;
    error_code error;
    const auto parsed = boost::urls::parse_absolute_uri(self->request_.url);
    if (const std::string why = WhyNotPostable(self->request_.url); !why.empty()) {
      answer.problem = "the URL cannot be used: " + why;
      co_return answer;
    }
    const boost::urls::url url(*parsed);
    const bool secure = url.scheme_id() == boost::urls::scheme::https;
    std::string host(url.host_address());
    const std::string port = url.has_port() && !url.port().empty() ? std::string(url.port()) : secure ? "443" : "80";
    const std::string name = host;
    // A machine without /etc/hosts should know its own name too.
    if (host == "localhost") host = "127.0.0.1";
    const auto use = [&error] { return asio::redirect_error(asio::use_awaitable, error); };
    const auto found = co_await self->resolver_.async_resolve(host, port, use());
    // A lookup that ended just before Abort must not open the socket again.
    if (self->aborted_) error = asio::error::operation_aborted;
    if (!error) co_await asio::async_connect(self->stream_.next_layer(), found, use());
    if (self->aborted_) error = asio::error::operation_aborted;
    auto message = ToBeast(self->request_, url);
    if (!error && secure) {
      SSL_set_tlsext_host_name(self->stream_.native_handle(), name.c_str());
      self->stream_.set_verify_callback(asio::ssl::host_name_verification(name));
      co_await self->stream_.async_handshake(asio::ssl::stream_base::client, use());
    }
    boost::beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMaxAnswer);
    if (!error && secure) {
      co_await http::async_write(self->stream_, message, use());
      if (!error) co_await http::async_read(self->stream_, buffer, parser, use());
    } else if (!error) {
      co_await http::async_write(self->stream_.next_layer(), message, use());
      if (!error) co_await http::async_read(self->stream_.next_layer(), buffer, parser, use());
    }
    if (error && !parser.is_done()) {
      answer.problem = self->late_ ? "there was no answer in time" : "no answer: " + error.message();
      co_return answer;
    }
    const auto& got = parser.get();
    answer.status = got.result_int();
    for (const auto& field : got) answer.headers.Add(std::string(field.name_string()), std::string(field.value()));
    answer.body = got.body();
    co_return answer;
  }

  HttpOutgoing& owner_;
  OutgoingRequest request_;
  Done done_;
  tcp::resolver resolver_;
  asio::ssl::stream<tcp::socket> stream_;
  asio::steady_timer deadline_;
  bool late_ = false;
  bool aborted_ = false;
};

HttpOutgoing::HttpOutgoing(asio::io_context& loop) : loop_(loop), tls_(asio::ssl::context::tls_client) {
  error_code ignored;
  tls_.set_default_verify_paths(ignored);
  tls_.set_verify_mode(asio::ssl::verify_peer);
}

HttpOutgoing::~HttpOutgoing() { Stop(); }

bool HttpOutgoing::TrustCa(const std::string& file) {
  error_code error;
  tls_.load_verify_file(file, error);
  return !error;
}

bool HttpOutgoing::Send(OutgoingRequest request, Done done) {
  if (stopped_ || waiting_.size() >= kMaxWaiting) return false;
  waiting_.push_back({std::move(request), std::move(done)});
  StartNext();
  return true;
}

void HttpOutgoing::StartNext() {
  while (!waiting_.empty() && running_.size() < kMaxRunning) {
    auto exchange = std::make_shared<Exchange>(*this, std::move(waiting_.front()));
    waiting_.pop_front();
    running_.insert(exchange);
    exchange->Start();
  }
}

void HttpOutgoing::Ended(const std::shared_ptr<Exchange>& exchange, OutgoingAnswer answer) {
  running_.erase(exchange);
  if (stopped_) return;
  exchange->Finish(std::move(answer));
  StartNext();
}

void HttpOutgoing::Stop() {
  stopped_ = true;
  waiting_.clear();
  for (const auto& exchange : running_) exchange->Abort();
}

}  // namespace latchkey::simulator
