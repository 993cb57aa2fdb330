#pragma once

#include "simulator/graph/mail_state.hpp"

namespace latchkey::simulator::graph {

/// PUT, GET and DELETE of an upload session's URL, which is not under /v1.0 and carries its own token.
Response HandleUpload(MailState& state, Request& request);

}  // namespace latchkey::simulator::graph
