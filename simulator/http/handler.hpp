#pragma once

#include "simulator/http/message.hpp"

namespace latchkey::simulator {

/// Answers requests. Called on the simulator's one loop thread, synchronously: never block, never throw for bad input.
/// The request may be taken apart (its body moved away).
class Handler {
 public:
  virtual ~Handler() = default;
  virtual Response Handle(Request& request) = 0;
};

}  // namespace latchkey::simulator
