#include "http/chunked_body.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace latchkey::http {

namespace bh = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

class ChunkedBody::Parser : public bh::basic_parser<true> {
 public:
  explicit Parser(std::size_t limit) {
    eager(true);
    body_limit(limit);
  }

  std::string body;
  bool head_done = false;

 private:
  static error_code Refused() { return bh::make_error_code(bh::error::bad_chunk_extension); }

  void on_request_impl(bh::verb, string_view, string_view, int, error_code& error) override { error = {}; }
  void on_response_impl(int, string_view, int, error_code& error) override { error = {}; }
  void on_field_impl(bh::field, string_view, string_view, error_code& error) override {
    // After the head this can only be a trailer.
    error = head_done ? Refused() : error_code();
  }
  void on_header_impl(error_code& error) override {
    head_done = true;
    error = {};
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code& error) override { error = {}; }
  std::size_t on_body_impl(string_view bytes, error_code& error) override {
    error = {};
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view extensions, error_code& error) override {
    error = extensions.empty() ? error_code() : Refused();
  }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& error) override {
    return on_body_impl(bytes, error);
  }
  void on_finish_impl(error_code& error) override { error = {}; }
};

ChunkedBody::ChunkedBody(std::size_t limit) : parser_(std::make_unique<Parser>(limit)) {
  // The real head was read by ParseRequestHead; Beast only needs to know what follows.
  constexpr std::string_view kHead = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  error_code error;
  parser_->put(boost::asio::buffer(kHead), error);
}

ChunkedBody::~ChunkedBody() = default;

std::expected<std::size_t, Refusal> ChunkedBody::Feed(std::string_view bytes) {
  error_code error;
  const std::size_t used = parser_->put(boost::asio::buffer(bytes), error);
  if (!error || error == bh::error::need_more) return used;
  if (error == bh::error::body_limit) return std::unexpected(Refusal{413, "body too large"});
  return std::unexpected(Refusal{400, "malformed chunk"});
}

bool ChunkedBody::done() const { return parser_->is_done(); }

std::string& ChunkedBody::body() { return parser_->body; }

}  // namespace latchkey::http
