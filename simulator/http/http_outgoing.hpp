#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>

#include "simulator/outgoing.hpp"

namespace latchkey::simulator {

/// Outgoing over sockets: HTTP/1.1, one connection per request. Loop thread only; outlives the loop's last callback.
class HttpOutgoing final : public Outgoing {
 public:
  explicit HttpOutgoing(boost::asio::io_context& loop);
  ~HttpOutgoing() override;

  /// Trusts the certificates of this PEM file as well as the machine's own. False when it cannot be read.
  bool TrustCa(const std::string& file);

  bool Send(OutgoingRequest request, Done done) override;
  /// Breaks off what runs and forgets what waits; their `done` is never called.
  void Stop();

 private:
  class Exchange;
  struct Waiting {
    OutgoingRequest request;
    Done done;
  };

  void StartNext();
  void Ended(const std::shared_ptr<Exchange>& exchange, OutgoingAnswer answer);

  boost::asio::io_context& loop_;
  boost::asio::ssl::context tls_;
  std::deque<Waiting> waiting_;
  std::set<std::shared_ptr<Exchange>> running_;
  bool stopped_ = false;
};

}  // namespace latchkey::simulator
