#include <string>

#include <gmock/gmock.h>

#include "mail/charset.hpp"
#include "mail/header_text.hpp"
#include "mail/html_text.hpp"
#include "mail/mail_date.hpp"

namespace latchkey::mail {
namespace {

std::string Date(std::string_view text) {
  const auto instant = ParseMailDate(text);
  return instant ? FormatInstant(*instant).substr(0, 19) : "none";
}

TEST(MailDate, EndsWithTheLastSecondThatRfc3339CanWrite) {
  EXPECT_EQ(Date("Fri, 31 Dec 9999 23:59:59 +0000"), "9999-12-31T23:59:59");
  EXPECT_FALSE(ParseMailDate("Fri, 31 Dec 9999 23:59:59 -0100"));
}

TEST(MailDate, ReadsTheFormsMailHas) {
  EXPECT_EQ(Date("Fri, 20 Apr 2001 19:35:02 -0400"), "2001-04-20T23:35:02");
  EXPECT_EQ(Date("20 Apr 01 19:35 EDT"), "2001-04-20T23:35:00");
  EXPECT_EQ(Date("Fri, 20 Apr 2001 19:35:02 -0400 (EDT)"), "2001-04-20T23:35:02");
  EXPECT_EQ(Date("Fri Apr 20 19:35:02 2001"), "2001-04-20T19:35:02");
  EXPECT_EQ(Date("Fri, 20 Apr 2001 19:35:02 GMT"), "2001-04-20T19:35:02");
  EXPECT_EQ(Date("Fri, 20 Apr 2001 19:35:02 Z"), "2001-04-20T19:35:02");
  EXPECT_EQ(Date("Fri, 20 Apr 2001 19:35:02"), "2001-04-20T19:35:02");
  EXPECT_EQ(Date("(comment) Fri (x), 20 (y) Apr 2001 19:35:02 +0200"), "2001-04-20T17:35:02");
  EXPECT_EQ(Date("20-Apr-2001 19:35:02 +0000"), "2001-04-20T19:35:02");
  EXPECT_EQ(Date("2001-04-20T19:35:02Z"), "2001-04-20T19:35:02");
  EXPECT_EQ(Date("Mon, 1 Jan 70 00:00:00 +0000"), "1970-01-01T00:00:00");
  EXPECT_EQ(Date("Sat, 29 Feb 2020 23:59:60 +0000"), "2020-03-01T00:00:00");
}

TEST(MailDate, RefusesWhatIsNoDate) {
  for (const std::string_view text :
       {"", "yesterday", "32 Jan 2001 10:00:00 +0000", "30 Feb 2001 10:00", "Fri, 20 Apr 2001", "20 Foo 2001 10:00",
        "20 Apr 2001 25:00:00", "((((((", "-", "Apr Apr Apr"}) {
    EXPECT_EQ(Date(text), "none") << text;
  }
}

TEST(HeaderText, DecodesEncodedWords) {
  EXPECT_EQ(DecodeHeaderText("=?UTF-8?Q?Gr=C3=BC=C3=9Fe?="),
            "Gr\xC3\xBC\xC3\x9F"
            "e");
  EXPECT_EQ(DecodeHeaderText("Re: =?iso-8859-1?q?caf=E9?= today"), "Re: caf\xC3\xA9 today");
  EXPECT_EQ(DecodeHeaderText("=?utf-8?B?44GT44KT?= =?utf-8?B?44Gr44Gh44Gv?="), "\u3053\u3093\u306b\u3061\u306f");
  // One character split over two words.
  EXPECT_EQ(DecodeHeaderText("=?utf-8?Q?=E3=81?= =?utf-8?Q?=93?="), "\u3053");
  EXPECT_EQ(DecodeHeaderText("=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?="), "\u65e5\u672c");
  EXPECT_EQ(DecodeHeaderText("=?x-unknown?Q?abc?="), "abc");
  EXPECT_EQ(DecodeHeaderText("=?utf-8?Q?two words?= here"), "two words here");
  EXPECT_EQ(DecodeHeaderText("a\r\n b\tc"), "a b c");
  EXPECT_EQ(DecodeHeaderText("already \u65e5\u672c"), "already \u65e5\u672c");
  EXPECT_EQ(DecodeHeaderText("=?broken"), "=?broken");
}

TEST(HeaderText, ReadsParameters) {
  const auto parsed = ParseParameterised("Text/Plain; charset=\"UTF-8\"; name*0*=utf-8''a%20; name*1=b.txt");
  EXPECT_EQ(parsed.value, "text/plain");
  EXPECT_EQ(FindParameter(parsed.parameters, "charset"), "UTF-8");
  EXPECT_EQ(FindParameter(parsed.parameters, "name"), "a b.txt");
  EXPECT_EQ(FindParameter(parsed.parameters, "format"), std::nullopt);
  EXPECT_EQ(FindParameter(" filename=\"=?utf-8?B?w7wudHh0?=\"", "filename"), "\xC3\xBC.txt");
  EXPECT_EQ(FindParameter(" filename*=iso-8859-1'en'%E9.txt", "filename"), "\xC3\xA9.txt");
  EXPECT_EQ(FindParameter(" x=\"a;b\\\"c\" ; y=z", "x"), "a;b\"c");
}

TEST(HeaderText, FileNamesHoldNoPathAndNoTricks) {
  EXPECT_EQ(SafeFileName("../../etc/passwd"), ".._.._etc_passwd");
  EXPECT_EQ(SafeFileName("ann\xE2\x80\xAEgpj.exe"), "anngpj.exe");
  EXPECT_EQ(SafeFileName("a\r\nb\t.txt"), "ab.txt");
  EXPECT_EQ(SafeFileName(".."), "");
}

TEST(Charset, ConvertsAndNeverFails) {
  EXPECT_EQ(ToUtf8("caf\xE9", "iso-8859-1"), "caf\xC3\xA9");
  EXPECT_EQ(ToUtf8("\x93quoted\x94", "us-ascii"), "\u201cquoted\u201d");
  EXPECT_EQ(ToUtf8("caf\xC3\xA9", "us-ascii"), "caf\xC3\xA9");
  EXPECT_EQ(ToUtf8("\xCF\xF0\xE8", "windows-1251"), "\u041f\u0440\u0438");
  EXPECT_EQ(ToUtf8("\xC4\xE3\xBA\xC3", "gb2312"), "\u4f60\u597d");
  EXPECT_EQ(ToUtf8("caf\xE9", "no-such-charset"), "caf\xC3\xA9");
  EXPECT_EQ(ToUtf8(std::string("a\0b", 3), ""), "ab");
  EXPECT_EQ(ToUtf8("a\r\nb\rc", "utf-8"), "a\nb\nc");
  EXPECT_EQ(CleanUtf8("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(SniffHtmlCharset("<html><META http-equiv=x content='text/html; charset=Big5'>"), "Big5");
  std::string text = "\u65e5\u672c";
  EXPECT_TRUE(TruncateUtf8(text, 4));
  EXPECT_EQ(text, "\u65e5");
}

TEST(HtmlText, KeepsTheWords) {
  EXPECT_EQ(
      HtmlToText("<html><head><title>t</title><style>p{}</style></head><body><p>Hello&nbsp;<b>Ann</b>,</p><p>x&amp;y "
                 "&lt;z</p><script>no()</script><br>end"),
      "Hello Ann,\n\nx&y <z\n\nend");
  EXPECT_EQ(HtmlToText("a < b <!-- c --> d"), "a < b d");
  EXPECT_EQ(HtmlToText(std::string(1000, 'a'), 10), "aaaaaaaaaa");
  EXPECT_EQ(UnescapeHtml("wasn&#39;t &quot;x&quot; &amp;amp; &unknown;"), "wasn't \"x\" &amp; &unknown;");
}

TEST(HtmlText, HostileShapesEndInLinearTime) {
  for (const std::string_view piece : {"<", "<!--", "<a x=\"", "</", "&", "<script>", "<svg>", "<p>"}) {
    std::string text;
    while (text.size() < (1U << 20)) text += piece;
    EXPECT_LE(HtmlToText(text).size(), 256U << 10) << piece;
  }
}

}  // namespace
}  // namespace latchkey::mail
