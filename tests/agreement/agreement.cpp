#include "tests/agreement/agreement.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include "base/clock.hpp"

namespace latchkey::agreement {
namespace {

namespace json = boost::json;

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return c < 128 ? std::tolower(c) : c; });
  return text;
}

json::array Emails(const std::vector<mail::Address>& addresses) {
  json::array out;
  for (const mail::Address& address : addresses) out.emplace_back(Lower(address.address));
  return out;
}

}  // namespace

std::filesystem::path CorpusFolder() {
  if (const char* folder = std::getenv("LATCHKEY_CORPUS")) return folder;
  return std::filesystem::path(LATCHKEY_SOURCE_DIR) / ".." / "shared" / "corpus";
}

std::string Squeezed(std::string text) {
  for (std::size_t at = 0; (at = text.find("\u00A0", at)) != std::string::npos;) text.replace(at, 2, " ");
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) > ' ') {
      out.push_back(c);
    } else if (!out.empty() && out.back() != ' ') {
      out.push_back(' ');
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

bool IsBlank(const std::string& text) { return Squeezed(text).empty(); }

json::object Observed(const mail::Message& message) {
  json::object out;
  out["subject"] = Squeezed(message.subject);
  out["from"] = Emails(message.from);
  out["to"] = Emails(message.to);
  out["cc"] = Emails(message.cc);
  json::array names;
  for (const mail::Address& address : message.from) names.emplace_back(Squeezed(address.name));
  out["from_name"] = std::move(names);
  out["date"] = nullptr;
  if (message.sent_at) out["date"] = FormatInstant(*message.sent_at).substr(0, 19) + "Z";
  out["message_id"] = nullptr;
  if (!message.rfc822_message_id.empty()) out["message_id"] = "<" + message.rfc822_message_id + ">";
  out["has_text"] = !IsBlank(message.text);
  out["has_html"] = !IsBlank(message.html);
  std::vector<std::pair<std::string, std::int64_t>> files;
  for (const mail::Attachment& attachment : message.attachments) {
    if (!attachment.name.empty()) files.emplace_back(attachment.name, attachment.size);
  }
  std::ranges::sort(files);
  json::array attachments;
  json::array attachment_names;
  for (const auto& [name, size] : files) {
    attachments.push_back(json::array{name, size});
    attachment_names.emplace_back(name);
  }
  out["attachments"] = std::move(attachments);
  out["attachment_names"] = std::move(attachment_names);
  return out;
}

bool HoldAgainstTorture(const std::function<mail::Message(std::string raw)>& read, const Exceptions& exceptions,
                        const Carried& carried) {
  const std::filesystem::path folder = CorpusFolder() / "torture";
  std::ifstream expected(folder / "expected.jsonl");
  if (!expected) return false;
  std::size_t fields = 0;
  std::size_t agreed = 0;
  for (std::string line; std::getline(expected, line);) {
    const json::value entry = json::parse(line);
    const std::string file(entry.at("file").as_string());
    std::ifstream stream(folder / "eml" / file, std::ios::binary);
    std::string raw(std::istreambuf_iterator<char>(stream), {});
    if (raw.empty()) continue;  // No provider holds a message without a byte.
    const json::object observed = Observed(read(std::move(raw)));
    const json::object& expect = entry.at("expect").as_object();
    for (const auto& field : expect) {
      const std::string key(field.key());
      const std::optional<json::value> wanted = carried(key, expect);
      if (!wanted) continue;
      const json::value& value = *wanted;
      ++fields;
      const std::string name = file + " " + key;
      // The client does not tell a missing subject from an empty one.
      const bool same = key == "subject" && value.is_null()
                            ? observed.at(key).as_string().empty()
                            : json::serialize(observed.at(key)) == json::serialize(value);
      agreed += same ? 1 : 0;
      EXPECT_FALSE(same && exceptions.contains(name)) << name << " arrives now: take it off the list";
      EXPECT_TRUE(same || exceptions.contains(name))
          << name << "\n  expected " << json::serialize(value) << "\n  observed " << json::serialize(observed.at(key));
    }
  }
  std::cout << agreed << " of " << fields << " agreed fields arrive\n";
  return true;
}

void ExpectAgreement(const json::object& oracle, const mail::Message& message, bool one_body) {
  const std::string id(oracle.at("id").as_string());
  const auto emails = [](const json::value& list) {
    json::array out;
    for (const json::value& entry : list.as_array())
      out.emplace_back(Lower(std::string(entry.at("email").as_string())));
    return out;
  };
  EXPECT_EQ(message.external_id, id);
  EXPECT_EQ(Squeezed(message.subject), Squeezed(std::string(oracle.at("subject").as_string()))) << id;
  EXPECT_EQ(Emails(message.from), emails(oracle.at("from"))) << id;
  EXPECT_EQ(Emails(message.to), emails(oracle.at("to"))) << id;
  EXPECT_EQ(Emails(message.cc), emails(oracle.at("cc"))) << id;
  const bool text_told = !one_body || !oracle.at("hasHtml").as_bool();
  if (text_told) EXPECT_EQ(IsBlank(message.text), !oracle.at("hasText").as_bool()) << id;
  EXPECT_EQ(IsBlank(message.html), !oracle.at("hasHtml").as_bool()) << id;
  if (oracle.at("date").is_null()) {
    EXPECT_FALSE(message.sent_at) << id;
  } else {
    EXPECT_TRUE(message.sent_at && FormatInstant(*message.sent_at) == oracle.at("date").as_string()) << id;
  }
  std::size_t named = 0;
  for (const mail::Attachment& attachment : message.attachments) named += attachment.name.empty() ? 0 : 1;
  EXPECT_EQ(named, oracle.at("attachments").as_array().size()) << id;
}

}  // namespace latchkey::agreement
