#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "simulator/json_fields.hpp"

namespace latchkey::simulator {

/// Ways in which real notifications arrive badly. Set by the control API.
struct PushQuirks {
  bool drop = false;                   ///< Nothing is posted at all.
  std::uint64_t duplicates = 0;        ///< So many further copies of each, at most 20.
  std::chrono::milliseconds delay{0};  ///< On the simulator's clock.
  bool reorder = false;                ///< Every second one comes two seconds later than it should.

  /// Reads "drop", "duplicates", "delay_seconds" and "reorder"; what is absent stays.
  void Read(JsonFields& fields) {
    drop = fields.Flag("drop").value_or(drop);
    duplicates = fields.Count("duplicates").value_or(duplicates);
    if (duplicates > 20) fields.Complain("\"duplicates\" must be at most 20");
    if (const auto seconds = fields.Number("delay_seconds")) {
      if (*seconds > 1e7) fields.Complain("\"delay_seconds\" is too large");
      delay = std::chrono::milliseconds(static_cast<std::int64_t>(std::min(*seconds, 1e7) * 1000));
    }
    reorder = fields.Flag("reorder").value_or(reorder);
  }
  boost::json::object Describe() const {
    return {{"drop", drop},
            {"duplicates", duplicates},
            {"delay_seconds", static_cast<double>(delay.count()) / 1000},
            {"reorder", reorder}};
  }
  /// How late message `number` (from 1) of a sender goes out.
  std::chrono::milliseconds DelayOf(std::uint64_t number) const {
    return delay + std::chrono::milliseconds(reorder && number % 2 == 1 ? 2000 : 0);
  }
};

}  // namespace latchkey::simulator
