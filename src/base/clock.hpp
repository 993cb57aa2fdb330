#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace latchkey {

/// A UTC instant with the resolution both databases keep.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

/// The present, injectable. Any thread may call Now().
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant Now() const = 0;
};

/// The machine's own clock.
class SystemClock final : public Clock {
 public:
  Instant Now() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
};

/// A clock that tests set and advance. Not synchronised: advance it on the thread that reads it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Instant start) : now_(start) {}
  Instant Now() const override { return now_; }
  void Advance(std::chrono::microseconds by) { now_ += by; }
  void Set(Instant now) { now_ = now; }

 private:
  Instant now_;
};

/// "2026-11-20T12:31:05.120000Z": RFC 3339, always UTC, always six fraction digits, so that text order is time order.
std::string FormatInstant(Instant instant);
/// Reads RFC 3339 with any offset and any number of fraction digits (truncated to microseconds); nullopt for all else.
std::optional<Instant> ParseInstant(std::string_view text);

inline std::int64_t ToMicros(Instant instant) { return instant.time_since_epoch().count(); }
inline Instant FromMicros(std::int64_t micros) { return Instant(std::chrono::microseconds(micros)); }

}  // namespace latchkey
