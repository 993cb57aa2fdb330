#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "http/chunked_body.hpp"
#include "http/connection.hpp"

namespace latchkey::http {

/// The body of a connection's present request, read when it is asked for. Lives in the frame that serves the request.
class Connection::BodySource final : public BodyReader {
 public:
  /// `head` must outlive it; a length beyond `limit` was refused before.
  BodySource(Connection& connection, const RequestHead& head, std::size_t limit);

  Task<Result<std::string_view>> Read() override;

  bool done() const { return done_; }
  bool failed() const { return failed_; }
  /// What to answer when it failed; nullopt when there is nobody left to answer.
  const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  /// Takes what is in the connection's buffer; false when the body breaks the rules.
  bool TakeBuffered();
  std::unexpected<Error> Broken();

  Connection& connection_;
  const RequestHead& head_;
  ChunkedBody chunks_;
  std::uint64_t left_ = 0;  ///< Of a body with a length.
  std::uint64_t received_ = 0;
  std::string piece_;
  /// Time spent waiting for the client; what the receiver takes does not count against it.
  Clock::duration waited_{};
  bool started_ = false, done_ = false, failed_ = false;
  std::optional<Refusal> refusal_;
};

}  // namespace latchkey::http
