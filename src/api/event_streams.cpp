#include "api/event_streams.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <string>
#include <vector>

#include "api/handlers.hpp"
#include "api/session_cache.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "telemetry/log.hpp"

namespace latchkey::api {
namespace {

/// Sessions must end everywhere within five seconds; the session cache may be two seconds behind.
constexpr std::chrono::milliseconds kLookInterval{1500};
constexpr int kBatch = 200;
constexpr std::chrono::milliseconds kReconnectAfter{1000};

/// More changed messages than this are told as one event without ids: the browser asks for the list anyway.
constexpr std::size_t kNamedMessages = 10;

std::string_view TextOf(const boost::json::object& payload, std::string_view name) {
  const auto* value = payload.if_contains(name);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

void WriteProgress(json::Writer& out, const boost::json::object& payload) {
  const auto number = [&](std::string_view name) {
    const auto* value = payload.if_contains(name);
    return value && value->is_int64() ? value->get_int64() : 0;
  };
  out.Key("progress").BeginObject().Member("stage", TextOf(payload, "stage")).Member("done", number("done"));
  out.Key("total");
  if (number("total") > 0) {
    out.Value(number("total"));
  } else {
    out.Null();
  }
  out.Key("rate").Null().Key("eta_seconds").Null().EndObject();
}

// One StreamEvent of the contract; `message` is empty where none is named.
std::string EventText(const events::Event& event, const boost::json::object& payload, std::string_view message) {
  json::Writer out;
  out.BeginObject().Member("type", event.type);
  const auto account = event.account_id.empty() ? TextOf(payload, "account_id") : event.account_id.text();
  if (!account.empty()) out.Member("account_id", account);
  if (!message.empty()) out.Member("message_id", message);
  if (event.type == "connect.finished") out.Member("attempt_id", TextOf(payload, "attempt_id"));
  if (event.type == "outbox.changed") out.Member("outbox_id", TextOf(payload, "outbox_id"));
  if (event.type == "sync.progress") WriteProgress(out, payload);
  if (const auto calendar = TextOf(payload, "calendar_id"); !calendar.empty()) out.Member("calendar_id", calendar);
  out.EndObject();
  return out.Take();
}

// What a row says to a browser: usually one event, for a few changed messages one each.
std::vector<std::string> EventTexts(const events::Event& event) {
  // The end of a session is told to that session alone, by its own stream.
  if (event.type == "session.ended") return {};
  auto parsed = json::Parse(event.payload);
  const boost::json::object nothing;
  const auto& payload = parsed && parsed->is_object() ? parsed->get_object() : nothing;
  const auto* ids = payload.if_contains("ids");
  if (ids == nullptr || !ids->is_array() || ids->get_array().size() > kNamedMessages) {
    return {EventText(event, payload, {})};
  }
  std::vector<std::string> out;
  for (const auto& id : ids->get_array()) {
    if (id.is_string()) out.push_back(EventText(event, payload, std::string_view(id.get_string())));
  }
  return out;
}

}  // namespace

void EventStreams::Wake(const UserId& user) {
  for (const auto& weak : streams_) {
    if (const auto stream = weak.lock(); stream && (user.empty() || stream->user == user)) stream->signal.Raise();
  }
}

void EventStreams::EndSession(const SessionId& session) {
  for (const auto& weak : streams_) {
    const auto stream = weak.lock();
    if (!stream || stream->session != session) continue;
    stream->ended = true;
    stream->signal.Raise();
  }
}

void EventStreams::EndUser(const UserId& user) {
  for (const auto& weak : streams_) {
    const auto stream = weak.lock();
    if (!stream || stream->user != user) continue;
    stream->ended = true;
    stream->signal.Raise();
  }
}

Result<std::shared_ptr<EventStreams::Stream>> EventStreams::Open(const UserId& user, const SessionId& session) {
  std::size_t own = 0;
  streams_.remove_if([&](const std::weak_ptr<Stream>& weak) {
    const auto stream = weak.lock();
    if (stream && stream->user == user) ++own;
    return !stream;
  });
  if (own >= kMaxPerUser) {
    return Fail(Error{.code = ErrorCode::kTooManyRequests,
                      .detail = "too many open streams",
                      .retry_after = std::chrono::seconds(5)});
  }
  auto stream = std::make_shared<Stream>(user, session, executor_);
  streams_.push_back(stream);
  return stream;
}

Task<bool> EventStreams::SendNew(const Stream& stream, std::int64_t& position, http::EventWriter& writer) {
  for (;;) {
    auto events = co_await store_.ListAfter(stream.user, position, kBatch);
    if (!events && events.error().code == ErrorCode::kGone) {
      auto latest = co_await store_.LatestId(stream.user);
      if (!latest) co_return false;
      position = *latest;
      const auto id = std::to_string(position);
      const http::ServerSentEvent event{.id = id, .type = "resync", .data = R"({"type":"resync"})"};
      co_await writer.Send(event);
      continue;
    }
    // A store that does not answer ends the stream; the browser comes back with the position it has.
    if (!events) co_return false;
    for (const auto& row : *events) {
      const auto id = std::to_string(row.id);
      for (const auto& data : EventTexts(row)) {
        const http::ServerSentEvent event{.id = id, .type = row.type, .data = data};
        co_await writer.Send(event);
      }
      position = row.id;
    }
    if (events->size() < kBatch) co_return true;
  }
}

Task<void> EventStreams::Run(std::shared_ptr<Stream> stream, SecretString cookie, std::int64_t position, bool resync,
                             http::EventWriter& writer) {
  if (resync) {
    const auto id = std::to_string(position);
    const http::ServerSentEvent event{.id = id, .type = "resync", .data = R"({"type":"resync"})"};
    co_await writer.Send(event);
  }
  auto quiet_since = std::chrono::steady_clock::now();
  for (;;) {
    if (!stream->ended) {
      auto session = co_await sessions_.Authenticate(cookie);
      stream->ended = !session && session.error().code == ErrorCode::kUnauthenticated;
    }
    if (stream->ended) {
      const http::ServerSentEvent event{.id = {}, .type = "session.ended", .data = R"({"type":"session.ended"})"};
      co_await writer.Send(event);
      co_return;
    }
    const auto before = position;
    const bool going = co_await SendNew(*stream, position, writer);
    if (!going) co_return;
    const auto now = std::chrono::steady_clock::now();
    if (position != before) {
      quiet_since = now;
    } else if (now - quiet_since >= http::kHeartbeatInterval) {
      co_await writer.Heartbeat();
      quiet_since = now;
    }
    co_await stream->signal.Wait(kLookInterval);
  }
}

Answer StreamEvents(Call& call) {
  auto& streams = call.services.streams;
  auto latest = co_await call.services.events.LatestId(call.user().id);
  if (!latest) co_return Fail(latest.error());
  std::int64_t position = *latest;
  bool resync = false;
  if (const auto last = call.request.FindHeader("Last-Event-ID")) {
    std::int64_t seen = 0;
    const auto [end, error] = std::from_chars(last->data(), last->data() + last->size(), seen);
    // A position that we cannot have given is answered like one that is too old.
    resync = error != std::errc() || end != last->data() + last->size() || seen < 0 || seen > *latest;
    if (!resync) position = seen;
  }
  auto stream = streams.Open(call.user().id, call.session->session.id);
  if (!stream) co_return Fail(stream.error());
  const auto cookie_text =
      call.request.FindCookie(identity::Sessions::CookieName(call.services.site.https)).value_or("");
  SecretString cookie{std::string(cookie_text)};
  // A plain function that starts the coroutine with copies: the coroutine must not look into this closure.
  std::function<Task<void>(http::EventWriter&)> produce = [&streams, stream = *stream, cookie, position,
                                                           resync](http::EventWriter& writer) {
    return streams.Run(stream, cookie, position, resync, writer);
  };
  co_return http::MakeEventStream(kReconnectAfter, std::move(produce));
}

}  // namespace latchkey::api
