// The half of a connection that takes requests in.

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <utility>

#include "http/body_source.hpp"

namespace latchkey::http {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// What is handed on at a time.
constexpr std::size_t kMaxPiece = 64 << 10;

auto Redirected(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

}  // namespace

/// Waits for more bytes behind those in the buffer; false when there are none to come.
Task<bool> Connection::ReadMore() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  // An idle connection holds no buffer of its own.
  if (buffer_.size() < end_ + Connection::kReadSize / 4) buffer_.resize(end_ + Connection::kReadSize);
  error_code error;
  const std::size_t count =
      co_await socket_.async_read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_), Redirected(error));
  end_ += count;
  if (ending_ && count == 0) co_return ReadArrived();
  // The sweep may have come between the arrival of these bytes and this line: it has decided then.
  co_return !error && count > 0 && !timed_out_ && !closing_;
}

/// The server stops while this connection is idle: a request that has arrived already is still answered.
bool Connection::ReadArrived() {
  ending_ = false;
  error_code error;
  end_ += socket_.read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_), error);
  return !error;
}

/// The length of the next head in the buffer; nullopt when the connection is over.
Task<std::optional<std::size_t>> Connection::ReadHead() {
  const ServerOptions& options = server_.options;
  std::size_t searched = 0;
  int empty_lines = 0;
  Enter(Phase::kIdle, options.idle_timeout);
  if (server_.stopping) Enter(Phase::kIdle, kFirstRequestTime);
  const std::chrono::milliseconds head_time = extra_ ? kExtraHeadTime : options.head_timeout;
  if (extra_) Enter(Phase::kIdle, head_time);
  if (end_ > begin_) Enter(Phase::kHead, head_time);
  while (true) {
    const std::string_view received(buffer_.data() + begin_, end_ - begin_);
    // A server should forgive an empty line before the request line (RFC 9112 section 2.2).
    if (received.starts_with("\r\n") && empty_lines < 2) {
      begin_ += 2;
      ++empty_lines;
      continue;
    }
    const std::size_t found = received.find("\r\n\r\n", searched);
    if (found != std::string_view::npos) {
      if (found + 4 <= options.max_head_bytes) co_return found + 4;
      co_await Refuse({431, "head too long"});
      co_return std::nullopt;
    }
    // A head without CRLF would otherwise only end with the deadline.
    if (received.find("\n\n") != std::string_view::npos) {
      co_await Refuse({400, "malformed line"});
      co_return std::nullopt;
    }
    if (received.size() >= options.max_head_bytes) {
      const bool in_target = received.find('\n') == std::string_view::npos;
      co_await Refuse(in_target ? Refusal{414, "target too long"} : Refusal{431, "head too long"});
      co_return std::nullopt;
    }
    searched = received.size() < 3 ? 0 : received.size() - 3;
    const bool first = received.empty();
    if (first && server_.stopping && requests_ > 0) co_return std::nullopt;
    if (!co_await ReadMore()) {
      if (timed_out_ && phase_ == Phase::kHead) co_await Refuse({408, "head timeout"});
      co_return std::nullopt;
    }
    if (first) Enter(Phase::kHead, head_time);
  }
}

Task<bool> Connection::Continue(const RequestHead& head) {
  if (!head.expects_continue || end_ > begin_) co_return true;
  co_return co_await WriteAll("HTTP/1.1 100 Continue\r\n\r\n");
}

bool Connection::Hold(std::size_t bytes) {
  if (server_.buffered_bytes + bytes > server_.options.max_buffered_body_bytes) return false;
  server_.buffered_bytes += bytes;
  held_ += bytes;
  return true;
}

void Connection::ReleaseHeld() { server_.buffered_bytes -= std::exchange(held_, 0); }

Task<bool> Connection::GatherBody(BodySource& source, std::string& body) {
  while (!source.done()) {
    const auto piece = co_await source.Read();
    if (!piece) {
      if (source.refusal()) co_await Refuse(*source.refusal());
      co_return false;
    }
    if (!Hold(piece->size())) {
      body = std::string();
      ReleaseHeld();
      co_await Refuse({503, "too many bodies"});
      co_return false;
    }
    body.append(*piece);
  }
  co_return true;
}

Connection::BodySource::BodySource(Connection& connection, const RequestHead& head, std::size_t limit)
    : connection_(connection),
      head_(head),
      chunks_(limit),
      left_(head.content_length.value_or(0)),
      done_(!head.chunked && left_ == 0) {}

std::unexpected<Error> Connection::BodySource::Broken() {
  failed_ = true;
  return Fail(ErrorCode::kCancelled, "the body broke off");
}

bool Connection::BodySource::TakeBuffered() {
  std::size_t& begin = connection_.begin_;
  const std::size_t there = std::min(connection_.end_ - begin, kMaxPiece);
  const std::string_view bytes(connection_.buffer_.data() + begin, there);
  if (head_.chunked) {
    const auto used = chunks_.Feed(bytes);
    if (!used) {
      refusal_ = used.error();
      return false;
    }
    begin += *used;
    piece_ = chunks_.Take();
    done_ = chunks_.done();
  } else {
    const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(left_, there));
    piece_.assign(bytes.substr(0, take));
    begin += take;
    left_ -= take;
    done_ = left_ == 0;
  }
  received_ += piece_.size();
  return true;
}

Task<Result<std::string_view>> Connection::BodySource::Read() {
  piece_.clear();
  if (failed_) co_return Broken();
  if (done_) co_return std::string_view();
  const ServerOptions& options = connection_.server_.options;
  const auto began = Clock::now();
  if (!started_) {
    started_ = true;
    connection_.Enter(Phase::kBody, options.body_timeout);
    if (!co_await connection_.Continue(head_)) co_return Broken();
  }
  while (true) {
    if (!TakeBuffered()) co_return Broken();
    if (done_ || !piece_.empty()) break;
    // Every so many bytes buy a second.
    const std::chrono::seconds earned(received_ / options.min_body_bytes_per_second);
    connection_.Enter(Phase::kBody, Clock::duration::max());
    connection_.deadline_ = began + options.body_timeout + earned - waited_;
    const bool more = co_await connection_.ReadMore();
    if (more) continue;
    if (connection_.timed_out_) refusal_ = Refusal{408, "body timeout"};
    co_return Broken();
  }
  waited_ += Clock::now() - began;
  connection_.Enter(Phase::kAnswer, Clock::duration::max());
  co_return std::string_view(piece_);
}

}  // namespace latchkey::http
