#pragma once

#include <cstddef>
#include <utility>

#include "base/error.hpp"
#include "telemetry/metrics.hpp"

namespace latchkey::api {

/// What a request is worth when not all can be served.
enum class Urgency {
  kAlways,    ///< Health and metrics: whoever watches the server must see how it is.
  kSignIn,    ///< Somebody is in the middle of a flow that cannot be repeated.
  kOrdinary,  ///< The API; clients try again.
  kLater,     ///< Downloads, images, notifications of providers: repeated anyway, or known from polling.
};

/// Bounds the requests that are worked on at a time, the least urgent first: beyond its share a class is told to come
/// back instead of waiting in a line that only grows. Streams do not count once they run. Loop thread.
class LoadGate {
 public:
  struct Limits {
    std::size_t sign_in = 512;
    std::size_t ordinary = 448;
    std::size_t later = 320;
  };
  explicit LoadGate(Limits limits, metrics::Registry* metrics = nullptr);

  /// A place among the requests at work; the gate must outlive it.
  class Ticket {
   public:
    explicit Ticket(LoadGate* gate) : gate_(gate) {}
    Ticket(Ticket&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (gate_ != nullptr) gate_->Leave();
    }

   private:
    LoadGate* gate_;
  };
  /// kOverloaded, with the time after which to come back.
  Result<Ticket> Enter(Urgency urgency);
  std::size_t at_work() const { return at_work_; }

 private:
  friend class Ticket;
  std::size_t LimitOf(Urgency urgency) const;
  void Leave();

  Limits limits_;
  std::size_t at_work_ = 0;
  metrics::Gauge* at_work_gauge_ = nullptr;
  metrics::Counter* refused_ = nullptr;
};

}  // namespace latchkey::api
