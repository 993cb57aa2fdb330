#include "simulator/gmail/quota.hpp"

#include "simulator/gmail/errors.hpp"

namespace latchkey::simulator {
namespace {

std::int64_t Second(Instant now) { return std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count(); }

/// "2026-09-11T20:00:00.000Z"
std::string MillisecondText(Instant instant) { return FormatInstant(instant).substr(0, 23) + "Z"; }

}  // namespace

void MinuteWindow::Advance(std::int64_t second) {
  constexpr std::int64_t kSeconds = 60;
  if (second - second_ >= kSeconds) {
    buckets_.fill(0);
    sum_ = 0;
    second_ = second;
  }
  for (; second_ < second; ++second_) {
    std::int64_t& reused = buckets_[static_cast<std::size_t>((second_ + 1) % kSeconds)];
    sum_ -= reused;
    reused = 0;
  }
}

std::int64_t MinuteWindow::Sum(Instant now) {
  Advance(Second(now));
  return sum_;
}

void MinuteWindow::Add(Instant now, std::int64_t units) {
  Advance(Second(now));
  buckets_[static_cast<std::size_t>(second_ % 60)] += units;
  sum_ += units;
}

Instant MinuteWindow::NextRelief(Instant now) {
  Advance(Second(now));
  for (std::int64_t age = 59; age >= 0; --age) {
    if (buckets_[static_cast<std::size_t>((second_ - age + 60) % 60)] > 0) {
      return Instant(std::chrono::seconds(second_ - age + 60));
    }
  }
  return now;
}

std::optional<Response> Quota::Charge(const std::string& account, const Method& method, Instant now) {
  AccountUsage& usage = accounts_[account];
  if (enforce_ && usage.window.Sum(now) + method.units > kUserUnitsPerMinute) {
    const bool as_metric = usage.refused++ % 2 == 1;
    if (as_metric) return QuotaMetric(true, kUserUnitsPerMinute);
    return UserRateLimit(MillisecondText(usage.window.NextRelief(now)));
  }
  if (enforce_ && project_.Sum(now) + method.units > kProjectUnitsPerMinute) {
    ++usage.refused;
    return QuotaMetric(false, kProjectUnitsPerMinute);
  }
  usage.window.Add(now, method.units);
  project_.Add(now, method.units);
  usage.units += method.units;
  Calls& calls = usage.by_method[method.name];
  ++calls.calls;
  calls.units += method.units;
  return std::nullopt;
}

boost::json::object Quota::Counters(Instant now) {
  boost::json::object out;
  for (auto& [account, usage] : accounts_) {
    boost::json::object methods;
    for (const auto& [name, calls] : usage.by_method) {
      methods[name] = boost::json::object{{"calls", calls.calls}, {"units", calls.units}};
    }
    out[account] = boost::json::object{{"units", usage.units},
                                       {"unitsLastMinute", usage.window.Sum(now)},
                                       {"refused", usage.refused},
                                       {"byMethod", std::move(methods)}};
  }
  return out;
}

void Quota::Reset() { accounts_.clear(); }

}  // namespace latchkey::simulator
