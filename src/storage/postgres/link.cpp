#include "storage/postgres/link.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "storage/postgres/failure.hpp"

namespace latchkey::storage::postgres {
namespace {

constexpr std::string_view kConnecting = "connecting";

PGconn* StartConnecting(const Address& address) {
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : address.parameters()) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  return PQconnectStartParams(keywords.data(), values.data(), 0);
}

}  // namespace

/// The socket in the loop's eyes: a descriptor of its own, so that libpq may close its one whenever it likes. A wait
/// that has begun goes on until it is answered, also over several of our waits.
struct Link::Watch : std::enable_shared_from_this<Link::Watch> {
  Watch(boost::asio::io_context& context, int socket, int copy, Sleeper& owner)
      : descriptor(context, copy), of(socket), sleeper(&owner) {}

  void Arm(boost::asio::posix::descriptor_base::wait_type type) {
    bool& armed = type == boost::asio::posix::descriptor_base::wait_read ? reads : writes;
    if (armed) return;
    armed = true;
    descriptor.async_wait(type, [self = shared_from_this(), &armed](const boost::system::error_code&) {
      armed = false;
      if (self->sleeper) self->sleeper->Wake();
    });
  }

  boost::asio::posix::stream_descriptor descriptor;
  const int of;
  Sleeper* sleeper;
  bool reads = false, writes = false;
};

Link::~Link() { Close(); }

void Link::Close() noexcept {
  if (watch_) {
    watch_->sleeper = nullptr;
    boost::system::error_code ignored;
    watch_->descriptor.close(ignored);
    watch_.reset();
  }
  // Says goodbye as far as it can without waiting, and closes the socket.
  if (connection_) PQfinish(std::exchange(connection_, nullptr));
}

void Link::Abandon(std::string_view doing) {
  Close();
  if (loop_.stopping) {
    throw PostgresError(ErrorCode::kStorageUnavailable, PostgresError::Fate::kTimeout, {}, "the program is stopping");
  }
  throw TimedOut(doing);
}

void Link::Lose(std::string_view doing) {
  const PostgresError lost = LostConnection(connection_, doing);
  Close();
  throw lost;
}

void Link::WatchSocket() {
  const int socket = PQsocket(connection_);
  if (socket < 0) Lose(kConnecting);
  if (watch_ && watch_->of == socket) return;
  if (watch_) {
    watch_->sleeper = nullptr;
    boost::system::error_code ignored;
    watch_->descriptor.close(ignored);
  }
  const int copy = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) {
    const std::string why = std::strerror(errno);
    Close();
    throw PostgresError(ErrorCode::kOverloaded, PostgresError::Fate::kLost, {},
                        "no descriptor for the database: " + why);
  }
  watch_ = std::make_shared<Watch>(loop_.context, socket, copy, sleeper_);
}

bool Link::Await(bool read, bool write, TimePoint deadline) {
  using boost::asio::posix::descriptor_base;
  if (read) watch_->Arm(descriptor_base::wait_read);
  if (write) watch_->Arm(descriptor_base::wait_write);
  return sleeper_.SleepUntil(deadline) && !loop_.stopping;
}

void Link::Start(const Address& address, TimePoint deadline) {
  if (address.numeric() || !loop_.helpers) {
    connection_ = StartConnecting(address);
    return;
  }
  // Finding the host may take as long as a name server likes. Nobody waits longer than the deadline; what comes later
  // is closed by whoever comes last.
  struct Attempt {
    ~Attempt() {
      if (connection) PQfinish(connection);
    }
    PGconn* connection = nullptr;
    bool done = false;
  };
  auto attempt = std::make_shared<Attempt>();
  auto awake = std::make_shared<Sleeper*>(&sleeper_);
  boost::asio::post(*loop_.helpers, [attempt, awake, address, &context = loop_.context]() mutable {
    PGconn* connection = StartConnecting(address);
    boost::asio::post(context, [attempt = std::move(attempt), awake = std::move(awake), connection] {
      attempt->connection = connection;
      attempt->done = true;
      if (*awake) (*awake)->Wake();
    });
  });
  bool in_time = true;
  while (!attempt->done && in_time) in_time = sleeper_.SleepUntil(deadline) && !loop_.stopping;
  *awake = nullptr;
  if (!attempt->done) Abandon(kConnecting);
  connection_ = std::exchange(attempt->connection, nullptr);
}

void Link::Open(const Address& address, TimePoint deadline) {
  Close();
  Start(address, deadline);
  if (!connection_ || PQstatus(connection_) == CONNECTION_BAD) Lose(kConnecting);
  PQsetNoticeProcessor(connection_, [](void*, const char*) {}, nullptr);
  for (auto step = PGRES_POLLING_WRITING; step != PGRES_POLLING_OK; step = PQconnectPoll(connection_)) {
    if (step == PGRES_POLLING_FAILED) Lose(kConnecting);
    WatchSocket();
    if (!Await(step == PGRES_POLLING_READING, step == PGRES_POLLING_WRITING, deadline) &&
        (loop_.stopping || std::chrono::steady_clock::now() >= deadline)) {
      Abandon(kConnecting);
    }
  }
  WatchSocket();
  if (PQsetnonblocking(connection_, 1) != 0) Lose(kConnecting);
}

ResultPtr Link::Next(TimePoint deadline, std::string_view doing) {
  if (!connection_) Lose(doing);
  for (;;) {
    const int unsent = PQflush(connection_);
    if (!PQisBusy(connection_)) return ResultPtr(PQgetResult(connection_));
    // A server that hangs up says why first: what it said is read before the connection is given up.
    if (unsent < 0) {
      if (!PQconsumeInput(connection_) || PQisBusy(connection_)) Lose(doing);
      continue;
    }
    if (!Await(true, unsent > 0, deadline)) Abandon(doing);
    if (!PQconsumeInput(connection_) && PQisBusy(connection_)) Lose(doing);
  }
}

bool Link::Receive(TimePoint deadline, std::string_view doing) {
  if (!connection_) Lose(doing);
  const bool woken = Await(true, false, deadline);
  if (loop_.stopping) Abandon(doing);
  if (!PQconsumeInput(connection_)) Lose(doing);
  return woken;
}

}  // namespace latchkey::storage::postgres
