#include "telemetry/metrics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace latchkey::metrics {
namespace {

TEST(Metrics, RenderAsPrometheusText) {
  Registry registry;
  registry.GetCounter("latchkey_requests_total", "Requests answered.", {{"status", "200"}}).Add(3);
  registry.GetGauge("latchkey_connections", "Open connections.").Set(-2);
  Histogram& latency = registry.GetHistogram("latchkey_seconds", "Duration.", {0.1, 1}, {{"route", "/health"}});
  latency.Observe(0.1);
  latency.Observe(0.5);
  latency.Observe(7);
  EXPECT_EQ(registry.Render(),
            "# HELP latchkey_requests_total Requests answered.\n"
            "# TYPE latchkey_requests_total counter\n"
            "latchkey_requests_total{status=\"200\"} 3\n"
            "# HELP latchkey_connections Open connections.\n"
            "# TYPE latchkey_connections gauge\n"
            "latchkey_connections -2\n"
            "# HELP latchkey_seconds Duration.\n"
            "# TYPE latchkey_seconds histogram\n"
            "latchkey_seconds_bucket{route=\"/health\",le=\"0.1\"} 1\n"
            "latchkey_seconds_bucket{route=\"/health\",le=\"1\"} 2\n"
            "latchkey_seconds_bucket{route=\"/health\",le=\"+Inf\"} 3\n"
            "latchkey_seconds_sum{route=\"/health\"} 7.6\n"
            "latchkey_seconds_count{route=\"/health\"} 3\n");
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameSeries) {
  Registry registry;
  EXPECT_EQ(&registry.GetCounter("a", "", {{"x", "1"}}), &registry.GetCounter("a", "", {{"x", "1"}}));
  EXPECT_NE(&registry.GetCounter("a", "", {{"x", "1"}}), &registry.GetCounter("a", "", {{"x", "2"}}));
}

TEST(Metrics, EscapeLabelValues) {
  Registry registry;
  registry.GetCounter("a", "h", {{"x", "q\"b\\n\n"}});
  EXPECT_NE(registry.Render().find("a{x=\"q\\\"b\\\\n\\n\"} 0"), std::string::npos);
}

TEST(Metrics, LabelSetsAreBounded) {
  Registry registry;
  for (int i = 0; i < 5000; ++i) registry.GetCounter("a", "h", {{"x", std::to_string(i)}}).Add();
  const std::string text = registry.Render();
  EXPECT_EQ(std::ranges::count(text, '\n'), static_cast<std::ptrdiff_t>(2 + Registry::kMaxSeries + 1));
  EXPECT_NE(text.find("a{x=\"other\"} 4744"), std::string::npos);
}

}  // namespace
}  // namespace latchkey::metrics
