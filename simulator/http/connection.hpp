#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/steady_timer.hpp>

#include "simulator/http/byte_stream.hpp"
#include "simulator/http/protocol.hpp"

namespace latchkey::simulator {

/// One accepted socket: handshake, choice of protocol, then a loop of reads and gathered writes. Keeps itself alive
/// while an operation is pending; ends by the peer's close, an error, ten idle minutes, or Close.
class Connection final : public ProtocolHost, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::unique_ptr<ByteStream> stream, Handler& handler, std::function<void(Connection&)> on_closed);

  void Start();
  /// Finish the requests in progress, then close.
  void Drain();
  void Close();

  void Flush() override;
  void Abort() override;
  boost::asio::any_io_executor executor() override { return stream_->socket().get_executor(); }
  bool secure() const override { return stream_->secure(); }
  bool from_loopback() const override { return from_loopback_; }

 private:
  void Read();
  void OnRead(std::size_t size);
  /// False while the first bytes do not yet tell HTTP/1.1 from the HTTP/2 preface.
  bool ChooseProtocol(std::string_view bytes);
  void WatchDeadline(std::chrono::seconds after);

  std::unique_ptr<ByteStream> stream_;
  Handler& handler_;
  std::function<void(Connection&)> on_closed_;
  boost::asio::steady_timer deadline_;
  std::unique_ptr<Protocol> protocol_;
  std::string first_bytes_;
  std::string out_;
  bool from_loopback_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool failed_ = false;
  bool closed_ = false;
  bool active_ = false;
  std::array<char, 64 * 1024> in_;
};

}  // namespace latchkey::simulator
