#include "simulator/http/connection.hpp"

namespace latchkey::simulator {
namespace {

using boost::system::error_code;

/// RFC 9113 section 3.4; the first line suffices to tell it from any HTTP/1.1 request.
constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n";
constexpr std::chrono::seconds kHandshakeDeadline{10};
constexpr std::chrono::seconds kIdleDeadline{600};

}  // namespace

Connection::Connection(std::unique_ptr<ByteStream> stream, Handler& handler, std::function<void(Connection&)> on_closed)
    : stream_(std::move(stream)),
      handler_(handler),
      on_closed_(std::move(on_closed)),
      deadline_(stream_->socket().get_executor()) {}

void Connection::Start() {
  error_code error;
  const auto peer = stream_->socket().remote_endpoint(error);
  from_loopback_ = !error && peer.address().is_loopback();
  WatchDeadline(kHandshakeDeadline);
  stream_->Handshake([self = shared_from_this()](error_code failure, std::size_t) {
    if (failure) return self->Close();
    if (self->secure()) {
      self->protocol_ =
          self->stream_->NegotiatedHttp2() ? MakeHttp2(*self, self->handler_) : MakeHttp1(*self, self->handler_);
      self->Flush();
    }
    self->Read();
  });
}

void Connection::Read() {
  if (reading_ || closed_ || failed_ || (protocol_ && !protocol_->WantsInput())) return;
  reading_ = true;
  stream_->ReadSome(boost::asio::buffer(in_), [self = shared_from_this()](error_code error, std::size_t size) {
    self->reading_ = false;
    if (self->closed_) return;
    if (error) return self->Close();
    self->OnRead(size);
  });
}

void Connection::OnRead(std::size_t size) {
  active_ = true;
  std::string_view bytes(in_.data(), size);
  if (!protocol_) {
    first_bytes_.append(bytes);
    if (!ChooseProtocol(first_bytes_)) return Read();
    bytes = first_bytes_;
  }
  if (!protocol_->Receive(bytes)) failed_ = true;
  first_bytes_.clear();
  Flush();
  Read();
}

bool Connection::ChooseProtocol(std::string_view bytes) {
  if (kHttp2Preface.starts_with(bytes.substr(0, kHttp2Preface.size()))) {
    if (bytes.size() < kHttp2Preface.size()) return false;
    protocol_ = MakeHttp2(*this, handler_);
  } else {
    protocol_ = MakeHttp1(*this, handler_);
  }
  return true;
}

void Connection::Flush() {
  if (writing_ || closed_ || !protocol_) return;
  out_.clear();
  protocol_->Produce(out_);
  if (closed_) return;
  if (out_.empty()) {
    if (failed_ || protocol_->Finished()) return Close();
    return Read();
  }
  writing_ = true;
  stream_->WriteAll(boost::asio::buffer(out_), [self = shared_from_this()](error_code error, std::size_t) {
    self->writing_ = false;
    self->active_ = true;
    if (error) return self->Close();
    self->Flush();
  });
}

void Connection::Abort() {
  if (closed_) return;
  error_code ignored;
  stream_->socket().set_option(boost::asio::socket_base::linger(true, 0), ignored);
  closed_ = true;
  deadline_.cancel();
  stream_->socket().close(ignored);
  on_closed_(*this);
}

void Connection::Close() {
  if (closed_) return;
  closed_ = true;
  deadline_.cancel();
  error_code ignored;
  stream_->socket().shutdown(boost::asio::ip::tcp::socket::shutdown_both, ignored);
  stream_->socket().close(ignored);
  on_closed_(*this);
}

void Connection::Drain() {
  if (closed_) return;
  if (!protocol_) return Close();
  protocol_->Drain();
  Flush();
}

void Connection::WatchDeadline(std::chrono::seconds after) {
  deadline_.expires_after(after);
  deadline_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (error || !self || self->closed_) return;
    if (!self->active_) return self->Close();
    self->active_ = false;
    self->WatchDeadline(kIdleDeadline);
  });
}

}  // namespace latchkey::simulator
