#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>

#include "async/task.hpp"
#include "async/timer.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "events/event.hpp"
#include "http/event_stream.hpp"
#include "identity/sessions.hpp"

namespace latchkey::api {

class SessionCache;

/// The open event streams. Rows of the events table are the truth; Wake() only makes a stream look at once. A stream
/// ends with its session: at once when that ended in this process, within five seconds when elsewhere. Loop thread
/// only.
class EventStreams {
 public:
  static constexpr std::size_t kMaxPerUser = 32;

  EventStreams(Executor executor, events::EventStore& store, SessionCache& sessions)
      : executor_(std::move(executor)), store_(store), sessions_(sessions) {}

  /// Something new may be there for this user; an empty id stands for everybody.
  void Wake(const UserId& user);
  void EndSession(const SessionId& session);
  void EndUser(const UserId& user);

  struct Stream {
    UserId user;
    SessionId session;
    Signal signal;
    bool ended = false;
    Stream(UserId user_id, SessionId session_id, Executor executor)
        : user(std::move(user_id)), session(std::move(session_id)), signal(std::move(executor)) {}
  };
  /// kTooManyRequests when this user has kMaxPerUser streams already.
  Result<std::shared_ptr<Stream>> Open(const UserId& user, const SessionId& session);

  /// Sends events after `position` until the session ends or the client leaves (then it throws).
  Task<void> Run(std::shared_ptr<Stream> stream, SecretString cookie, std::int64_t position, bool resync,
                 http::EventWriter& writer);

  std::size_t size() const { return streams_.size(); }

 private:
  Task<bool> SendNew(const Stream& stream, std::int64_t& position, http::EventWriter& writer);

  Executor executor_;
  events::EventStore& store_;
  SessionCache& sessions_;
  std::list<std::weak_ptr<Stream>> streams_;
};

}  // namespace latchkey::api
