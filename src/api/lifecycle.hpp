#pragma once

#include <chrono>
#include <optional>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace latchkey::api {

/// The store takes no writes: told to administrators from here, because a notice could not be stored either. Reads go
/// on, writes are refused, jobs wait; it ends by itself when the store takes writes again. Loop thread.
class StoreTrouble {
 public:
  struct Notice {
    ErrorCode code = ErrorCode::kStorageUnavailable;
    Instant since{};
    Instant last_seen{};
  };

  /// What the store says of its last write, as often as somebody looks; nullopt: all is well.
  void Note(std::optional<ErrorCode> fault, Instant now);
  /// One notice for the whole episode, however often single writes succeed in between.
  const std::optional<Notice>& notice() const { return notice_; }

 private:
  std::optional<Notice> notice_;
};

/// Where the process stands; app writes it, handlers read it. Loop thread.
struct Lifecycle {
  /// Told to stop: /readyz says so, so that nobody sends new work here.
  bool stopping = false;
  StoreTrouble store;
};

}  // namespace latchkey::api
