// The floor under a list request: a bare Beast server that answers GET /list with 50 rows of one SQLite query as JSON,
// and nothing else. usage: bench_http_floor DATABASE      (prints its port, serves until killed)
#include <sqlite3.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <iostream>
#include <memory>
#include <string>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

namespace {

class Rows {
 public:
  explicit Rows(const char* path) {
    sqlite3_open(path, &db_);
    sqlite3_exec(
        db_,
        "CREATE TABLE IF NOT EXISTS m(id INTEGER PRIMARY KEY, sender TEXT, subject TEXT, snippet TEXT, at INTEGER);"
        "DELETE FROM m;"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<2000) INSERT INTO m SELECT i, "
        "'Ada Example <ada'||i||'@example.com>', 'Subject number '||i, 'The first words of the message, as a list "
        "shows them, '||i, i FROM n;"
        "CREATE INDEX IF NOT EXISTS m_at ON m(at DESC);",
        nullptr, nullptr, nullptr);
    sqlite3_prepare_v2(db_, "SELECT id, sender, subject, snippet, at FROM m ORDER BY at DESC LIMIT 50", -1, &query_,
                       nullptr);
  }

  std::string Json() {
    std::string out = "{\"items\":[";
    bool first = true;
    while (sqlite3_step(query_) == SQLITE_ROW) {
      if (!std::exchange(first, false)) out += ',';
      out += "{\"id\":";
      out += reinterpret_cast<const char*>(sqlite3_column_text(query_, 0));
      for (int i = 1; i < 4; ++i) {
        constexpr const char* kNames[] = {"", ",\"from\":\"", ",\"subject\":\"", ",\"snippet\":\""};
        out += kNames[i];
        out += reinterpret_cast<const char*>(sqlite3_column_text(query_, i));
        out += '"';
      }
      out += ",\"at\":";
      out += reinterpret_cast<const char*>(sqlite3_column_text(query_, 4));
      out += '}';
    }
    sqlite3_reset(query_);
    return out + "]}";
  }

 private:
  sqlite3* db_ = nullptr;
  sqlite3_stmt* query_ = nullptr;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Rows& rows) : socket_(std::move(socket)), rows_(rows) {}

  void Read() {
    request_ = {};
    http::async_read(socket_, buffer_, request_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error) self->Answer();
    });
  }

 private:
  void Answer() {
    response_ = {http::status::ok, request_.version()};
    response_.set(http::field::content_type, "application/json");
    response_.body() = rows_.Json();
    response_.keep_alive(true);
    response_.prepare_payload();
    http::async_write(socket_, response_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error) self->Read();
    });
  }

  tcp::socket socket_;
  Rows& rows_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

void Accept(tcp::acceptor& acceptor, Rows& rows) {
  acceptor.async_accept([&](boost::system::error_code error, tcp::socket socket) {
    if (!error) {
      socket.set_option(tcp::no_delay(true));
      std::make_shared<Session>(std::move(socket), rows)->Read();
    }
    Accept(acceptor, rows);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Rows rows(argv[1]);
  asio::io_context context(1);
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  std::cout << acceptor.local_endpoint().port() << std::endl;
  Accept(acceptor, rows);
  context.run();
}
