#include "mail/send_check.hpp"

#include <gtest/gtest.h>

namespace latchkey::mail {
namespace {

TEST(SendCheck, TakesAddressesThatMailCanBeSentTo) {
  EXPECT_EQ(CheckRecipient(" Grace ", "Grace.O'Hara+x@Example.ORG")->address, "Grace.O'Hara+x@example.org");
  EXPECT_EQ(CheckRecipient(" Grace ", "g@example.org")->name, "Grace");
  EXPECT_EQ(CheckRecipient("", "info@bücher.example")->address, "info@xn--bcher-kva.example");
}

TEST(SendCheck, RefusesWhateverIsNotOneAddress) {
  for (const char* address : {"",
                              "@",
                              "a@",
                              "@example.org",
                              "a",
                              "a@b",
                              "a@example.org,b@example.org",
                              "a@example.org b@example.org",
                              "a@example.org\r\nBcc: b@example.org",
                              "a@example.org\n",
                              "<a@example.org>",
                              "a b@example.org",
                              "\"a\"@example.org",
                              "a@exa mple.org",
                              "a@-example.org",
                              "a@example-.org",
                              "a@.org",
                              "a@example..org",
                              ".a@example.org",
                              "a..b@example.org",
                              "a.@example.org",
                              "ä@example.org",
                              "a@[127.0.0.1]",
                              "a@example.org;",
                              "a@b@example.org",
                              "a(c)@example.org",
                              "a@example.org\x01",
                              "a:b@example.org"}) {
    EXPECT_FALSE(CheckRecipient("", address)) << address;
  }
  EXPECT_FALSE(CheckRecipient("", std::string(65, 'a') + "@example.org"));
  EXPECT_FALSE(CheckRecipient("", "a@" + std::string(64, 'b') + ".org"));
}

TEST(SendCheck, NamesAndLinesHoldNoControlOrDirectionCharacters) {
  for (const char* name : {"a\nb", "a\r", "a\x7f", "a\u202Eb", "a\u2028", "a\u0085", "a\u2066"}) {
    EXPECT_FALSE(CheckRecipient(name, "a@example.org")) << name;
    EXPECT_FALSE(CheckLine(name, 100)) << name;
  }
  EXPECT_TRUE(CheckLine("Grüße — 日本", 100));
  EXPECT_FALSE(CheckLine("too long", 7));
}

TEST(SendCheck, BodiesKeepTheirLines) {
  EXPECT_EQ(*CheckBody("a\r\nb\tc\n", 100), "a\r\nb\tc\n");
  EXPECT_FALSE(CheckBody("a\x1b[31m", 100));
  EXPECT_FALSE(CheckBody("abc", 2));
}

TEST(SendCheck, MediaTypesAreTypesOrPlainBytes) {
  EXPECT_EQ(CheckMediaType("Application/PDF"), "application/pdf");
  for (const char* type :
       {"", "text", "text/", "/plain", "text/plain; x=y", "text/pl ain", "a/b/c", "text/plain\r\n"}) {
    EXPECT_EQ(CheckMediaType(type), "application/octet-stream") << type;
  }
}

TEST(SendCheck, ForeignMessageIdsAreTakenOnlyWhenTheyStayInTheirBrackets) {
  EXPECT_EQ(CleanMessageId("a.b$c@mail.example.com"), "a.b$c@mail.example.com");
  for (const std::string id : {"", "a b@c", "a>b@c", "a\r\n@c", "ä@c"}) EXPECT_EQ(CleanMessageId(id), "") << id;
  EXPECT_EQ(CleanMessageId(std::string(1000, 'a')), "");
}

TEST(SendCheck, ASubjectIsTheSameWithoutItsBeginnings) {
  EXPECT_EQ(BaseSubject("Re: RE:  Fwd: Minutes"), "minutes");
  EXPECT_EQ(BaseSubject("Minutes"), "minutes");
  EXPECT_NE(BaseSubject("Re: Other"), BaseSubject("Minutes"));
}

}  // namespace
}  // namespace latchkey::mail
