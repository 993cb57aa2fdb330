#include <cstring>
#include <unordered_map>

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>
#include <boost/asio/steady_timer.hpp>

#include "simulator/http/protocol.hpp"

namespace latchkey::simulator {
namespace {

constexpr std::uint32_t kMaxConcurrentStreams = 256;
constexpr std::int32_t kStreamWindow = 1 << 20;
constexpr std::int32_t kConnectionWindow = 16 << 20;
constexpr std::chrono::milliseconds kDripPeriod{20};
constexpr std::chrono::milliseconds kCutDelay{5};

struct SessionDeleter {
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};

class Http2;

/// One request and its response.
struct Stream {
  std::int32_t id = 0;
  Request request;
  std::string path;
  std::size_t header_bytes = 0;
  Response response;
  std::size_t sent = 0;
  std::size_t allowed = 0;  ///< Body bytes the data source may give now; grows while dripping.
  std::size_t end = 0;      ///< Where the body ends, or is cut.
  bool cut = false;
  std::unique_ptr<boost::asio::steady_timer> timer;
};

/// HTTP/2 by nghttp2 (RFC 9113). All requests that arrived in one read are answered into one write.
class Http2 final : public Protocol {
 public:
  Http2(ProtocolHost& host, Handler& handler) : host_(host), handler_(handler) {
    static nghttp2_session_callbacks* const callbacks = MakeCallbacks();
    nghttp2_session* session = nullptr;
    if (nghttp2_session_server_new(&session, callbacks, this) != 0) throw std::bad_alloc();
    session_.reset(session);
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kMaxConcurrentStreams},
                                               {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow}};
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, std::size(settings));
    nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
  }

  bool Receive(std::string_view bytes) override {
    const auto used =
        nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (used < 0) broken_ = true;
    return used >= 0;
  }

  void Produce(std::string& out) override {
    out_ = &out;
    if (nghttp2_session_send(session_.get()) != 0) broken_ = true;
    out_ = nullptr;
  }

  bool WantsInput() const override { return true; }
  bool Finished() const override {
    return broken_ || (!nghttp2_session_want_read(session_.get()) && !nghttp2_session_want_write(session_.get()));
  }
  void Drain() override {
    nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_.get()),
                          NGHTTP2_NO_ERROR, nullptr, 0);
    host_.Flush();
  }

 private:
  static Http2& Self(void* user_data) { return *static_cast<Http2*>(user_data); }
  static Stream* Find(nghttp2_session* session, std::int32_t id) {
    return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }

  static nghttp2_session_callbacks* MakeCallbacks() {
    nghttp2_session_callbacks* callbacks = nullptr;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) throw std::bad_alloc();
    nghttp2_session_callbacks_set_send_callback(callbacks, &OnSend);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, &OnSendData);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &OnDataChunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &OnStreamClose);
    return callbacks;
  }

  static ssize_t OnSend(nghttp2_session*, const std::uint8_t* data, std::size_t size, int, void* user_data) {
    std::string& out = *Self(user_data).out_;
    if (out.size() >= kWriteBatchBytes) return NGHTTP2_ERR_WOULDBLOCK;
    out.append(reinterpret_cast<const char*>(data), size);
    return static_cast<ssize_t>(size);
  }

  /// Copies body bytes straight from the response into the write buffer, without nghttp2's own buffer in between.
  static int OnSendData(nghttp2_session*, nghttp2_frame*, const std::uint8_t* header, std::size_t size,
                        nghttp2_data_source* source, void* user_data) {
    std::string& out = *Self(user_data).out_;
    if (out.size() >= kWriteBatchBytes) return NGHTTP2_ERR_WOULDBLOCK;
    Stream& stream = *static_cast<Stream*>(source->ptr);
    out.append(reinterpret_cast<const char*>(header), 9);
    out.append(stream.response.body, stream.sent, size);
    stream.sent += size;
    return 0;
  }

  static int OnBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    auto stream = std::make_unique<Stream>();
    stream->id = frame->hd.stream_id;
    nghttp2_session_set_stream_user_data(session, stream->id, stream.get());
    Self(user_data).streams_.emplace(stream->id, std::move(stream));
    return 0;
  }

  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name_data,
                      std::size_t name_size, const std::uint8_t* value_data, std::size_t value_size, std::uint8_t,
                      void*) {
    Stream* stream = Find(session, frame->hd.stream_id);
    // Trailers belong to no part of a request that any handler reads.
    if (!stream || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    const std::string_view name(reinterpret_cast<const char*>(name_data), name_size);
    const std::string_view value(reinterpret_cast<const char*>(value_data), value_size);
    stream->header_bytes += name_size + value_size;
    if (stream->header_bytes > kMaxHeaderBytes) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (name == ":method") {
      stream->request.method = value;
    } else if (name == ":path") {
      stream->path = value;
    } else if (name == ":authority") {
      stream->request.host = value;
    } else if (!name.starts_with(':')) {
      stream->request.headers.Add(std::string(name), std::string(value));
    }
    return 0;
  }

  static int OnDataChunk(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                         std::size_t size, void*) {
    Stream* stream = Find(session, id);
    if (!stream) return 0;
    if (stream->request.body.size() + size > kMaxBodyBytes) {
      return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_ENHANCE_YOUR_CALM);
    }
    stream->request.body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }

  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) return 0;
    if (Stream* stream = Find(session, frame->hd.stream_id)) Self(user_data).Dispatch(*stream);
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, std::int32_t id, std::uint32_t, void* user_data) {
    Self(user_data).streams_.erase(id);
    return 0;
  }

  void Dispatch(Stream& stream) {
    Request& request = stream.request;
    request.scheme = host_.secure() ? "https" : "http";
    request.from_loopback = host_.from_loopback();
    request.SetTarget(std::move(stream.path));
    if (request.host.empty()) request.host = request.headers.Get("host");
    stream.response = handler_.Handle(request);
    if (!stream.response.deferred) return Deliver(stream);
    const std::shared_ptr<Deferred> deferred = stream.response.deferred;
    deferred->Then([this, life = std::weak_ptr<int>(life_), id = stream.id](Response answer) {
      if (life.expired()) return;
      const auto found = streams_.find(id);
      if (found == streams_.end()) return;
      found->second->response = std::move(answer);
      Deliver(*found->second);
      host_.Flush();
    });
  }

  void Deliver(Stream& stream) {
    const Delivery& delivery = stream.response.delivery;
    if (delivery.delay.count() <= 0) return Start(stream);
    Later(stream, delivery.delay, [](Http2& self, Stream& delayed) { self.Start(delayed); });
  }

  /// Runs `action` on the stream if both still exist by then. The timer belongs to the stream and dies with it.
  template <class Action>
  void Later(Stream& stream, std::chrono::milliseconds delay, Action action) {
    if (!stream.timer) stream.timer = std::make_unique<boost::asio::steady_timer>(host_.executor());
    stream.timer->expires_after(delay);
    stream.timer->async_wait(
        [this, life = std::weak_ptr<int>(life_), id = stream.id, action](boost::system::error_code error) {
          if (error || life.expired()) return;
          const auto found = streams_.find(id);
          if (found == streams_.end()) return;
          action(*this, *found->second);
          host_.Flush();
        });
  }

  void Start(Stream& stream) {
    Response& response = stream.response;
    if (response.delivery.reset == Delivery::Reset::kConnection) return host_.Abort();
    if (response.delivery.reset == Delivery::Reset::kStream) return ResetStream(stream);

    const bool has_body = response.status != 204 && response.status != 304 && stream.request.method != "HEAD";
    std::vector<nghttp2_nv> fields;
    fields.reserve(8);
    const auto add = [&](std::string_view name, std::string_view value) {
      fields.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                        reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                        NGHTTP2_NV_FLAG_NONE});
    };
    const fmt::format_int status(response.status);
    const fmt::format_int length(response.body.size());
    add(":status", {status.data(), status.size()});
    // nghttp2 copies names and values and makes names lower case as HTTP/2 demands.
    for (const auto& field : response.headers) add(field.name, field.value);
    if (has_body) add("content-length", {length.data(), length.size()});
    add("date", HttpDate());

    stream.end = has_body ? response.body.size() : 0;
    if (response.delivery.truncate_after && *response.delivery.truncate_after < stream.end) {
      stream.end = *response.delivery.truncate_after;
      stream.cut = true;
    }
    stream.allowed = stream.end;
    if (response.delivery.bytes_per_second > 0) {
      stream.allowed = 0;
      Drip(stream);
    }
    nghttp2_data_provider provider{};
    provider.source.ptr = &stream;
    provider.read_callback = &OnRead;
    nghttp2_submit_response(session_.get(), stream.id, fields.data(), fields.size(),
                            stream.end > 0 || stream.cut ? &provider : nullptr);
  }

  static ssize_t OnRead(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t length, std::uint32_t* flags,
                        nghttp2_data_source* source, void* user_data) {
    Stream& stream = *static_cast<Stream*>(source->ptr);
    const std::size_t available = std::min(length, stream.allowed - stream.sent);
    const bool last = stream.sent + available == stream.end;
    if (last && !stream.cut) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (available == 0) {
      // Clients drop what they have not yet read when a reset comes along with it, so the cut follows a little later.
      if (last) Self(user_data).Later(stream, kCutDelay, [](Http2& self, Stream& cut) { self.ResetStream(cut); });
      return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    return static_cast<ssize_t>(available);
  }

  void Drip(Stream& stream) {
    const std::size_t share =
        std::max<std::size_t>(1, stream.response.delivery.bytes_per_second * kDripPeriod.count() / 1000);
    stream.allowed = std::min(stream.end, stream.allowed + share);
    nghttp2_session_resume_data(session_.get(), stream.id);
    if (stream.allowed < stream.end) Later(stream, kDripPeriod, [](Http2& self, Stream& slow) { self.Drip(slow); });
  }

  void ResetStream(const Stream& stream) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_INTERNAL_ERROR);
  }

  ProtocolHost& host_;
  Handler& handler_;
  std::shared_ptr<int> life_ = std::make_shared<int>(0);
  std::unordered_map<std::int32_t, std::unique_ptr<Stream>> streams_;
  std::unique_ptr<nghttp2_session, SessionDeleter> session_;
  std::string* out_ = nullptr;
  bool broken_ = false;
};

}  // namespace

std::unique_ptr<Protocol> MakeHttp2(ProtocolHost& host, Handler& handler) {
  return std::make_unique<Http2>(host, handler);
}

}  // namespace latchkey::simulator
