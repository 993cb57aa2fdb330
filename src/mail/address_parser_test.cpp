#include "mail/address_parser.hpp"

#include <string>

#include <gmock/gmock.h>

namespace latchkey::mail {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs Parse(std::string_view text) {
  Pairs result;
  for (const Address& address : ParseAddressList(text).addresses) result.emplace_back(address.name, address.address);
  return result;
}

TEST(AddressParser, ReadsTheFormsOfTheStandard) {
  EXPECT_EQ(Parse("ann@example.com"), (Pairs{{"", "ann@example.com"}}));
  EXPECT_EQ(Parse("Ann Example <ann@Example.COM>, \"B., Bob\" <Bob@example.org>"),
            (Pairs{{"Ann Example", "ann@example.com"}, {"B., Bob", "Bob@example.org"}}));
  EXPECT_EQ(Parse("ann@example.com (Ann (the elder))"), (Pairs{{"Ann (the elder)", "ann@example.com"}}));
  EXPECT_EQ(Parse("Team: ann@example.com, bob@example.com; carl@example.com"),
            (Pairs{{"", "ann@example.com"}, {"", "bob@example.com"}, {"", "carl@example.com"}}));
  EXPECT_EQ(Parse("<@a.example,@b.example:ann@example.com>"), (Pairs{{"", "ann@example.com"}}));
  EXPECT_EQ(Parse("\"odd local\"@example.com"), (Pairs{{"", "\"oddlocal\"@example.com"}}));
  EXPECT_EQ(Parse("Undisclosed recipients:;"), Pairs{});
  EXPECT_EQ(Parse(""), Pairs{});
}

TEST(AddressParser, DecodesEncodedNames) {
  EXPECT_EQ(Parse("=?ISO-8859-1?Q?Andr=E9?= Pirard <pirard@example.be>"),
            (Pairs{{"Andr\xC3\xA9 Pirard", "pirard@example.be"}}));
  EXPECT_EQ(Parse("\"=?utf-8?B?SsO8cmdlbg==?=\" <j@example.de>"), (Pairs{{"J\xC3\xBCrgen", "j@example.de"}}));
  EXPECT_EQ(Parse("=?utf-8?Q?Doe,_John?= <j@example.com>, x@example.com"),
            (Pairs{{"Doe, John", "j@example.com"}, {"", "x@example.com"}}));
}

TEST(AddressParser, MakesSenseOfWhatIsOutsideTheGrammar) {
  EXPECT_EQ(Parse("Ann ann@example.com"), (Pairs{{"Ann", "ann@example.com"}}));
  EXPECT_EQ(Parse("a@example.com; b@example.com"), (Pairs{{"", "a@example.com"}, {"", "b@example.com"}}));
  EXPECT_EQ(Parse("Ann <ann@example.com"), (Pairs{{"Ann", "ann@example.com"}}));
  EXPECT_EQ(Parse("\"Ann <ann@example.com>"), (Pairs{{"Ann", "ann@example.com"}}));
  EXPECT_EQ(Parse(", ,a@example.com,,"), (Pairs{{"", "a@example.com"}}));
  EXPECT_EQ(Parse("mailer-daemon"), (Pairs{{"mailer-daemon", ""}}));
  EXPECT_EQ(Parse("<mailto:ann@example.com>"), (Pairs{{"", "ann@example.com"}}));
}

TEST(AddressParser, HostileListsCostTheirLengthAndAreCut) {
  std::string groups;
  for (int i = 0; i < 200000; ++i) groups += "g:";
  EXPECT_TRUE(Parse(groups).empty());
  for (const std::string_view piece :
       {"(", "\"", "\\\"", "<", "=?", "=?a?q?", "\"\\\"", "<\"", "a@b,", ":;", "=?a?q?=20?"}) {
    std::string text;
    while (text.size() < (1U << 18)) text += piece;
    EXPECT_LE(ParseAddressList(text).addresses.size(), kMaxAddresses) << piece;
  }
  std::string many;
  for (int i = 0; i < 6000; ++i) many += "a@example.com,";
  const AddressList list = ParseAddressList(many);
  EXPECT_EQ(list.addresses.size(), kMaxAddresses);
  EXPECT_TRUE(list.truncated);
}

}  // namespace
}  // namespace latchkey::mail
