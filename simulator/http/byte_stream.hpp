#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

namespace latchkey::simulator {

/// One connected socket, plain or TLS, seen alike by the protocols. Loop thread only; at most one read and one write at
/// a time. Whoever starts an operation keeps the stream alive until its callback ran.
class ByteStream {
 public:
  using Done = std::move_only_function<void(boost::system::error_code, std::size_t)>;

  virtual ~ByteStream() = default;
  /// Completes at once on a plain socket.
  virtual void Handshake(Done done) = 0;
  virtual void ReadSome(boost::asio::mutable_buffer buffer, Done done) = 0;
  virtual void WriteAll(boost::asio::const_buffer buffer, Done done) = 0;
  /// True when ALPN chose "h2".
  virtual bool NegotiatedHttp2() const = 0;
  virtual bool secure() const = 0;
  virtual boost::asio::ip::tcp::socket& socket() = 0;
};

std::unique_ptr<ByteStream> MakePlainStream(boost::asio::ip::tcp::socket socket);
std::unique_ptr<ByteStream> MakeTlsStream(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& context);

}  // namespace latchkey::simulator
