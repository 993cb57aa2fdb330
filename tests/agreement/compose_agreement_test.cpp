// What the server writes, the simulator's own MIME reader reads back: values, lines, nesting, bytes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "mail/compose.hpp"
#include "simulator/mime/address.hpp"
#include "simulator/mime/message.hpp"

namespace latchkey {
namespace {

using mail::Address;
using mail::OutgoingMail;
using simulator::mime::Message;
using simulator::mime::Part;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

const mail::OutboxId kId("01890000-0000-7000-8000-00000000000a");
const Instant kDate = FromMicros(1'800'000'000'000'000);

OutgoingMail Simple() {
  OutgoingMail mail;
  mail.from = {.name = "Ada Beispiel", .address = "ada@example.com"};
  mail.to = {{.name = "Grace", .address = "grace@example.org"}};
  mail.subject = "Hello";
  mail.text = "Hello\n";
  mail.message_id = kId.text() + "@mail.example.com";
  return mail;
}

std::string Write(const OutgoingMail& mail, const std::vector<std::string>& contents = {}) {
  auto written = mail::ComposeMail(mail, kId, kDate, contents);
  EXPECT_TRUE(written) << (written ? "" : written.error().detail);
  return written.value_or("");
}

/// Every line short, ended by CRLF, in ASCII.
void ExpectCleanLines(const std::string& raw) {
  std::size_t begin = 0;
  while (begin < raw.size()) {
    const std::size_t end = raw.find("\r\n", begin);
    ASSERT_NE(end, std::string::npos) << "the last line has no end";
    const std::string line = raw.substr(begin, end - begin);
    EXPECT_LE(line.size(), 998U) << line.substr(0, 80);
    for (const char c : line) {
      ASSERT_TRUE(c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f)) << line;
    }
    begin = end + 2;
  }
}

std::string Text(const Part& part) {
  std::string text = part.Text();
  std::erase(text, '\r');
  return text;
}

TEST(ComposeAgreement, HeadersComeBackAsTheyWere) {
  OutgoingMail mail = Simple();
  mail.from.name = "Ada \"Countess\" Lövelace, née Byron";
  mail.to = {{.name = "Ünïcödé, with comma", .address = "a@example.org"},
             {.name = "", .address = "b.c+d@example.net"},
             {.name = "日本語の名前がここに入りますとても長い名前です", .address = "c@xn--bcher-kva.example"}};
  mail.cc = {{.name = "Group: not a group;", .address = "d@example.org"}};
  mail.bcc = {{.name = "", .address = "hidden@example.org"}};
  mail.subject =
      "Grüße aus Köln — ein sehr langer Betreff, der ganz sicher nicht in eine Zeile passt, weil er viel zu "
      "lang ist, 🚀 und noch etwas länger";
  mail.in_reply_to = "original@example.org";
  for (int i = 0; i < 30; ++i)
    mail.references.push_back("ref" + std::to_string(i) + "." + std::string(60, 'r') + "@example.org");
  const std::string raw = Write(mail);
  ExpectCleanLines(raw);
  const Message message = Message::Parse(raw);
  EXPECT_EQ(message.Header("Subject"), mail.subject);
  EXPECT_EQ(message.Header("Message-ID"), "<" + mail.message_id + ">");
  EXPECT_EQ(message.Header("In-Reply-To"), "<original@example.org>");
  EXPECT_EQ(message.Header("X-Latchkey-Outbox-Id"), kId.text());
  EXPECT_THAT(message.Header("Date"), HasSubstr("2027"));
  for (const auto& reference : mail.references)
    EXPECT_THAT(message.Header("References"), HasSubstr("<" + reference + ">"));
  const auto expect = [&](const char* name, const std::vector<Address>& people) {
    const auto& header = message.root().header;
    const auto read = simulator::mime::ParseAddresses(simulator::mime::DecodeAddressText(header.Get(name)));
    ASSERT_THAT(read, SizeIs(people.size())) << name;
    for (std::size_t i = 0; i < people.size(); ++i) {
      EXPECT_EQ(read[i].email, people[i].address);
      EXPECT_EQ(read[i].name, people[i].name);
    }
  };
  expect("From", {mail.from});
  expect("To", mail.to);
  expect("Cc", mail.cc);
  expect("Bcc", mail.bcc);
}

TEST(ComposeAgreement, TextHtmlPicturesAndFilesNestAsReadersExpect) {
  OutgoingMail mail = Simple();
  mail.text = "Tschüß\n.\n-- \nline with trailing blank \n" + std::string(3000, 'x') + "\nFrom here\n";
  mail.html = "<p>Tschüß <img src=\"cid:logo@example.com\"></p>";
  mail.attachments = {
      {.upload = {}, .name = "logo.png", .mime_type = "image/png", .content_id = "logo@example.com", .is_inline = true},
      {.upload = {}, .name = "Übersicht \"final\".pdf", .mime_type = "application/pdf"},
      {.upload = {}, .name = "evil.eml", .mime_type = "message/rfc822"},
      {.upload = {}, .name = "nothing", .mime_type = "not a type\r\nX: y"}};
  std::string bytes(100'000, '\0');
  std::mt19937 random(7);
  for (char& c : bytes) c = static_cast<char>(random());
  const std::string raw = Write(mail, {"\x89PNG\r\n", bytes, "From: x\r\n\r\n--boundary--", ""});
  ExpectCleanLines(raw);
  const Message message = Message::Parse(raw);
  const Part& root = message.root();
  ASSERT_EQ(root.type, "multipart/mixed");
  ASSERT_THAT(root.parts, SizeIs(4));
  const Part& alternative = root.parts[0];
  ASSERT_EQ(alternative.type, "multipart/alternative");
  ASSERT_THAT(alternative.parts, SizeIs(2));
  EXPECT_EQ(alternative.parts[0].type, "text/plain");
  EXPECT_EQ(Text(alternative.parts[0]), mail.text);
  ASSERT_EQ(alternative.parts[1].type, "multipart/related");
  ASSERT_THAT(alternative.parts[1].parts, SizeIs(2));
  EXPECT_EQ(Text(alternative.parts[1].parts[0]), mail.html + "\n");
  const Part& picture = alternative.parts[1].parts[1];
  EXPECT_EQ(picture.Decoded(), "\x89PNG\r\n");
  EXPECT_EQ(picture.header.Get("Content-ID"), "<logo@example.com>");
  EXPECT_EQ(root.parts[1].filename, mail.attachments[1].name);
  EXPECT_EQ(root.parts[1].type, "application/pdf");
  EXPECT_EQ(root.parts[1].disposition, "attachment");
  EXPECT_EQ(root.parts[1].Decoded(), bytes);
  EXPECT_EQ(root.parts[2].type, "application/octet-stream") << "no message inside a message";
  EXPECT_EQ(root.parts[2].Decoded(), "From: x\r\n\r\n--boundary--");
  EXPECT_EQ(root.parts[3].type, "application/octet-stream");
}

TEST(ComposeAgreement, RandomTextsSurvive) {
  const std::vector<std::string> alphabet = {"a", " ",  "\n", "ß",  "日", "🚀", "=", ".",
                                             "-", "\t", ",",  "\"", "<",  "?",  "_", "From "};
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const auto draw = [&](std::size_t most, bool lines) {
      std::string out;
      const std::size_t count = random() % most;
      for (std::size_t i = 0; i < count; ++i) {
        const std::string& piece = alphabet[random() % alphabet.size()];
        if (lines || (piece != "\n" && piece != "\t")) out += piece;
      }
      return out;
    };
    OutgoingMail mail = Simple();
    mail.subject = "s" + draw(120, false) + "e";
    mail.text = draw(2000, true) + "\n";
    const std::string raw = Write(mail);
    ExpectCleanLines(raw);
    const Message message = Message::Parse(raw);
    EXPECT_EQ(message.Header("Subject"), mail.subject) << seed;
    EXPECT_EQ(Text(message.root()), mail.text) << seed;
  }
}

TEST(ComposeAgreement, NothingCanBreakAHeaderApart) {
  const std::string evil = "x\r\nBcc: victim@example.org";
  for (int place = 0; place < 7; ++place) {
    OutgoingMail mail = Simple();
    mail.attachments = {{.upload = {}, .name = "a", .mime_type = "text/plain"}};
    if (place == 0) mail.subject = evil;
    if (place == 1) mail.to[0].name = evil;
    if (place == 2) mail.to[0].address = evil;
    if (place == 3) mail.in_reply_to = evil;
    if (place == 4) mail.references = {evil};
    if (place == 5) mail.attachments[0].name = evil;
    if (place == 6) mail.attachments[0].content_id = evil;
    const auto written = mail::ComposeMail(mail, kId, kDate, {""});
    ASSERT_FALSE(written) << place;
    EXPECT_EQ(written.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace latchkey
