#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "simulator/http/message.hpp"

namespace latchkey::simulator {

/// A request the simulator makes by itself: a Pub/Sub push, a message of a Calendar channel, Graph's validation of a
/// notification URL.
struct OutgoingRequest {
  std::string method = "POST";
  std::string url;  ///< Absolute, http or https.
  Headers headers;  ///< Host, Content-Length and Connection are added.
  std::string body;
  std::chrono::milliseconds deadline{10'000};  ///< For all of it, connecting included. The machine's time.
};

/// What came of it.
struct OutgoingAnswer {
  int status = 0;  ///< 0: there was no answer, `problem` says why.
  Headers headers;
  std::string body;     ///< At most 1 MiB; a longer one counts as no answer.
  std::string problem;  ///< A sentence without the request's header fields, for control views.
};

/// The way out, shared by everything that notifies. Code that posts takes an Outgoing&; HttpOutgoing
/// (http/http_outgoing.hpp) really sends, tests use a recorder.
///
/// Loop thread only. Send never blocks and never calls `done` before it returned; `done` is called exactly once unless
/// the program ends first, in which case it is destroyed uncalled. At most 32 requests run at a time, the others wait
/// in order; when 10,000 wait, Send answers false and drops the request. The order of arrival at the receiver is not
/// promised. Nothing is retried here: redelivery belongs to the caller, with Schedule (simulator/schedule.hpp).
class Outgoing {
 public:
  using Done = std::move_only_function<void(OutgoingAnswer)>;

  virtual ~Outgoing() = default;
  virtual bool Send(OutgoingRequest request, Done done) = 0;
};

/// Why the simulator will not post to `url`, or "": https anywhere, http to this machine only, since the providers post
/// to nothing but https and a stand-in on loopback has no certificate.
std::string WhyNotPostable(const std::string& url);

}  // namespace latchkey::simulator
