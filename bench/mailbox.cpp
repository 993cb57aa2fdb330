// Prints a mailbox of any size as JSON Lines, oldest first: {"date", "folder", "unread", "raw": base64 of an RFC 5322
// message}. Messages are 5 to 20 KB, text with an HTML alternative; the same arguments give the same bytes. usage:
// bench_mailbox COUNT [SEED]
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/clock.hpp"
#include "base/encoding.hpp"

namespace {

/// splitmix64: small and the same everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Below(std::uint64_t bound) {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return (z ^ (z >> 31)) % bound;
  }

 private:
  std::uint64_t state_;
};

constexpr std::array kWords = {"harbour", "invoice", "lantern", "meeting", "quarter", "garden",  "window",  "report",
                               "ticket",  "winter",  "engine",  "river",   "budget",  "station", "paper",   "signal",
                               "kitchen", "bridge",  "update",  "weekend", "orange",  "cinema",  "project", "mountain",
                               "Grüße",   "café",    "naïve",   "Žižkov",  "данные",  "会议",    "προϊόν",  "release"};
constexpr std::array kPeople = {"Ada Example",  "Jonas Weber", "Mira Solberg", "Noor Haddad", "Kenji Mori",
                                "Lucia Farrow", "Tomas Vance", "Ines Calder",  "Oskar Lind",  "Priya Nandan"};

std::string Sentence(Dice& dice) {
  std::string out;
  const auto words = 6 + dice.Below(10);
  for (std::uint64_t i = 0; i < words; ++i) {
    if (i != 0) out += ' ';
    out += kWords[dice.Below(kWords.size())];
  }
  return out + ".";
}

std::string Message(Dice& dice, std::uint64_t number, latchkey::Instant date) {
  const std::string_view person = kPeople[dice.Below(kPeople.size())];
  std::string local(person.substr(0, person.find(' ')));
  const std::size_t text_size = 1500 + dice.Below(5500);
  std::string text;
  std::string html = "<html><body style=\"font-family:sans-serif\">";
  while (text.size() < text_size) {
    const std::string sentence = Sentence(dice);
    text += sentence + "\r\n";
    html += "<p style=\"margin:0 0 1em\">" + sentence + "</p>\r\n";
  }
  html += "</body></html>\r\n";
  const std::string boundary = fmt::format("part-{}", number);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(date);
  const std::chrono::hh_mm_ss time{seconds - std::chrono::floor<std::chrono::days>(seconds)};
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(seconds)};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format(
      "From: {} <{}@sender{}.example>\r\nTo: Owner <owner@example.com>\r\nSubject: {} {}\r\nMessage-ID: "
      "<{}@bench.example>\r\n"
      "Date: {} {} {} {:02}:{:02}:{:02} +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; "
      "boundary=\"{}\"\r\n\r\n"
      "--{}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}"
      "--{}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}--{}--\r\n",
      person, local, dice.Below(500), kWords[dice.Below(kWords.size())], number, number,
      static_cast<unsigned>(day.day()), kMonths[static_cast<unsigned>(day.month()) - 1], static_cast<int>(day.year()),
      time.hours().count(), time.minutes().count(), time.seconds().count(), boundary, boundary, text, boundary, html,
      boundary);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    fmt::print(stderr, "usage: bench_mailbox COUNT [SEED]\n");
    return 2;
  }
  const std::uint64_t count = std::strtoull(argv[1], nullptr, 10);
  Dice dice(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  // One message each minute, ending on a fixed day.
  const latchkey::Instant last = *latchkey::ParseInstant("2026-01-01T00:00:00Z");
  for (std::uint64_t i = 0; i < count; ++i) {
    const latchkey::Instant date = last - std::chrono::minutes(count - i);
    const std::string line = fmt::format(
        "{{\"seq\":{},\"date\":\"{}\",\"folder\":\"INBOX\",\"labels\":[],\"unread\":{},\"starred\":false,\"raw\":\"{}"
        "\"}}\n",
        i, latchkey::FormatInstant(date), dice.Below(10) == 0 ? "true" : "false",
        latchkey::Base64Encode(Message(dice, i, date)));
    if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size()) return 1;
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}
