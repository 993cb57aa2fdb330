#include "simulator/graph/odata.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "simulator/graph/delta_token.hpp"

namespace latchkey::simulator::graph {
namespace {

using ::testing::ElementsAre;

std::optional<ODataValue> Read(std::string_view property) {
  if (property == "isRead") return ODataValue(false);
  if (property == "subject") return ODataValue(std::string("Re: Plan's end"));
  if (property == "receivedDateTime") {
    return ODataValue(ODataInstant{ToMicros(*ParseInstant("2026-05-04T08:00:00Z"))});
  }
  if (property == "from/emailAddress/address") return ODataValue(std::string("Ada@Example.com"));
  return std::nullopt;
}
std::vector<std::string> List(std::string_view) { return {"Red", "Work"}; }

bool Matches(std::string_view text) {
  const auto filter = Filter::Parse(text);
  EXPECT_TRUE(filter) << text << ": " << (filter ? "" : filter.error());
  return filter && filter->Matches(&Read, &List);
}

TEST(Filters, ComparisonsAndLogic) {
  EXPECT_TRUE(Matches("isRead eq false"));
  EXPECT_TRUE(Matches("receivedDateTime ge 2026-05-04T08:00:00Z and isRead eq false"));
  EXPECT_FALSE(Matches("receivedDateTime gt 2026-05-04T08:00:00Z"));
  EXPECT_TRUE(Matches("receivedDateTime ge 2026-05-04"));
  EXPECT_TRUE(Matches("receivedDateTime lt 2026-05-04T10:30:00+02:00"));
  EXPECT_TRUE(Matches("isRead eq true or startswith(subject, 're:')"));
  EXPECT_TRUE(Matches("contains(subject,'Plan''s') and not (isRead eq true)"));
  EXPECT_TRUE(Matches("from/emailAddress/address eq 'ada@example.com'"));
  EXPECT_TRUE(Matches("categories/any(c:c eq 'red')"));
  EXPECT_TRUE(Matches("categories/any(c: c eq 'Work')"));
  EXPECT_FALSE(Matches("subject eq null"));
  EXPECT_TRUE(Matches("subject ne null"));
}

TEST(Filters, NonsenseIsRefused) {
  for (const char* text : {"", "isRead", "isRead eq", "isRead is false", "(isRead eq false", "isRead eq false and",
                           "startswith(subject)", "categories/any(c:d eq 'x')", "subject eq 'open", "a eq 1 b"}) {
    EXPECT_FALSE(Filter::Parse(text)) << text;
  }
  EXPECT_FALSE(Filter::Parse(std::string(9000, '(')));
  EXPECT_FALSE(Filter::Parse(std::string(500, '(') + "isRead eq true" + std::string(500, ')')));
  std::string nots;
  for (int i = 0; i < 1000; ++i) nots += "not ";
  EXPECT_FALSE(Filter::Parse(nots + "isRead eq true"));
}

TEST(Filters, PropertiesInOrder) {
  EXPECT_THAT(Filter::Parse("receivedDateTime ge 2026-05-04 and isRead eq true")->Properties(),
              ElementsAre("receivedDateTime", "isRead"));
}

TEST(Options, AreReadAndBounded) {
  const auto options = QueryOptions::Parse(
      Parameters::Parse(
          "$top=5&$skip=2&$select=id, subject&$expand=attachments($select=id,name)&$orderby=receivedDateTime desc"),
      1000);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->top, 5u);
  EXPECT_THAT(options->select, ElementsAre("id", "subject"));
  EXPECT_THAT(options->expand, ElementsAre("attachments"));
  EXPECT_THAT(options->expand_select, ElementsAre("id", "name"));
  EXPECT_TRUE(options->order.front().descending);
  EXPECT_FALSE(QueryOptions::Parse(Parameters::Parse("$top=0"), 1000));
  EXPECT_FALSE(QueryOptions::Parse(Parameters::Parse("$top=1001"), 1000));
  EXPECT_FALSE(QueryOptions::Parse(Parameters::Parse("$skip=-1"), 1000));
  EXPECT_FALSE(QueryOptions::Parse(Parameters::Parse("$orderby=subject sideways"), 1000));
  EXPECT_FALSE(QueryOptions::Parse(Parameters::Parse("$search=x&$filter=isRead eq true"), 1000));
}

TEST(Options, APropertyOfOneTypeIsNamedWithIt) {
  const std::vector<std::string> select{"name", "microsoft.graph.fileAttachment/contentId"};
  const boost::json::object file{
      {"@odata.type", "#microsoft.graph.fileAttachment"}, {"id", "1"}, {"name", "a"}, {"size", 3}, {"contentId", "c"}};
  boost::json::object item = file;
  item["@odata.type"] = "#microsoft.graph.itemAttachment";
  EXPECT_EQ(Project(file, select),
            (boost::json::object{
                {"@odata.type", "#microsoft.graph.fileAttachment"}, {"id", "1"}, {"name", "a"}, {"contentId", "c"}}));
  EXPECT_FALSE(Project(item, select).contains("contentId"));
}

TEST(Tokens, ComeBackWholeAndNotBent) {
  DeltaToken token;
  token.phase = DeltaToken::Phase::kChanges;
  token.folder = 7;
  token.after = 12;
  token.select = "id,subject|odd";
  token.filter = 'g';
  const std::string text = token.Encode();
  const auto back = DeltaToken::Decode(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->folder, 7u);
  EXPECT_EQ(back->select, "id,subject|odd");
  EXPECT_EQ(back->filter, 'g');
  std::string bent = text;
  bent[4] = bent[4] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(DeltaToken::Decode(bent));
  EXPECT_FALSE(DeltaToken::Decode(""));
  EXPECT_FALSE(DeltaToken::Decode("."));
}

}  // namespace
}  // namespace latchkey::simulator::graph
