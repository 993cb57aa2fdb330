#include "http/connection.hpp"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <charconv>
#include <exception>
#include <utility>

#include "http/body_source.hpp"
#include "http/problem.hpp"
#include "telemetry/log.hpp"

namespace latchkey::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::seconds kLingerTime{2};
constexpr std::size_t kMaxLingerBytes = 1 << 20;

constexpr std::chrono::seconds kRetryAfter{2};

auto Redirected(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

}  // namespace

std::string ServerContext::NewRequestId() {
  // splitmix64 over a secret start: a permutation, so no two requests share an id.
  std::uint64_t x = request_id_key + ++request_counter * 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  x ^= x >> 31;
  constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::string id(13, '0');
  for (char& c : id) {
    c = kAlphabet[x & 31];
    x >>= 5;
  }
  return id;
}

/// Gives a stream's pieces to the socket in the framing the head announced.
class Connection::StreamWriter final : public BodyWriter {
 public:
  StreamWriter(Connection& connection, bool chunked) : connection_(connection), chunked_(chunked) {}

  /// A piece was begun and not ended: nothing can be said in this stream any more.
  bool broken() const { return writing_; }

  Task<void> Write(std::string_view bytes) override {
    if (bytes.empty()) co_return;
    connection_.Enter(Phase::kStream, Clock::duration::max());
    bool written = true;
    writing_ = true;
    if (!chunked_) {
      written = co_await connection_.WriteAll(bytes);
    } else {
      char size[24];
      char* const end = std::to_chars(size, size + 20, bytes.size(), 16).ptr;
      std::string& frame = connection_.out_;
      frame.assign(size, end);
      frame += "\r\n";
      frame += bytes;
      frame += "\r\n";
      written = co_await connection_.WriteAll(frame);
    }
    if (!written) throw boost::system::system_error(asio::error::connection_reset);
    writing_ = false;
    connection_.deadline_ = Clock::time_point::max();
  }

 private:
  Connection& connection_;
  bool chunked_;
  bool writing_ = false;
};

Connection::Connection(ServerContext& server, tcp::socket socket, asio::ip::address peer, bool extra)
    : server_(server), socket_(std::move(socket)), peer_(std::move(peer)), extra_(extra) {
  peer_text_ = peer_.to_string();
  behind_proxy_ = server_.trusted_proxies.Contains(peer_);
}

Connection::~Connection() { ReleaseHeld(); }

void Connection::Enter(Phase phase, Clock::duration allowed) {
  phase_ = phase;
  timed_out_ = false;
  deadline_ = allowed == Clock::duration::max() ? Clock::time_point::max() : Clock::now() + allowed;
}

void Connection::Sweep(Clock::time_point now) {
  if (now < deadline_) return;
  timed_out_ = true;
  deadline_ = Clock::time_point::max();
  socket_.cancel();
}

void Connection::CloseWaiting() {
  closing_ = true;
  socket_.cancel();
}

void Connection::Drain() {
  if (phase_ == Phase::kStream && endless_) stream_cancel_.emit(asio::cancellation_type::terminal);
}

void Connection::CloseIdle() {
  if (phase_ != Phase::kIdle && phase_ != Phase::kHead) return;
  if (requests_ == 0 || phase_ == Phase::kHead) {
    deadline_ = std::min(deadline_, Clock::now() + kFirstRequestTime);
    return;
  }
  ending_ = true;
  socket_.cancel();
}

Task<void> Connection::Run() {
  socket_.non_blocking(true);
  error_code error;
  socket_.set_option(tcp::no_delay(true), error);
  while (co_await ServeOne()) {
  }
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

void Connection::MakeRequest(const RequestHead& head, Target target, Request& request) {
  request.method = head.method;
  request.target.assign(head.target);
  request.path = std::move(target.path);
  request.query = std::move(target.query);
  request.headers.reserve(head.fields.size());
  for (const auto& [name, value] : head.fields) request.headers.push_back({std::string(name), std::string(value)});
  request.client_address = behind_proxy_ ? server_.trusted_proxies.ClientAddress(peer_, request.headers) : peer_text_;
  request.request_id = server_.NewRequestId();
}

/// False when the connection ends.
Task<bool> Connection::ServeOne() {
  const auto size = co_await ReadHead();
  if (!size) co_return false;
  // The head's views must survive the reading of the body, which moves the buffer.
  const std::string text(buffer_, begin_, *size);
  begin_ += *size;
  const HeadLimits limits{.max_fields = server_.options.max_fields,
                          .max_target_bytes = server_.options.max_target_bytes};
  auto head = ParseRequestHead(text, limits);
  if (!head) {
    co_await Refuse(head.error());
    co_return false;
  }
  Target target;
  if (head->target == "*") {
    target.path = "*";
  } else if (auto parsed = ParseTarget(head->target)) {
    target = std::move(*parsed);
  } else {
    co_await Refuse({400, "malformed target"});
    co_return false;
  }
  ++requests_;
  Request request;
  MakeRequest(*head, std::move(target), request);
  if (extra_ && !(server_.options.essential && server_.options.essential(request.path))) {
    co_await Refuse({503, "too many connections"});
    co_return false;
  }
  const BodyPlan plan = server_.body_planner ? server_.body_planner(request) : BodyPlan();
  if (head->content_length.value_or(0) > plan.limit) {
    co_await Refuse({413, "body too large"});
    co_return false;
  }
  BodySource source(*this, *head, plan.limit);
  struct Held {
    Connection& connection;
    ~Held() { connection.ReleaseHeld(); }
  } held{*this};
  if (plan.streamed) {
    request.body_reader = &source;
  } else if (!co_await GatherBody(source, request.body)) {
    co_return false;
  }
  co_return co_await Answer(*head, request, source);
}

Task<Response> Connection::RunHandler(Request& request) {
  try {
    co_return co_await server_.handler(request);
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    log::Failure("http.handler_failed", {{"request_id", request.request_id}, {"detail", error.what()}});
  } catch (const std::exception& error) {
    log::Failure("http.handler_failed", {{"request_id", request.request_id}, {"detail", error.what()}});
  }
  co_return MakeProblem(ErrorCode::kInternal, request.request_id);
}

Task<bool> Connection::Answer(const RequestHead& head, Request& request, BodySource& source) {
  const auto started = Clock::now();
  // The handler's own waits have deadlines; the client's patience is not ours to limit here.
  Enter(Phase::kAnswer, Clock::duration::max());
  Response response;
  if (request.path == "*") {
    response.status = 204;
    response.AddHeader("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  } else {
    response = co_await RunHandler(request);
  }
  if (request.body_reader && source.failed()) {
    if (source.refusal()) co_await Refuse(*source.refusal());
    co_return false;
  }
  body_left_ = !source.done();
  sent_ = 0;
  const bool keep = co_await Send(response, head, request.request_id);
  Note(request, response.status, started);
  co_return keep;
}

Task<bool> Connection::Send(Response& response, const RequestHead& head, std::string_view request_id) {
  const std::string_view body = response.static_body.empty() ? std::string_view(response.body) : response.static_body;
  ResponseHeadOptions options;
  options.close = !head.keep_alive || server_.draining || extra_ || body_left_;
  options.hsts = server_.options.hsts;
  options.date = server_.date;
  options.request_id = request_id;
  options.content_length = body.size();
  const bool bodiless = response.status == 204 || response.status == 304;
  if (bodiless) {
    options.framing = BodyFraming::kNone;
  } else if (response.stream) {
    options.framing = head.http_1_1 ? BodyFraming::kChunked : BodyFraming::kClose;
    options.close = options.close || !head.http_1_1;
    if (head.method != Method::kHead) co_return co_await SendStream(response, options);
  }
  out_.clear();
  AppendResponseHead(out_, response, options);
  // HTTP/1.0 clients close unless told otherwise.
  if (!head.http_1_1 && !options.close) out_.insert(out_.size() - 2, "Connection: keep-alive\r\n");
  const bool with_body = !bodiless && head.method != Method::kHead;
  const bool written = co_await WriteAll(out_, with_body ? body : std::string_view());
  if (options.close && written && (end_ > begin_ || body_left_)) co_await Linger();
  co_return written && !options.close;
}

/// Runs the stream as a child, so that it can be ended when the client leaves or the server stops.
Task<bool> Connection::SendStream(Response& response, ResponseHeadOptions& options) {
  out_.clear();
  AppendResponseHead(out_, response, options);
  if (!co_await WriteAll(out_)) co_return false;
  const bool chunked = options.framing == BodyFraming::kChunked;
  const auto executor = co_await asio::this_coro::executor;
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);

  StreamWriter writer(*this, chunked);
  endless_ = !response.farewell.empty();
  bool done = false, failed = false;
  asio::steady_timer finished(executor, asio::steady_timer::time_point::max());
  asio::cancellation_signal stop_watching;
  Enter(Phase::kStream, Clock::duration::max());
  auto ended = [&](const std::exception_ptr& failure) {
    done = true;
    failed = failure != nullptr;
    finished.cancel();
    stop_watching.emit(asio::cancellation_type::terminal);
  };
  asio::co_spawn(executor, response.stream(writer), asio::bind_cancellation_slot(stream_cancel_.slot(), ended));
  if (server_.draining) Drain();

  // Watches for the client's leaving. What else it sends is the next request, which has to wait.
  bool left = false;
  auto watch = [this, &done, &left]() -> Task<void> {
    while (!done) {
      error_code error;
      co_await socket_.async_wait(tcp::socket::wait_read, Redirected(error));
      if (done || error) co_return;
      if (end_ - begin_ >= Connection::kReadSize) co_return;
      if (buffer_.size() < end_ + Connection::kReadSize) buffer_.resize(end_ + Connection::kReadSize);
      const std::size_t count = socket_.read_some(asio::buffer(buffer_.data() + end_, Connection::kReadSize), error);
      end_ += count;
      if (error && error != asio::error::would_block) {
        left = true;
        stream_cancel_.emit(asio::cancellation_type::terminal);
        co_return;
      }
    }
  };
  bool watching = true;
  auto watched = [&](const std::exception_ptr&) {
    watching = false;
    finished.cancel();
  };
  asio::co_spawn(executor, watch(), asio::bind_cancellation_slot(stop_watching.slot(), watched));

  while (!done || watching) {
    error_code error;
    finished.expires_at(asio::steady_timer::time_point::max());
    co_await finished.async_wait(Redirected(error));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (!done && state.cancelled() != asio::cancellation_type::none) {
      stream_cancel_.emit(asio::cancellation_type::terminal);
    }
  }
  const auto cut = co_await asio::this_coro::cancellation_state;
  co_await asio::this_coro::throw_if_cancelled(throws);
  const bool ends = endless_ && server_.draining && !left && cut.cancelled() == asio::cancellation_type::none;
  endless_ = false;
  // A broken stream must look broken: no last chunk.
  if (failed && (!ends || writer.broken())) co_return false;
  if (ends) {
    const bool told = co_await SayFarewell(writer, response.farewell);
    if (!told) co_return false;
  }
  if (chunked && !co_await WriteAll("0\r\n\r\n")) co_return false;
  co_return !options.close && !server_.draining;
}

Task<bool> Connection::SayFarewell(BodyWriter& writer, std::string_view farewell) {
  try {
    co_await writer.Write(farewell);
  } catch (const boost::system::system_error&) {
    co_return false;
  }
  co_return true;
}

Task<bool> Connection::WriteAll(std::string_view first, std::string_view second) {
  error_code error;
  // A client must take something now and then, and on average not too little: who takes a byte a minute would hold an
  // answer, and with it its memory, for hours.
  const auto began = Clock::now();
  const std::uint64_t before = sent_;
  while (!first.empty() || !second.empty()) {
    const std::array<asio::const_buffer, 2> buffers = {asio::buffer(first), asio::buffer(second)};
    // Nearly every answer fits into the socket's buffer: no trip through the loop then.
    std::size_t count = socket_.write_some(buffers, error);
    if (error == asio::error::would_block) {
      const auto earned = std::chrono::seconds((sent_ - before) / server_.options.min_answer_bytes_per_second);
      deadline_ = std::min(Clock::now() + server_.options.idle_timeout, began + server_.options.idle_timeout + earned);
      count = co_await socket_.async_write_some(buffers, Redirected(error));
    }
    sent_ += count;
    if (error) co_return false;
    const std::size_t of_first = std::min(count, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(count - of_first);
  }
  co_return true;
}

Task<void> Connection::Refuse(const Refusal& refusal) {
  const std::string request_id = server_.NewRequestId();
  ErrorCode code = ErrorCode::kInvalidArgument;
  if (refusal.status == 408) code = ErrorCode::kTimeout;
  if (refusal.status == 503) code = ErrorCode::kOverloaded;
  if (refusal.status == 413 || refusal.status == 414 || refusal.status == 431) code = ErrorCode::kPayloadTooLarge;
  std::optional<std::chrono::milliseconds> retry_after;
  if (refusal.status == 503) retry_after = kRetryAfter;
  Response response = MakeProblem(refusal.status, ToString(code), ReasonOf(refusal.status), request_id, retry_after);
  if (server_.options.access_log) {
    log::Info(
        "http.refused",
        {{"request_id", request_id}, {"status", refusal.status}, {"reason", refusal.reason}, {"client", peer_text_}});
  }
  if (server_.seconds) server_.answers[static_cast<std::size_t>(refusal.status / 100)]->Add();
  Enter(Phase::kLinger, kLingerTime);
  ResponseHeadOptions options;
  options.close = true;
  options.hsts = server_.options.hsts;
  options.date = server_.date;
  options.request_id = request_id;
  options.content_length = response.body.size();
  out_.clear();
  AppendResponseHead(out_, response, options);
  if (co_await WriteAll(out_, response.body)) co_await Linger();
}

/// Closing while the client still sends would make its system throw our answer away (RFC 9112 section 9.6).
Task<void> Connection::Linger() {
  error_code error;
  socket_.shutdown(tcp::socket::shutdown_send, error);
  Enter(Phase::kLinger, kLingerTime);
  std::array<char, 4096> scrap;
  std::size_t taken = 0;
  while (!error && taken < kMaxLingerBytes) {
    taken += co_await socket_.async_read_some(asio::buffer(scrap), Redirected(error));
  }
}

void Connection::Note(const Request& request, int status, Clock::time_point started) {
  const auto duration = Clock::now() - started;
  if (server_.seconds) {
    server_.answers[static_cast<std::size_t>(std::clamp(status / 100, 0, 5))]->Add();
    server_.seconds->Observe(std::chrono::duration<double>(duration).count());
  }
  if (!server_.options.access_log) return;
  constexpr std::array<std::string_view, 8> kNames = {"GET",   "HEAD",   "POST",    "PUT",
                                                      "PATCH", "DELETE", "OPTIONS", "OTHER"};
  log::Info("http.request", {{"request_id", request.request_id},
                             {"method", kNames[static_cast<std::size_t>(request.method)]},
                             {"path", request.path},
                             {"status", status},
                             {"bytes", sent_},
                             {"duration_us", std::chrono::duration_cast<std::chrono::microseconds>(duration).count()},
                             {"client", request.client_address}});
}

}  // namespace latchkey::http
