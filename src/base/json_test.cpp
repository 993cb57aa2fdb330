#include "base/json.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <limits>

#include "base/json_writer.hpp"

namespace latchkey::json {
namespace {

std::string Nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonParse, ReadsOneWholeDocument) {
  const auto value = Parse(R"( {"a": [1, -2.5, true, null, "x\u00e9\ud83d\ude00"], "b": {}} )");
  ASSERT_TRUE(value) << value.error().detail;
  EXPECT_EQ(boost::json::serialize(*value), "{\"a\":[1,-2.5E0,true,null,\"x\xc3\xa9\xf0\x9f\x98\x80\"],\"b\":{}}");
}

TEST(JsonParse, RefusesWhatIsNotStrictJson) {
  for (const char* text :
       {"",   " ",   "{",   "[1,]", "{\"a\":1,}", "{a:1}",     "'x'",     "01",  "1.",    ".5",
        "+1", "NaN", "1 2", "{} x", "\"\x01\"",   "\"\\x41\"", "// c\n1", "tru", "[1 2]", "\xef\xbb\xbf{}"}) {
    const auto value = Parse(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(JsonParse, RefusesInvalidUtf8AndLoneSurrogates) {
  for (const char* text : {"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xe2\x82\"", "\"\xf4\x90\x80\x80\"",
                           "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "{\"\xff\":1}"}) {
    EXPECT_FALSE(Parse(text)) << text;
  }
}

TEST(JsonParse, RefusesDuplicateMembersAtAnyLevelHoweverTheyAreSpelled) {
  for (const char* text : {R"({"a":1,"a":2})", R"({"a":1,"b":2,"\u0061":3})", R"([{"x":{"k":1,"k":1}}])"}) {
    const auto value = Parse(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().detail, "json: duplicate member");
  }
  EXPECT_TRUE(Parse(R"([{"a":1},{"a":{"a":2}}])"));
}

TEST(JsonParse, AllowsExactlyTheDocumentedDepth) {
  EXPECT_TRUE(Parse(Nested(kMaxDepth)));
  EXPECT_FALSE(Parse(Nested(kMaxDepth + 1)));
  EXPECT_FALSE(Parse(std::string(1'000'000, '[')));
}

TEST(JsonParse, RefusesNumbersThatNoDoubleHolds) {
  EXPECT_FALSE(Parse("1e999"));
  EXPECT_FALSE(Parse("[-1e999]"));
  EXPECT_TRUE(Parse("18446744073709551616"));
}

TEST(JsonMembers, AreReadWithStrictTypes) {
  const auto value = Parse(R"({"name":"n","count":3,"flag":false,"list":["a","b"],"nothing":null,"ratio":1.0})");
  ASSERT_TRUE(value);
  auto members = Members::Of(*value);
  ASSERT_TRUE(members);
  EXPECT_EQ(members->String("name").value(), "n");
  EXPECT_EQ(members->Integer("count").value(), 3);
  EXPECT_EQ(members->Bool("flag").value(), false);
  EXPECT_EQ(members->Strings("list", 2).value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(members->OptionalString("nothing").value(), std::nullopt);
  EXPECT_EQ(members->OptionalString("absent").value(), std::nullopt);
  EXPECT_FALSE(members->String("nothing"));
  EXPECT_FALSE(members->String("count"));
  EXPECT_FALSE(members->Integer("name"));
  EXPECT_FALSE(members->Integer("ratio"));
  EXPECT_FALSE(members->OptionalBool("count"));
  EXPECT_FALSE(members->Strings("list", 1));
  EXPECT_TRUE(members->RefuseOthers());
}

TEST(JsonMembers, ThatNobodyAskedForAreRefused) {
  const auto value = Parse(R"({"name":"n","role":"admin"})");
  auto members = Members::Of(*value);
  ASSERT_TRUE(members->String("name"));
  const auto refused = members->RefuseOthers();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
}

TEST(JsonMembers, NeedAnObject) { EXPECT_FALSE(Members::Of(*Parse("[]"))); }

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  Writer out;
  out.BeginObject().Member("id", "x").Member("n", 3).Member("yes", true).Key("list").BeginArray();
  out.Value(1).Value(std::optional<int>()).BeginObject().EndObject().EndArray().Member("half", 0.5).EndObject();
  EXPECT_EQ(out.text(), R"({"id":"x","n":3,"yes":true,"list":[1,null,{}],"half":0.5})");
}

TEST(JsonWriter, WritesExtremesAsTheyAre) {
  Writer out;
  out.BeginArray().Value(std::numeric_limits<std::int64_t>::min()).Value(std::numeric_limits<std::uint64_t>::max());
  out.Value(std::numeric_limits<double>::infinity()).EndArray();
  EXPECT_EQ(out.text(), "[-9223372036854775808,18446744073709551615,null]");
}

TEST(JsonWriter, EscapesEveryByteThatNeedsItAtEveryPosition) {
  for (std::size_t length = 1; length < 40; ++length) {
    for (std::size_t position = 0; position < length; ++position) {
      for (const char byte : {'"', '\\', '\n', '\t', '\0', '\x1f'}) {
        std::string text(length, 'a');
        text[position] = byte;
        std::string quoted;
        AppendQuoted(quoted, text);
        const auto value = Parse(quoted);
        ASSERT_TRUE(value) << quoted;
        ASSERT_EQ(std::string_view(value->get_string().data(), value->get_string().size()), text);
      }
    }
  }
}

TEST(JsonWriter, CopiesBytesAbove127) {
  std::string quoted;
  AppendQuoted(quoted, "h\xc3\xa9llo \xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80 and a longer tail");
  EXPECT_EQ(quoted, "\"h\xc3\xa9llo \xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80 and a longer tail\"");
}

}  // namespace
}  // namespace latchkey::json
