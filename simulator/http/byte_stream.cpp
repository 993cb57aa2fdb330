#include "simulator/http/byte_stream.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

namespace latchkey::simulator {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(tcp::socket socket) : socket_(std::move(socket)) {}

  void Handshake(Done done) override {
    boost::asio::post(socket_.get_executor(), [done = std::move(done)]() mutable { done(error_code(), 0); });
  }
  void ReadSome(boost::asio::mutable_buffer buffer, Done done) override {
    socket_.async_read_some(buffer, std::move(done));
  }
  void WriteAll(boost::asio::const_buffer buffer, Done done) override {
    boost::asio::async_write(socket_, buffer, std::move(done));
  }
  bool NegotiatedHttp2() const override { return false; }
  bool secure() const override { return false; }
  tcp::socket& socket() override { return socket_; }

 private:
  tcp::socket socket_;
};

class TlsStream final : public ByteStream {
 public:
  TlsStream(tcp::socket socket, boost::asio::ssl::context& context) : stream_(std::move(socket), context) {}

  void Handshake(Done done) override {
    stream_.async_handshake(boost::asio::ssl::stream_base::server,
                            [done = std::move(done)](error_code error) mutable { done(error, 0); });
  }
  void ReadSome(boost::asio::mutable_buffer buffer, Done done) override {
    stream_.async_read_some(buffer, std::move(done));
  }
  void WriteAll(boost::asio::const_buffer buffer, Done done) override {
    boost::asio::async_write(stream_, buffer, std::move(done));
  }
  bool NegotiatedHttp2() const override {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(const_cast<boost::asio::ssl::stream<tcp::socket>&>(stream_).native_handle(), &name, &size);
    return std::string_view(reinterpret_cast<const char*>(name), size) == "h2";
  }
  bool secure() const override { return true; }
  tcp::socket& socket() override { return stream_.next_layer(); }

 private:
  boost::asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

std::unique_ptr<ByteStream> MakePlainStream(tcp::socket socket) {
  return std::make_unique<PlainStream>(std::move(socket));
}

std::unique_ptr<ByteStream> MakeTlsStream(tcp::socket socket, boost::asio::ssl::context& context) {
  return std::make_unique<TlsStream>(std::move(socket), context);
}

}  // namespace latchkey::simulator
