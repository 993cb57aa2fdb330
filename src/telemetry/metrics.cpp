#include "telemetry/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace latchkey::metrics {
namespace {

void AppendLabelValue(std::string& out, std::string_view value) {
  for (const char byte : value) {
    if (byte == '\\' || byte == '"') out.push_back('\\');
    if (byte == '\n') {
      out += "\\n";
    } else {
      out.push_back(byte);
    }
  }
}

std::string RenderLabels(const Labels& labels, bool as_other) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text.push_back(',');
    text += name;
    text += "=\"";
    AppendLabelValue(text, as_other ? std::string_view("other") : std::string_view(value));
    text.push_back('"');
  }
  return text;
}

std::string Braced(std::string_view labels, std::string_view more = {}) {
  if (labels.empty() && more.empty()) return {};
  return fmt::format("{{{}{}{}}}", labels, labels.empty() || more.empty() ? "" : ",", more);
}

void AppendHead(std::string& out, std::string_view name, std::string_view help, std::string_view type) {
  fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

template <class Families>
void AppendScalars(std::string& out, const Families& families, std::string_view type) {
  for (const auto& [name, family] : families) {
    AppendHead(out, name, family.help, type);
    for (const auto& [labels, metric] : family.series) {
      fmt::format_to(std::back_inserter(out), "{}{} {}\n", name, Braced(labels), metric->value());
    }
  }
}

void AppendHistogram(std::string& out, std::string_view name, std::string_view labels, const Histogram& histogram) {
  const auto to = std::back_inserter(out);
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < histogram.upper_bounds().size(); ++i) {
    count += histogram.BucketCount(i);
    const std::string bound = fmt::format("le=\"{}\"", histogram.upper_bounds()[i]);
    fmt::format_to(to, "{}_bucket{} {}\n", name, Braced(labels, bound), count);
  }
  count += histogram.BucketCount(histogram.upper_bounds().size());
  fmt::format_to(to, "{}_bucket{} {}\n", name, Braced(labels, "le=\"+Inf\""), count);
  fmt::format_to(to, "{}_sum{} {}\n", name, Braced(labels), histogram.sum());
  fmt::format_to(to, "{}_count{} {}\n", name, Braced(labels), count);
}

}  // namespace

Histogram::Histogram(std::vector<double> upper_bounds)
    : upper_bounds_(std::move(upper_bounds)),
      counts_(std::make_unique<std::atomic<std::uint64_t>[]>(upper_bounds_.size() + 1)) {}

void Histogram::Observe(double value) {
  const auto bucket = std::ranges::lower_bound(upper_bounds_, value) - upper_bounds_.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  double sum = sum_.load(std::memory_order_relaxed);
  while (!sum_.compare_exchange_weak(sum, sum + value, std::memory_order_relaxed)) {
  }
}

std::vector<double> LatencyBuckets() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
}

template <class Metric, class... Arguments>
Metric& Registry::Get(Families<Metric>& families, std::string_view name, std::string_view help, const Labels& labels,
                      const Arguments&... arguments) {
  const std::lock_guard lock(mutex_);
  auto family = families.find(name);
  if (family == families.end()) {
    family = families.emplace(std::string(name), Family<Metric>{std::string(help), {}}).first;
  }
  auto& series = family->second.series;
  std::string key = RenderLabels(labels, false);
  if (series.size() >= kMaxSeries && !series.contains(key)) key = RenderLabels(labels, true);
  std::unique_ptr<Metric>& metric = series[std::move(key)];
  if (!metric) metric = std::make_unique<Metric>(arguments...);
  return *metric;
}

Counter& Registry::GetCounter(std::string_view name, std::string_view help, const Labels& labels) {
  return Get(counters_, name, help, labels);
}

Gauge& Registry::GetGauge(std::string_view name, std::string_view help, const Labels& labels) {
  return Get(gauges_, name, help, labels);
}

Histogram& Registry::GetHistogram(std::string_view name, std::string_view help, const std::vector<double>& upper_bounds,
                                  const Labels& labels) {
  return Get(histograms_, name, help, labels, upper_bounds);
}

std::string Registry::Render() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  AppendScalars(out, counters_, "counter");
  AppendScalars(out, gauges_, "gauge");
  for (const auto& [name, family] : histograms_) {
    AppendHead(out, name, family.help, "histogram");
    for (const auto& [labels, histogram] : family.series) AppendHistogram(out, name, labels, *histogram);
  }
  return out;
}

}  // namespace latchkey::metrics
