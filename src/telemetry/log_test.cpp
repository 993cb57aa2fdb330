#include "telemetry/log.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/json.hpp"

namespace latchkey::log {
namespace {

template <class Write>
std::string Captured(Write write) {
  ::testing::internal::CaptureStderr();
  write();
  return ::testing::internal::GetCapturedStderr();
}

TEST(Log, WritesOneJsonObjectPerLine) {
  const std::string line =
      Captured([] { Info("job.done", {{"kind", "fetch_emails"}, {"count", 3}, {"ratio", 0.5}, {"again", true}}); });
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  const auto value = json::Parse(line);
  ASSERT_TRUE(value) << line;
  EXPECT_EQ(value->at("level").as_string(), "info");
  EXPECT_EQ(value->at("event").as_string(), "job.done");
  EXPECT_EQ(value->at("kind").as_string(), "fetch_emails");
  EXPECT_EQ(value->at("count").as_int64(), 3);
  EXPECT_EQ(value->at("ratio").as_double(), 0.5);
  EXPECT_TRUE(value->at("again").as_bool());
  EXPECT_TRUE(ParseInstant(value->at("time").as_string().c_str()));
}

TEST(Log, StaysOneValidLineWhateverTheTextHolds) {
  for (const std::string_view text :
       {"two\nlines\r", "\x1b[31mred", "\xff\xfe not utf-8", "\xe2\x80\xae reversed",
        "\xc2\x9b"
        "31m",
        "cut \xe2\x82", "\x7f", "nul \0 inside", "\xe2\x80\xa8 separator", "\xe2\x81\xa6 isolate"}) {
    const std::string line = Captured([&] { Warn("odd", {{"text", text}}); });
    EXPECT_EQ(std::ranges::count(line, '\n'), 1);
    EXPECT_EQ(std::ranges::count_if(line, [](char c) { return static_cast<unsigned char>(c) < 0x20; }), 1);
    EXPECT_EQ(line.find("\x7f"), std::string::npos);
    EXPECT_EQ(line.find("\xc2\x9b"), std::string::npos);
    EXPECT_EQ(line.find("\xe2\x80\xae"), std::string::npos);
    EXPECT_TRUE(json::Parse(line)) << line;
  }
}

TEST(Log, KeepsOrdinaryTextOfAnyScript) {
  const std::string line = Captured([] { Info("x", {{"text", "gr\xc3\xbc\xc3\x9f \xe4\xbd\xa0\xe5\xa5\xbd"}}); });
  EXPECT_NE(line.find("gr\xc3\xbc\xc3\x9f \xe4\xbd\xa0\xe5\xa5\xbd"), std::string::npos);
}

TEST(Log, CutsWhatIsTooLong) {
  const std::string huge(100'000, '"');
  const std::string line = Captured([&] { Info("x", {{"a", huge}, {"b", huge}, {"c", huge}}); });
  EXPECT_LE(line.size(), 4096u);
  EXPECT_TRUE(json::Parse(line)) << line;
}

TEST(Log, OmitsWhatIsBelowTheLevel) {
  EXPECT_EQ(Captured([] { Debug("quiet"); }), "");
  SetLevel(Level::kDebug);
  EXPECT_NE(Captured([] { Debug("loud"); }), "");
  SetLevel(Level::kInfo);
}

}  // namespace
}  // namespace latchkey::log
