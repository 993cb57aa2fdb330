#include "providers/google/gmail_message.hpp"

#include <gmock/gmock.h>

#include "base/encoding.hpp"

namespace latchkey::google {
namespace {

using ::testing::ElementsAre;

ParsedMessage Parse(std::string json) {
  auto parsed = ParseGmailMessage(json);
  EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().detail);
  return parsed.value_or(ParsedMessage{});
}

std::string Data(std::string_view bytes) { return Base64UrlEncode(bytes); }

std::string Leaf(std::string_view id, std::string_view type, std::string_view bytes,
                 std::string_view extra_headers = "", std::string_view filename = "") {
  const std::string mime(type.substr(0, type.find(';')));
  return R"({"partId":")" + std::string(id) + R"(","mimeType":")" + mime + R"(","filename":")" + std::string(filename) +
         R"(","headers":[{"name":"Content-Type","value":")" + std::string(type) + R"("})" + std::string(extra_headers) +
         R"(],"body":{"size":)" + std::to_string(bytes.size()) + R"(,"data":")" + Data(bytes) + R"("}})";
}

std::string Multi(std::string_view id, std::string_view type, std::initializer_list<std::string> parts) {
  std::string json = R"({"partId":")" + std::string(id) + R"(","mimeType":")" + std::string(type) +
                     R"(","filename":"","headers":[],"body":{"size":0},"parts":[)";
  bool first = true;
  for (const std::string& part : parts) {
    if (!first) json += ',';
    json += part;
    first = false;
  }
  return json + "]}";
}

std::string Envelope(std::string_view payload) {
  return R"({"id":"m1","threadId":"t1","payload":)" + std::string(payload) + "}";
}

TEST(GmailMessage, ReadsARecordedMultipartMessage) {
  const ParsedMessage parsed = Parse(
      R"x({"id":"19ddaab064b93cf0","threadId":"19ddaaa45f6506b0","labelIds":["UNREAD","CATEGORY_PERSONAL","INBOX"],)x"
      R"x("snippet":"Hello Ada, wasn&#39;t it","payload":{"partId":"","mimeType":"multipart/mixed","filename":"","headers":[)x"
      R"x({"name":"Delivered-To","value":"ada@example.com"},{"name":"Date","value":"Wed, 29 Apr 2026 22:15:33 +0300"},)x"
      R"x({"name":"Message-ID","value":"<CAPvk@mail.example>"},{"name":"In-Reply-To","value":"<a@b>"},)x"
      R"x({"name":"References","value":"<r1@b> <a@b>"},{"name":"Subject","value":"=?UTF-8?Q?Gr=C3=BC=C3=9Fe?="},)x"
      R"x({"name":"From","value":"Victor Example <victor@example.org>"},{"name":"To","value":"Ada Lovelace <ada@example.com>"},)x"
      R"x({"name":"Content-Type","value":"multipart/mixed; boundary=\"0\""}],"body":{"size":0},"parts":[{"partId":"0","mimeType":)x"
      R"x("multipart/alternative","filename":"","headers":[],"body":{"size":0},"parts":[{"partId":"0.0","mimeType":"text/plain",)x"
      R"x("filename":"","headers":[{"name":"Content-Type","value":"text/plain; charset=\"UTF-8\""}],"body":{"size":36,"data":)x"
      R"x("SGVsbG8gQWRhLA0Kc2VlIHRoZSBhdHRhY2hlZCBmaWxlLg0K"}},{"partId":"0.1","mimeType":"text/html","filename":"","headers":)x"
      R"x([{"name":"Content-Type","value":"text/html; charset=\"UTF-8\""}],"body":{"size":59,"data":)x"
      R"x("PGRpdiBkaXI9Imx0ciI-SGVsbG8gQWRhLDxicj5zZWUgdGhlIGF0dGFjaGVkIGZpbGUuPC9kaXY-DQo="}}]},{"partId":"1","mimeType":)x"
      R"x("text/plain","filename":"test.txt","headers":[{"name":"Content-Type","value":"text/plain; name=\"test.txt\""},)x"
      R"x({"name":"Content-Disposition","value":"attachment; filename=\"test.txt\""},{"name":"Content-ID","value":"<f_mok1>"}],)x"
      R"x("body":{"attachmentId":"ANGjdJ98","size":43}}]},"sizeEstimate":1054,"historyId":"87948","internalDate":"1777490133000"})x");
  const mail::Message& m = parsed.message;
  EXPECT_EQ(m.external_id, "19ddaab064b93cf0");
  EXPECT_EQ(m.thread_id, "19ddaaa45f6506b0");
  EXPECT_EQ(m.version, 87948U);
  EXPECT_EQ(m.subject,
            "Gr\xC3\xBC\xC3\x9F"
            "e");
  EXPECT_EQ(m.from.at(0).name, "Victor Example");
  EXPECT_EQ(m.to.at(0).address, "ada@example.com");
  EXPECT_EQ(m.rfc822_message_id, "CAPvk@mail.example");
  EXPECT_EQ(m.in_reply_to, "a@b");
  EXPECT_THAT(m.references, ElementsAre("r1@b", "a@b"));
  EXPECT_EQ(FormatInstant(*m.sent_at), "2026-04-29T19:15:33.000000Z");
  EXPECT_EQ(FormatInstant(m.received_at), "2026-04-29T19:15:33.000000Z");
  EXPECT_EQ(m.text, "Hello Ada,\nsee the attached file.\n");
  EXPECT_EQ(m.html, "<div dir=\"ltr\">Hello Ada,<br>see the attached file.</div>\n");
  EXPECT_EQ(m.snippet, "Hello Ada, wasn't it");
  EXPECT_THAT(m.label_ids, ElementsAre("CATEGORY_PERSONAL", "INBOX", "UNREAD"));
  EXPECT_FALSE(m.is_read);
  EXPECT_FALSE(m.truncated);
  ASSERT_EQ(m.attachments.size(), 1U);
  EXPECT_EQ(m.attachments[0].name, "test.txt");
  EXPECT_EQ(m.attachments[0].part_id, "1");
  EXPECT_EQ(m.attachments[0].provider_id, "ANGjdJ98");
  EXPECT_EQ(m.attachments[0].size, 43);
  EXPECT_EQ(m.attachments[0].content_id, "f_mok1");
  EXPECT_FALSE(m.attachments[0].is_inline);
  EXPECT_TRUE(parsed.deferred.empty());
}

TEST(GmailMessage, ReadsTheMinimalForm) {
  const mail::Message m =
      Parse(R"({"id":"1","threadId":"2","labelIds":["STARRED","DRAFT"],"historyId":"18446744073709551615"})").message;
  EXPECT_EQ(m.version, 18446744073709551615U);
  EXPECT_TRUE(m.is_read);
  EXPECT_TRUE(m.is_starred);
  EXPECT_TRUE(m.is_draft);
}

TEST(GmailMessage, DecodesEachPartByItsOwnCharset) {
  const mail::Message m =
      Parse(Envelope(Multi("", "multipart/alternative",
                           {Leaf("0", "text/plain; charset=windows-1251", "\xCF\xF0\xE8\xE2\xE5\xF2"),
                            Leaf("1", "text/html; charset=gb2312", "<p>\xC4\xE3\xBA\xC3</p>")})))
          .message;
  EXPECT_EQ(m.text, "\u041f\u0440\u0438\u0432\u0435\u0442");
  EXPECT_EQ(m.html, "<p>\u4f60\u597d</p>");
}

TEST(GmailMessage, JoinsSeveralTextPartsAndLeavesAttachedMessagesAlone) {
  const std::string attached =
      R"({"partId":"2","mimeType":"message/rfc822","filename":"fwd.eml","headers":[],"body":{"size":9,)"
      R"("attachmentId":"A"},"parts":[)" +
      Leaf("2.0", "text/plain", "inside") + "]}";
  const mail::Message m =
      Parse(Envelope(Multi("", "multipart/mixed",
                           {Leaf("0", "text/plain", "one"), Leaf("1", "text/plain", "footer"), attached})))
          .message;
  EXPECT_EQ(m.text, "one\nfooter");
  ASSERT_EQ(m.attachments.size(), 1U);
  EXPECT_EQ(m.attachments[0].name, "fwd.eml");
}

TEST(GmailMessage, NamesAttachmentsFromEveryPlaceThatCarriesAName) {
  const mail::Message m =
      Parse(Envelope(Multi(
                "", "multipart/mixed",
                {Leaf("0", "application/pdf", "x",
                      R"(,{"name":"Content-Disposition","value":"attachment; filename*=utf-8''%C3%BC.pdf"})"),
                 Leaf("1", "image/png", "x", R"(,{"name":"Content-ID","value":"<logo@x>"})", "=?utf-8?B?w7wucG5n?="),
                 Leaf("2", "image/gif; name=../a.gif", "x"), Leaf("3", "image/jpeg", "x")})))
          .message;
  ASSERT_EQ(m.attachments.size(), 4U);
  EXPECT_EQ(m.attachments[0].name, "\xC3\xBC.pdf");
  EXPECT_EQ(m.attachments[1].name, "\xC3\xBC.png");
  EXPECT_TRUE(m.attachments[1].is_inline);
  EXPECT_EQ(m.attachments[2].name, ".._a.gif");
  EXPECT_EQ(m.attachments[3].name, "");
}

TEST(GmailMessage, DefersTextThatIsKeptApart) {
  ParsedMessage parsed = Parse(Envelope(
      R"({"mimeType":"text/html","filename":"","headers":[{"name":"Content-Type","value":"text/html; charset=utf-8"}],)"
      R"("body":{"size":5000000,"attachmentId":"big"}})"));
  ASSERT_EQ(parsed.deferred.size(), 1U);
  EXPECT_EQ(parsed.deferred[0].attachment_id, "big");
  EXPECT_TRUE(parsed.deferred[0].html);
  AddBodyText(parsed.message, parsed.deferred[0], std::string((1 << 20) + 5, 'x'));
  CompleteMessage(parsed.message);
  EXPECT_EQ(parsed.message.html.size(), kMaxBodyBytes);
  EXPECT_TRUE(parsed.message.truncated);
  EXPECT_FALSE(parsed.message.snippet.empty());
}

TEST(GmailMessage, TextIsNormalised) {
  const mail::Message m =
      Parse(R"x({"id":"m","payload":{"headers":[{"name":"Subject","value":"a\ud800b\u0000c\u65e5"},)x"
            R"x({"name":"From","value":"\"x\u0000\" <a@EXAMPLE.com>"}],"mimeType":"text/plain","body":{"data":")x" +
            Data(std::string("a\0\xFF"
                             "b\r\n",
                             6)) +
            R"x("}}})x")
          .message;
  EXPECT_EQ(m.subject,
            "a\xEF\xBF\xBD"
            "bc\u65e5");
  EXPECT_EQ(m.from.at(0).address, "a@example.com");
  EXPECT_EQ(m.text,
            "a\u00ff"
            "b\n");
}

TEST(GmailMessage, BoundsDepthPartsAndBodies) {
  std::string deep;
  for (int i = 0; i < 900; ++i) deep += R"({"mimeType":"multipart/mixed","parts":[)";
  deep += Leaf("x", "text/plain", "bottom");
  for (int i = 0; i < 900; ++i) deep += "]}";
  EXPECT_TRUE(Parse(Envelope(deep)).message.truncated);

  std::string wide = R"({"mimeType":"multipart/mixed","parts":[)";
  for (int i = 0; i < 3000; ++i) wide += (i == 0 ? "" : ",") + Leaf("1", "image/png", "x");
  const mail::Message many = Parse(Envelope(wide + "]}")).message;
  EXPECT_TRUE(many.truncated);
  EXPECT_LE(many.attachments.size(), kMaxAttachments);

  const mail::Message big = Parse(Envelope(Leaf("", "text/plain", std::string(3 << 20, 'y')))).message;
  EXPECT_TRUE(big.truncated);
  EXPECT_EQ(big.text.size(), kMaxBodyBytes);
}

TEST(GmailMessage, RefusesWhatIsNoMessage) {
  for (std::string json :
       {"", "[]", "{", "{}", "null", R"({"id":5})", R"({"id":"x","payload":{"headers":[}})", "<html>"}) {
    auto parsed = ParseGmailMessage(json);
    ASSERT_FALSE(parsed.has_value()) << json;
    EXPECT_EQ(parsed.error().code, ErrorCode::kMalformedReply);
  }
}

}  // namespace
}  // namespace latchkey::google
