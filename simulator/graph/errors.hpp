#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/clock.hpp"
#include "simulator/http/message.hpp"

namespace latchkey::simulator::graph {

/// What Graph answers when it refuses: {"error": {"code", "message", "innerError": {"date", "request-id",
/// "client-request-id"}}}. The two ids are filled in on the way out (Finish).
Response Error(int status, std::string_view code, std::string_view message, Instant now);

// The refusals that several areas give.
Response ItemNotFound(Instant now);
Response IdMalformed(Instant now);
Response AccessDenied(Instant now);
/// 400 "ErrorInvalidRequest"-like texts about the request's own form.
Response BadRequest(std::string_view message, Instant now, std::string_view code = "BadRequest");

/// A JSON answer with Graph's content type.
Response Json(int status, const boost::json::object& body);

/// Puts request-id and client-request-id into the header fields and, for errors, into the body.
void Finish(Response& response, std::string_view request_id, std::string_view client_request_id);

/// A random GUID.
std::string NewGuid();

/// Names of the fault payloads: "graph.error.ErrorItemNotFound.404".
std::vector<std::string> PayloadNames();
std::optional<Response> MakePayload(std::string_view name, Instant now);

}  // namespace latchkey::simulator::graph
