#include "simulator/calendar/ics.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

#include "simulator/calendar/google_render.hpp"
#include "simulator/calendar/series.hpp"

namespace latchkey::simulator::calendar {
namespace {

namespace json = boost::json;

ImportedCalendar Import(const std::string& text) {
  return ImportIcs(text, {"ada@example.com", "Ada"}, "Europe/Berlin");
}

std::string Utc(const EventTime& time) { return WithOffset(time.At(), "UTC"); }

TEST(Ics, FoldedLinesParametersAndEscapes) {
  const IcsComponent root = ParseIcs(
      "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Caf\r\n \xC3\xA9\\, then\\nhome\r\n"
      "ATTENDEE;CN=\"B; A: C\";PARTSTAT=ACCEPTED:mailto:b@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
  ASSERT_EQ(root.components.size(), 1U);
  const IcsComponent& event = root.components[0].components.at(0);
  EXPECT_EQ(event.Text("SUMMARY"), "Caf\xC3\xA9, then\nhome");
  EXPECT_EQ(event.Find("ATTENDEE")->Parameter("CN"), "B; A: C");
  EXPECT_EQ(event.Find("ATTENDEE")->value, "mailto:b@example.org");
}

TEST(Ics, MovedInstancesBelongToTheirSeries) {
  const ImportedCalendar imported = Import(
      "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART;TZID=W. Europe Standard Time:20260316T093000\nDURATION:PT15M\n"
      "RRULE:FREQ=WEEKLY;COUNT=3\nSUMMARY:S\nEND:VEVENT\nBEGIN:VEVENT\nUID:a\nRECURRENCE-ID:20260323T083000Z\n"
      "DTSTART;TZID=Europe/Berlin:20260323T110000\nDTEND;TZID=Europe/"
      "Berlin:20260323T113000\nEND:VEVENT\nEND:VCALENDAR\n");
  ASSERT_EQ(imported.events.size(), 2U);
  EXPECT_EQ(imported.events[0].start.zone, "Europe/Berlin");
  EXPECT_EQ(imported.events[1].master_id, imported.events[0].id);
  EXPECT_EQ(imported.events[1].id, imported.events[0].id + "_20260323T083000Z");
  EXPECT_EQ(Import("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20260101\nEND:VEVENT\nEND:VCALENDAR").events[0].id,
            Import("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20260101\nEND:VEVENT\nEND:VCALENDAR").events[0].id);
}

TEST(Ics, OfSeveralRevisionsOfAnExceptionTheNewestIsKept) {
  const auto revision = [](const std::string& instance, int hour, int sequence, const std::string& stamp) {
    return "BEGIN:VEVENT\nUID:a\nRECURRENCE-ID:202603" + instance + "T090000Z\nDTSTART:202603" + instance + "T" +
           std::to_string(hour) + "0000Z\nSEQUENCE:" + std::to_string(sequence) + "\nDTSTAMP:" + stamp +
           "\nEND:VEVENT\n";
  };
  ImportedCalendar imported =
      Import("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20260316T090000Z\nRRULE:FREQ=DAILY;COUNT=4\nEND:VEVENT\n" +
             revision("17", 11, 3, "20260101T000000Z") + revision("17", 12, 1, "20260102T000000Z") +
             revision("18", 13, 2, "20260102T000000Z") + revision("18", 14, 2, "20260101T000000Z") +
             revision("19", 15, 2, "20260101T000000Z") + revision("19", 16, 5, "20260101T000000Z") + "END:VCALENDAR\n");
  KeepNewestRevisions(imported);
  std::vector<std::string> starts;
  for (const Event& event : imported.events) starts.push_back(Utc(event.start));
  EXPECT_THAT(starts, ::testing::ElementsAre("2026-03-16T09:00:00Z", "2026-03-17T11:00:00Z", "2026-03-18T13:00:00Z",
                                             "2026-03-19T16:00:00Z"));
}

TEST(Ics, AZoneOfTheFilesOwnBecomesTheOneThatAgrees) {
  const ImportedCalendar imported = Import(
      "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Here\nBEGIN:STANDARD\nDTSTART:16010101T020000\n"
      "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\nTZOFFSETFROM:-0400\nTZOFFSETTO:-0500\nEND:STANDARD\n"
      "BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\nTZOFFSETFROM:-0500\n"
      "TZOFFSETTO:-0400\nEND:DAYLIGHT\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:z\nDTSTART;TZID=Here:20260701T120000\n"
      "END:VEVENT\nEND:VCALENDAR\n");
  ASSERT_EQ(imported.events.size(), 1U);
  EXPECT_EQ(imported.events[0].start.zone, "America/New_York");
  EXPECT_EQ(Utc(imported.events[0].start), "2026-07-01T16:00:00Z");
}

std::filesystem::path CorpusFolder() {
  if (const char* folder = std::getenv("LATCHKEY_CORPUS")) return std::filesystem::path(folder) / "calendar";
  return std::filesystem::path(LATCHKEY_SOURCE_DIR) / ".." / "shared" / "corpus" / "calendar";
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

/// Every field on which two independent readers agree. Events are compared in file order, as the corpus lists them.
TEST(Ics, CorpusIsReadAsTwoOtherReadersAgree) {
  std::ifstream expectations(CorpusFolder() / "expected.jsonl");
  if (!expectations) GTEST_SKIP() << "no " << CorpusFolder() << ": set LATCHKEY_CORPUS to run this test";
  std::size_t starts = 0;
  std::size_t series = 0;
  std::vector<std::string> wrong;
  for (std::string line; std::getline(expectations, line);) {
    const json::value expected = json::parse(line);
    const std::string file(expected.at("file").as_string());
    const json::value* expect = expected.as_object().if_contains("expect");
    if (!expect) continue;
    const json::object& agreed = expect->as_object();
    const ImportedCalendar imported = Import(ReadFile(CorpusFolder() / "ics" / file));
    const json::value* events = agreed.if_contains("events");
    if (!events) continue;
    Calendar calendar;
    calendar.zone = "Europe/Berlin";
    for (const Event& event : imported.events) {
      calendar.events[event.id] = event;
      if (!event.master_id.empty()) calendar.instances[event.master_id].insert(event.id);
    }
    for (std::size_t i = 0; i < events->as_array().size(); ++i) {
      const json::object& wanted = events->at(i).as_object();
      // File order holds unless some event had no start that can be read.
      if (!wanted.contains("start") || i >= imported.events.size()) continue;
      const Event& event = imported.events[i];
      const std::string where = file + " #" + std::to_string(i);
      if (const auto* summary = wanted.if_contains("summary");
          summary && summary->is_string() && !summary->as_string().empty()) {
        // One file is windows-1252, which the other readers do not try, and they cut long texts.
        const std::string_view theirs = std::string_view(summary->as_string()).substr(0, 150);
        const bool cut = theirs.contains("\xEF\xBF\xBD");
        if (!cut && event.summary.substr(0, 150) != theirs) wrong.push_back(where + " summary " + event.summary);
      }
      const auto* iana = wanted.if_contains("start_utc_iana");
      const auto* utc = iana ? iana : wanted.if_contains("start_utc");
      if (utc && utc->is_string()) {
        ++starts;
        if (Utc(event.start) != std::string_view(utc->as_string())) {
          wrong.push_back(where + " starts " + Utc(event.start) + " not " + std::string(utc->as_string()));
        }
      }
      const auto* instances = wanted.if_contains("instances_utc");
      if (!instances || !instances->is_array() || !event.is_master()) continue;
      ++series;
      std::vector<Event> expanded =
          Instances(calendar, event, {.to = std::chrono::sys_days(std::chrono::year(2300) / 1 / 1), .most = 10'000});
      for (std::size_t k = 0; k < instances->as_array().size() && k < 10; ++k) {
        const json::value& instant = instances->at(k);
        if (!instant.is_string()) continue;
        const std::string ours = k < expanded.size() ? Utc(expanded[k].start) : "nothing";
        if (ours != std::string_view(instant.as_string())) {
          wrong.push_back(where + " instance " + std::to_string(k) + " is " + ours + " not " +
                          std::string(instant.as_string()));
          break;
        }
      }
    }
  }
  EXPECT_GT(starts, 280U);
  EXPECT_GT(series, 44U);
  EXPECT_THAT(wrong, ::testing::IsEmpty());
}

}  // namespace
}  // namespace latchkey::simulator::calendar
