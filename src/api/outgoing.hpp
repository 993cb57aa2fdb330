#pragma once

#include "base/json_writer.hpp"
#include "http/message.hpp"
#include "mail/outbox.hpp"

namespace latchkey::api {

/// Outgoing of openapi/latchkey.yaml.
void WriteOutgoing(json::Writer& out, const mail::OutboxEntry& entry);
http::Response OutgoingResponse(int status, const mail::OutboxEntry& entry);

}  // namespace latchkey::api
