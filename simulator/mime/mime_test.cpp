#include <gtest/gtest.h>

#include "simulator/mime/charset.hpp"
#include "simulator/mime/date.hpp"
#include "simulator/mime/summary.hpp"

namespace latchkey::simulator::mime {
namespace {

std::vector<std::string> Emails(std::string_view text) {
  std::vector<std::string> out;
  for (const Address& address : ParseAddresses(text)) out.push_back(address.email);
  return out;
}

TEST(Header, DecodesCharactersSplitBetweenEncodedWords) {
  EXPECT_EQ(DecodeText("=?utf-8?B?w7w=?= =?utf-8?B?4pg=?=\r\n =?utf-8?B?gw==?="), "ü☃");
  EXPECT_EQ(DecodeText("=?iso-8859-1?Q?a=E4?= b =?koi8-r?Q?=C1?="), "aä b а");
  EXPECT_EQ(DecodeText("=?utf-8*de?q?x_y?="), "x y") << "RFC 2231 section 5";
  EXPECT_EQ(DecodeText("=?utf-8?x?broken?= and =?"), "=?utf-8?x?broken?= and =?");
}

TEST(Header, UnfoldsWithoutEatingBlanks) {
  EXPECT_EQ(Unfold("a;\r\n  b\r\n\tc"), "a;  b\tc");
  EXPECT_EQ(DecodeText("raw \xE4 byte"), "raw \uFFFD byte");
}

TEST(Header, DecodedNamesStayOneAddress) {
  const std::string text =
      DecodeAddressText("=?utf-8?Q?Doe=2C_Ann?= <ann@example.com>, \"=?utf-8?Q?B=22?=\" <b@example.com>");
  EXPECT_EQ(text, "\"Doe, Ann\" <ann@example.com>, \"B\\\"\" <b@example.com>");
  EXPECT_EQ(Emails(text), (std::vector<std::string>{"ann@example.com", "b@example.com"}));
}

TEST(Header, JoinsContinuedParameters) {
  const ParameterisedValue value = ParseParameterised(
      "Attachment; filename*1*=%20b; filename*0*=utf-8''%C3%A4; filename=\"plain\"; x = \"a;b\\\"c\" (comment)");
  EXPECT_EQ(value.value, "attachment");
  EXPECT_EQ(value.Get("filename"), "ä b");
  EXPECT_EQ(value.Get("x"), "a;b\"c");
}

TEST(Addresses, ReadsWhatIsReallySent) {
  EXPECT_EQ(Emails("Ann <ann@example.com>, ben@example.com (Ben), friends: c@example.com, d@example.com;"),
            (std::vector<std::string>{"ann@example.com", "ben@example.com", "c@example.com", "d@example.com"}));
  EXPECT_EQ(ParseAddresses("ben@example.com (Ben)")[0].name, "Ben");
  EXPECT_EQ(Emails("<@relay.example:e@example.com>"), std::vector<std::string>{"e@example.com"});
  EXPECT_EQ(Emails("<a@example.com>: <b@example.com>::;"), std::vector<std::string>{"a@example.com"});
  EXPECT_EQ(Emails("\"a b\"@example.com"), std::vector<std::string>{"\"a b\"@example.com"});
  EXPECT_TRUE(Emails("undisclosed-recipients:;").empty());
}

TEST(Addresses, HostileListsEndQuickly) {
  std::string groups;
  for (int i = 0; i < 200'000; ++i) groups += "g:<";
  ParseAddresses(groups);
  ParseAddresses(std::string(500'000, '('));
  ParseAddresses(std::string(500'000, ':'));
  EXPECT_LE(ParseAddresses([] {
              std::string many;
              for (int i = 0; i < 20'000; ++i) many += "a@example.com,";
              return many;
            }())
                .size(),
            kMaxAddresses);
}

TEST(Date, ReadsTheFormsThatOccur) {
  constexpr std::int64_t kExpected = 1'795'177'865;
  for (const char* text :
       {"Fri, 20 Nov 2026 12:31:05 +0000", "20 Nov 26 13:31:05 +0100", "Fri, 20 Nov 2026 07:31:05 EST",
        "Fri Nov 20 12:31:05 2026", "Fri, 20-Nov-2026 12:31:05 GMT (comment)", "2026-11-20T12:31:05Z",
        "2026-11-20 13:31:05.250+01:00", "Fri, 20 Nov 2026 12:31:05"}) {
    EXPECT_EQ(ParseDate(text), kExpected) << text;
  }
  for (const char* text : {"", "yesterday", "32 Nov 2026 12:00:00 +0000", "Fri, 20 Nov 2026 25:00:00 +0000"}) {
    EXPECT_EQ(ParseDate(text), std::nullopt) << text;
  }
  EXPECT_EQ(FormatDate(kExpected), "Fri, 20 Nov 2026 12:31:05 +0000");
}

TEST(Message, SplitsBrokenMultiparts) {
  const std::string unclosed =
      "Content-Type: multipart/mixed; boundary=\"b\"\n\npreamble\n--b\n\none\n--b  \nContent-Type: "
      "text/html\n\n<p>two";
  const Message message = Message::Parse(unclosed);
  ASSERT_EQ(message.root().parts.size(), 2U);
  EXPECT_EQ(message.root().parts[0].body, "one");
  EXPECT_EQ(message.root().parts[1].type, "text/html");
  const std::string cr_only = "Subject: cr\r\rbody\r";
  EXPECT_EQ(Summarise(Message::Parse(cr_only)).text, "body\n");
}

TEST(Message, DepthAndPartsAreBounded) {
  std::string deep;
  for (int i = 0; i < 20'000; ++i) deep += "Content-Type: multipart/mixed; boundary=b\n\n--b\n";
  Summarise(Message::Parse(deep));
  std::string distinct;
  for (int i = 0; i < 3'000; ++i) {
    distinct += "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "\n\n--b" + std::to_string(i) + "\n";
  }
  Summarise(Message::Parse(distinct));
  std::string attached;
  for (int i = 0; i < 20'000; ++i) attached += "Content-Type: message/rfc822\n\n";
  Summarise(Message::Parse(attached));
  std::string wide = "Content-Type: multipart/mixed; boundary=b\n\n";
  for (int i = 0; i < 50'000; ++i) wide += "--b\n\nx\n";
  EXPECT_LE(Message::Parse(wide).root().parts.size(), Message::kMaxParts);
}

TEST(Message, HostileHeadersStayLinear) {
  std::string openings = "Subject: ";
  for (int i = 0; i < 100'000; ++i) openings += "=?a?q?";
  Summarise(Message::Parse(openings));
  std::string words = "Subject: ";
  for (int i = 0; i < 50'000; ++i) words += "=?utf-8?q?x?= ";
  EXPECT_EQ(Summarise(Message::Parse(words)).subject.size(), 50'000U);
  std::string folds = "Subject: x";
  for (int i = 0; i < 200'000; ++i) folds += "\n y";
  Summarise(Message::Parse(folds));
}

TEST(Preview, ShowsWhatAReaderSeesFirst) {
  const std::string html =
      "Content-Type: text/html; charset=utf-8\n\n<style>p{}</style><p>A&amp;B &#8364; <b>bold</b></p>";
  EXPECT_EQ(PreviewText(Message::Parse(html)), "A&B € bold");
  const std::string plain = "Subject: x\n\n  one\r\n\r\n two  ";
  EXPECT_EQ(PreviewText(Message::Parse(plain)), "one two");
}

TEST(Charset, ReadsAliasesAndUnknownNames) {
  EXPECT_EQ(ToUtf8("\xA4\xA4", "big5"), "中");
  EXPECT_EQ(ToUtf8("\x80", "iso-8859-1"), "€");
  EXPECT_EQ(ToUtf8("gr\xC3\xBC", "x-never-heard-of"), "grü");
  EXPECT_EQ(ToUtf8("\x1b$B$\"\x1b(B", "iso-2022-jp"), "あ");
  EXPECT_TRUE(IsValidUtf8("ü☃𝄞"));
  for (const char* bad : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x98", "\x80"}) {
    EXPECT_FALSE(IsValidUtf8(bad));
  }
}

TEST(Transfer, DecodesTolerantly) {
  EXPECT_EQ(DecodeTransfer("QUJ\r\nD RA= =\r\nRQ==", TransferEncoding::kBase64), "ABCDE");
  EXPECT_EQ(DecodeTransfer("a=\r\nb=3D=ZZ  \r\nc=E4", TransferEncoding::kQuotedPrintable), "ab==ZZ\r\nc\xE4");
  EXPECT_EQ(DecodeTransfer("begin 644 x\n#0V%T\n`\nend\n", TransferEncoding::kUuencode), "Cat");
  EXPECT_EQ(ParseTransferEncoding(" Quoted-Printable (sic)"), TransferEncoding::kQuotedPrintable);
}

}  // namespace
}  // namespace latchkey::simulator::mime
