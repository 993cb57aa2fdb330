// Holds the parser against what three other parsers agree the torture files say. The corpus is not part of the project:
// LATCHKEY_CORPUS or ../shared/corpus names it, and the test is skipped where it is absent.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include "base/clock.hpp"
#include "simulator/mime/summary.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::mime {
namespace {

namespace json = boost::json;

std::filesystem::path CorpusFolder() {
  if (const char* folder = std::getenv("LATCHKEY_CORPUS")) return folder;
  return std::filesystem::path(LATCHKEY_SOURCE_DIR) / ".." / "shared" / "corpus";
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

json::array Emails(const std::vector<Address>& addresses) {
  json::array out;
  for (const Address& address : addresses) out.emplace_back(Lower(address.email));
  return out;
}

/// The expectations have their blanks squeezed, U+00A0 among them.
std::string Squeezed(std::string text) {
  for (std::size_t at = 0; (at = text.find("\u00A0", at)) != std::string::npos;) text.replace(at, 2, " ");
  std::string out;
  for (char c : Trim(text)) {
    if (!IsSpace(c)) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != ' ') {
      out.push_back(' ');
    }
  }
  return out;
}

json::object Observed(const Message& message) {
  const Summary summary = Summarise(message);
  json::object out;
  if (message.root().header.Has("Subject")) {
    out["subject"] = Squeezed(summary.subject);
  } else {
    out["subject"] = nullptr;
  }
  out["from"] = Emails(summary.from);
  json::array names;
  for (const Address& address : summary.from) names.emplace_back(address.name);
  out["from_name"] = names;
  out["to"] = Emails(summary.to);
  out["cc"] = Emails(summary.cc);
  if (summary.date) {
    const std::string text = FormatInstant(Instant(std::chrono::seconds(*summary.date)));
    out["date"] = text.substr(0, 19) + "Z";
  } else {
    out["date"] = nullptr;
  }
  if (summary.message_id.empty()) {
    out["message_id"] = nullptr;
  } else {
    out["message_id"] = summary.message_id;
  }
  out["has_text"] = summary.has_text;
  out["has_html"] = summary.has_html;
  std::vector<std::pair<std::string, std::size_t>> files;
  for (const NamedPart& part : summary.attachments) files.emplace_back(part.name, part.size);
  std::ranges::sort(files);
  json::array attachments;
  json::array attachment_names;
  for (const auto& [name, size] : files) {
    attachments.emplace_back(json::array{name, size});
    attachment_names.emplace_back(name);
  }
  out["attachments"] = attachments;
  out["attachment_names"] = attachment_names;
  return out;
}

/// Where this parser reads something else on purpose.
const std::set<std::string> kExceptions = {};

TEST(Torture, AgreesWithEveryFieldThatThreeOtherParsersAgreeOn) {
  const std::filesystem::path folder = CorpusFolder() / "torture";
  std::ifstream expected(folder / "expected.jsonl");
  if (!expected) GTEST_SKIP() << "no corpus at " << folder << ": set LATCHKEY_CORPUS to run this test";
  std::size_t fields = 0;
  std::size_t agreed = 0;
  for (std::string line; std::getline(expected, line);) {
    const json::value entry = json::parse(line);
    const std::string file(entry.at("file").as_string());
    const std::string raw = ReadFile(folder / "eml" / file);
    const json::object observed = Observed(Message::Parse(raw));
    for (const auto& [key, value] : entry.at("expect").as_object()) {
      ++fields;
      const std::string name = file + " " + std::string(key);
      if (json::serialize(observed.at(key)) == json::serialize(value)) {
        ++agreed;
        EXPECT_FALSE(kExceptions.contains(name)) << name << " agrees now: take it off the list";
      } else {
        EXPECT_TRUE(kExceptions.contains(name)) << name << "\n  expected " << json::serialize(value) << "\n  observed "
                                                << json::serialize(observed.at(key));
      }
    }
  }
  RecordProperty("fields", static_cast<int>(fields));
  RecordProperty("agreed", static_cast<int>(agreed));
  std::cout << agreed << " of " << fields << " agreed fields read the same\n";
}

}  // namespace
}  // namespace latchkey::simulator::mime
