#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace latchkey::metrics {

/// Label names and values, for example {{"route", "/health"}, {"status", "200"}}. Values come from a small fixed set:
/// never an id, an address or anything else a stranger chooses.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// Only rises. Any thread.
class Counter {
 public:
  void Add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

/// Rises and falls. Any thread.
class Gauge {
 public:
  void Set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void Add(std::int64_t by) { value_.fetch_add(by, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_ = 0;
};

/// Counts observations in buckets given by their upper bounds. Any thread.
class Histogram {
 public:
  explicit Histogram(std::vector<double> upper_bounds);
  void Observe(double value);

  const std::vector<double>& upper_bounds() const { return upper_bounds_; }
  /// Of bucket `index` alone, the last one being everything above the highest bound.
  std::uint64_t BucketCount(std::size_t index) const { return counts_[index].load(std::memory_order_relaxed); }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> upper_bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<double> sum_ = 0;
};

/// Seconds, from half a millisecond to half a minute.
std::vector<double> LatencyBuckets();

/// All metrics of the process, rendered in Prometheus' text format 0.0.4. Looking a metric up takes a lock and compares
/// strings: keep the reference, which stays valid as long as the registry. Any thread.
class Registry {
 public:
  /// Label sets per name; further ones share a series whose label values are all "other".
  static constexpr std::size_t kMaxSeries = 256;

  Counter& GetCounter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& GetGauge(std::string_view name, std::string_view help, const Labels& labels = {});
  /// `upper_bounds` counts at the first call of a name.
  Histogram& GetHistogram(std::string_view name, std::string_view help, const std::vector<double>& upper_bounds,
                          const Labels& labels = {});

  std::string Render() const;

 private:
  template <class Metric>
  struct Family {
    std::string help;
    /// By rendered labels: `a="1",b="2"`.
    std::map<std::string, std::unique_ptr<Metric>, std::less<>> series;
  };
  template <class Metric>
  using Families = std::map<std::string, Family<Metric>, std::less<>>;

  template <class Metric, class... Arguments>
  Metric& Get(Families<Metric>& families, std::string_view name, std::string_view help, const Labels& labels,
              const Arguments&... arguments);

  mutable std::mutex mutex_;
  Families<Counter> counters_;
  Families<Gauge> gauges_;
  Families<Histogram> histograms_;
};

}  // namespace latchkey::metrics
