#include "simulator/control/compose_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include "base/encoding.hpp"

namespace latchkey::simulator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Instant kNow = *ParseInstant("2026-11-20T12:31:05Z");

std::string Raw(std::string_view description) {
  const auto message = ComposeMessage(boost::json::parse(description).as_object(), kNow);
  return message ? message->raw : "error: " + message.error();
}

TEST(ComposeMessage, BytesArePassedOnUntouched) {
  EXPECT_EQ(Raw(R"({"eml": "Subject: x\r\n\r\ny"})"), "Subject: x\r\n\r\ny");
  EXPECT_EQ(Raw(R"({"raw": "U3ViamVjdDogeA=="})"), "Subject: x");
}

TEST(ComposeMessage, PartsBecomeAMessage) {
  const std::string raw = Raw(R"({"from": "Ada <ada@example.com>", "to": "bob@example.org", "subject": "Hello",
                                  "text": "Hi Bob", "message_id": "<1@example.com>", "in_reply_to": "<0@example.com>",
                                  "headers": {"List-Id": "<news.example.com>"}})");
  EXPECT_THAT(raw, HasSubstr("From: Ada <ada@example.com>\r\nTo: bob@example.org\r\nSubject: Hello\r\n"));
  EXPECT_THAT(raw, HasSubstr("Date: Fri, 20 Nov 2026 12:31:05 +0000\r\n"));
  EXPECT_THAT(raw, HasSubstr("In-Reply-To: <0@example.com>\r\nReferences: <0@example.com>\r\n"));
  EXPECT_THAT(raw, HasSubstr("List-Id: <news.example.com>\r\n"));
  EXPECT_THAT(raw, HasSubstr(Base64Encode("Hi Bob")));
}

TEST(ComposeMessage, OtherScriptsAreEncodedInNamesAndSubjectOnly) {
  const std::string raw =
      Raw(R"({"from": "\"Ада, Л.\" <ada@example.com>", "to": "b@example.org", "subject": "Привет"})");
  EXPECT_THAT(raw, HasSubstr("From: =?UTF-8?B?" + Base64Encode("Ада, Л.") + "?= <ada@example.com>"));
  EXPECT_THAT(raw, HasSubstr("Subject: =?UTF-8?B?"));
}

TEST(ComposeMessage, EncodedWordsNeverCutACharacter) {
  std::string subject;
  for (int i = 0; i < 60; ++i) subject += "あ";
  const std::string raw = Raw(R"({"from": "a@example.com", "to": "b@example.com", "subject": ")" + subject + "\"}");
  std::size_t at = 0;
  int words = 0;
  while ((at = raw.find("=?UTF-8?B?", at)) != std::string::npos) {
    at += 10;
    const auto bytes = Base64Decode(raw.substr(at, raw.find("?=", at) - at));
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->size() % 3, 0u);
    ++words;
  }
  EXPECT_GT(words, 1);
}

TEST(ComposeMessage, TextHtmlAndAttachmentsNest) {
  const std::string raw = Raw(R"({"from": "a@example.com", "to": "b@example.com", "text": "t", "html": "<p>t",
                                  "attachments": [{"filename": "Rechnung März.pdf", "mime_type": "application/pdf",
                                                   "base64": "JVBERg=="}]})");
  EXPECT_LT(raw.find("multipart/mixed"), raw.find("multipart/alternative"));
  EXPECT_THAT(raw, HasSubstr("Content-Type: application/pdf"));
  EXPECT_THAT(raw, HasSubstr("filename*=UTF-8''Rechnung%20M%C3%A4rz.pdf"));
}

TEST(ComposeMessage, LabelsThreadAndDateAreTaken) {
  const auto message = ComposeMessage(
      boost::json::parse(
          R"({"eml": "x", "label_ids": ["INBOX", "STARRED"], "thread_id": "t1", "date": "2020-01-01T00:00:00Z"})")
          .as_object(),
      kNow);
  ASSERT_TRUE(message);
  EXPECT_THAT(message->label_ids, ElementsAre("INBOX", "STARRED"));
  EXPECT_EQ(message->thread_id, "t1");
  EXPECT_EQ(message->internal_date, ParseInstant("2020-01-01T00:00:00Z"));
}

TEST(ComposeMessage, LineBreaksCannotAddHeaders) {
  EXPECT_THAT(
      Raw("{\"from\": \"a@example.com\", \"to\": \"b@example.com\", \"subject\": \"x\\r\\nBcc: c@example.com\"}"),
      ::testing::Not(HasSubstr("\nBcc:")));
}

TEST(ComposeMessage, MistakesAreNamed) {
  EXPECT_THAT(Raw("{}"), HasSubstr("\"from\" and \"to\""));
  EXPECT_THAT(Raw(R"({"raw": "***"})"), HasSubstr("base64url"));
  EXPECT_THAT(Raw(R"({"eml": "x", "date": "yesterday"})"), HasSubstr("\"date\""));
  EXPECT_THAT(Raw(R"({"eml": "x", "labels": []})"), HasSubstr("unknown field \"labels\""));
  EXPECT_THAT(Raw(R"({"from": "a@example.com", "to": "b@example.com", "attachments": [{"filename": "a"}]})"),
              HasSubstr("an attachment needs"));
}

}  // namespace
}  // namespace latchkey::simulator
