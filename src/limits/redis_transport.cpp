#include "limits/redis_transport.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace latchkey::limits {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Socket = asio::generic::stream_protocol::socket;

/// Connects `socket` to one of the addresses behind the host's name, or to the socket file.
Task<bool> Dial(Socket& socket, const RedisAddress& address, asio::ip::tcp::resolver& resolver) {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  if (address.transport == RedisAddress::Transport::kUnix) {
    const asio::local::stream_protocol::endpoint endpoint(address.path);
    co_await socket.async_connect(endpoint, token);
    co_return !error;
  }
  // Not the blocking look-up that hiredis would make: a silent name server must not hold up the loop.
  const auto found = co_await resolver.async_resolve(address.host, std::to_string(address.port), token);
  if (error) co_return false;
  for (const auto& entry : found) {
    socket.close(error);
    co_await socket.async_connect(entry.endpoint(), token);
    if (!error) break;
  }
  if (error) co_return false;
  error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  co_return true;
}

class Plain final : public RedisTransport {
 public:
  Plain(const Executor& executor, RedisAddress address)
      : address_(std::move(address)), resolver_(executor), socket_(executor) {}

  Task<bool> Connect() override { return Dial(socket_, address_, resolver_); }

  Task<std::size_t> ReadSome(std::span<char> into) override {
    error_code error;
    const auto buffer = asio::buffer(into.data(), into.size());
    const auto size = co_await socket_.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, error));
    co_return error ? 0 : size;
  }

  Task<bool> Write(std::string_view bytes) override {
    error_code error;
    co_await asio::async_write(socket_, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
    co_return !error;
  }

  void Close() override {
    error_code ignored;
    resolver_.cancel();
    socket_.close(ignored);
  }

  bool tls_failed() const override { return false; }

 private:
  RedisAddress address_;
  asio::ip::tcp::resolver resolver_;
  Socket socket_;
};

class Tls final : public RedisTransport {
 public:
  Tls(const Executor& executor, RedisAddress address, const std::string& ca_file)
      : address_(std::move(address)),
        resolver_(executor),
        context_(TrustedContext(ca_file)),
        stream_(executor, context_) {
    stream_.set_verify_mode(asio::ssl::verify_peer);
    stream_.set_verify_callback(asio::ssl::host_name_verification(address_.host));
    // An address is no server name (RFC 6066 section 3).
    error_code no_address;
    asio::ip::make_address(address_.host, no_address);
    if (no_address) SSL_set_tlsext_host_name(stream_.native_handle(), address_.host.c_str());
  }

  Task<bool> Connect() override {
    const bool connected = co_await Dial(stream_.next_layer(), address_, resolver_);
    if (!connected) co_return false;
    error_code error;
    co_await stream_.async_handshake(asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, error));
    tls_failed_ = static_cast<bool>(error);
    co_return !error;
  }

  Task<std::size_t> ReadSome(std::span<char> into) override {
    error_code error;
    const auto buffer = asio::buffer(into.data(), into.size());
    const auto size = co_await stream_.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, error));
    co_return error ? 0 : size;
  }

  Task<bool> Write(std::string_view bytes) override {
    error_code error;
    co_await asio::async_write(stream_, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
    co_return !error;
  }

  void Close() override {
    error_code ignored;
    resolver_.cancel();
    stream_.next_layer().close(ignored);
  }

  bool tls_failed() const override { return tls_failed_; }

 private:
  static asio::ssl::context TrustedContext(const std::string& ca_file) {
    asio::ssl::context context(asio::ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    context.set_default_verify_paths();
    if (!ca_file.empty()) context.load_verify_file(ca_file);
    return context;
  }

  RedisAddress address_;
  asio::ip::tcp::resolver resolver_;
  asio::ssl::context context_;
  asio::ssl::stream<Socket> stream_;
  bool tls_failed_ = false;
};

}  // namespace

std::unique_ptr<RedisTransport> MakeRedisTransport(const Executor& executor, const RedisAddress& address,
                                                   const std::string& ca_file) {
  if (address.transport == RedisAddress::Transport::kTls) return std::make_unique<Tls>(executor, address, ca_file);
  return std::make_unique<Plain>(executor, address);
}

}  // namespace latchkey::limits
