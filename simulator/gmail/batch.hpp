#pragma once

#include <cstdint>
#include <functional>

#include "simulator/http/message.hpp"

namespace latchkey::simulator {

/// Google's batch over multipart/mixed: each of up to a hundred parts is answered by `answer_one`, the whole with 200.
/// `nonce` makes the boundary.
Response AnswerBatch(const Request& request, std::uint64_t nonce, const std::function<Response(Request&)>& answer_one);

}  // namespace latchkey::simulator
