#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>

#include "simulator/http/handler.hpp"

namespace latchkey::simulator {

/// Larger requests are refused with 413; Gmail itself takes 150 MiB (messages.insert).
inline constexpr std::size_t kMaxBodyBytes = 160u << 20;
/// All header fields of one request together.
inline constexpr std::size_t kMaxHeaderBytes = 64u << 10;
/// How much output a protocol gathers before it waits for the socket.
inline constexpr std::size_t kWriteBatchBytes = 256u << 10;

/// What a protocol may ask of the connection that runs it.
class ProtocolHost {
 public:
  virtual ~ProtocolHost() = default;
  /// Output became available outside of Receive (a timer fired).
  virtual void Flush() = 0;
  /// Drop the connection with a TCP reset. The protocol object stays alive until the current call returned.
  virtual void Abort() = 0;
  virtual boost::asio::any_io_executor executor() = 0;
  virtual bool secure() const = 0;
  /// Whether the peer is on this machine.
  virtual bool from_loopback() const = 0;
};

/// Turns bytes into requests and responses into bytes: HTTP/1.1 or HTTP/2. Owned by one connection, loop thread only.
/// Its timers capture it weakly through `life`, so it may be destroyed at any time.
class Protocol {
 public:
  virtual ~Protocol() = default;
  /// Takes bytes from the peer. False: the peer broke the protocol; send what Produce still gives, then close.
  virtual bool Receive(std::string_view bytes) = 0;
  /// Appends up to about kWriteBatchBytes of output.
  virtual void Produce(std::string& out) = 0;
  /// False while further input should wait (bound on buffered requests).
  virtual bool WantsInput() const = 0;
  /// True when nothing more will be sent and the connection should close.
  virtual bool Finished() const = 0;
  /// Finish what is in progress, take no new requests.
  virtual void Drain() = 0;
};

std::unique_ptr<Protocol> MakeHttp1(ProtocolHost& host, Handler& handler);
std::unique_ptr<Protocol> MakeHttp2(ProtocolHost& host, Handler& handler);

/// "Fri, 20 Nov 2026 12:31:05 GMT" of the machine's clock, made once a second.
const std::string& HttpDate();
/// "Not Found" for 404; "" when unknown.
std::string_view ReasonPhrase(int status);

}  // namespace latchkey::simulator
