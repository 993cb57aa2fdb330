#include "api/load_gate.hpp"

#include <limits>

namespace latchkey::api {
namespace {

constexpr std::chrono::seconds kComeBackAfter{2};

}  // namespace

LoadGate::LoadGate(Limits limits, metrics::Registry* metrics) : limits_(limits) {
  if (metrics == nullptr) return;
  at_work_gauge_ = &metrics->GetGauge("latchkey_http_at_work", "Requests that handlers are working on.");
  refused_ = &metrics->GetCounter("latchkey_http_shed_total", "Requests refused because too many were at work.");
}

std::size_t LoadGate::LimitOf(Urgency urgency) const {
  switch (urgency) {
    case Urgency::kAlways:
      break;
    case Urgency::kSignIn:
      return limits_.sign_in;
    case Urgency::kOrdinary:
      return limits_.ordinary;
    case Urgency::kLater:
      return limits_.later;
  }
  return std::numeric_limits<std::size_t>::max();
}

Result<LoadGate::Ticket> LoadGate::Enter(Urgency urgency) {
  if (at_work_ >= LimitOf(urgency)) {
    if (refused_ != nullptr) refused_->Add();
    return Fail(
        Error{.code = ErrorCode::kOverloaded, .detail = "too many requests at work", .retry_after = kComeBackAfter});
  }
  ++at_work_;
  if (at_work_gauge_ != nullptr) at_work_gauge_->Set(static_cast<std::int64_t>(at_work_));
  return Ticket(this);
}

void LoadGate::Leave() {
  --at_work_;
  if (at_work_gauge_ != nullptr) at_work_gauge_->Set(static_cast<std::int64_t>(at_work_));
}

}  // namespace latchkey::api
