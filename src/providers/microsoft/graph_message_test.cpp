#include "providers/microsoft/graph_message.hpp"

#include <gmock/gmock.h>

namespace latchkey::microsoft {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Instant kAsked = *ParseInstant("2026-11-20T12:00:00Z");

GraphMessagePage Page(std::string json) {
  auto page = ParseGraphMessagePage(json, kAsked);
  EXPECT_TRUE(page.has_value()) << (page ? "" : page.error().detail);
  return page.value_or(GraphMessagePage{});
}

ParsedGraphMessage Parse(std::string json) {
  auto parsed = ParseGraphMessage(json, kAsked);
  EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().detail);
  return parsed.value_or(ParsedGraphMessage{});
}

/// A message as the service gives it, with one member replaced or added.
std::string Whole(std::string_view extra = "") {
  return R"({"@odata.type":"#microsoft.graph.message","@odata.etag":"W/\"CQAAABYA\"","id":"AAMk=","createdDateTime":)"
         R"("2026-05-04T09:47:53Z","lastModifiedDateTime":"2026-05-04T09:47:54Z","changeKey":"CQAAABYA","categories":)"
         R"(["Red","Grün"],"receivedDateTime":"2026-05-04T09:47:53Z","sentDateTime":"2026-05-04T09:47:50Z",)"
         R"("hasAttachments":false,"internetMessageId":"<a1@mail.example>","subject":"RE: Test","bodyPreview":)"
         R"("Thank you.\r\n____\r\nFrom: Ada","importance":"normal","parentFolderId":"FOLDER==","conversationId":"CONV",)"
         R"("isRead":false,"isDraft":false,"body":{"contentType":"html","content":"<p>Thank you</p>"},"sender":)"
         R"({"emailAddress":{"name":"Ada Example","address":"Ada@Example.COM"}},"from":{"emailAddress":{"name":)"
         R"("Ada Example","address":"Ada@Example.COM"}},"toRecipients":[{"emailAddress":{"name":"bob@example.com",)"
         R"("address":"bob@example.com"}}],"ccRecipients":[],"bccRecipients":[],"replyTo":[],"flag":{"flagStatus":)"
         R"("flagged"},"internetMessageHeaders":[{"name":"In-Reply-To","value":"<q@x.example>"},{"name":"references",)"
         R"("value":"<p@x.example>\r\n <q@x.example>"}],"uid":"unknown fields are passed over")" +
         std::string(extra) + "}";
}

TEST(GraphMessage, IsReadWhole) {
  const auto parsed = Parse(Whole());
  EXPECT_TRUE(parsed.whole);
  EXPECT_TRUE(parsed.located);
  EXPECT_FALSE(parsed.has_attachments);
  const mail::Message& message = parsed.message;
  EXPECT_EQ(message.external_id, "AAMk=");
  EXPECT_EQ(message.thread_id, "CONV");
  EXPECT_EQ(message.rfc822_message_id, "a1@mail.example");
  EXPECT_EQ(message.in_reply_to, "q@x.example");
  EXPECT_THAT(message.references, ElementsAre("p@x.example", "q@x.example"));
  EXPECT_EQ(message.subject, "RE: Test");
  EXPECT_EQ(message.snippet, "Thank you. ____ From: Ada");
  EXPECT_EQ(message.html, "<p>Thank you</p>");
  EXPECT_THAT(message.text, IsEmpty());
  ASSERT_THAT(message.from, SizeIs(1));
  EXPECT_EQ(message.from[0].name, "Ada Example");
  EXPECT_EQ(message.from[0].address, "Ada@example.com");
  ASSERT_THAT(message.to, SizeIs(1));
  EXPECT_EQ(message.to[0].name, "") << "a name that only repeats the address is none";
  EXPECT_THAT(message.label_ids, ElementsAre("FOLDER==", "category:Grün", "category:Red", "flagged"));
  EXPECT_TRUE(message.is_starred);
  EXPECT_FALSE(message.is_read);
  EXPECT_EQ(message.received_at, *ParseInstant("2026-05-04T09:47:53Z"));
  EXPECT_EQ(message.sent_at, *ParseInstant("2026-05-04T09:47:50Z"));
  EXPECT_FALSE(message.truncated);
}

TEST(GraphMessage, DraftsHaveNoSenderAndTextBodiesStayText) {
  const auto parsed = Parse(
      R"({"id":"d","lastModifiedDateTime":"2026-05-04T09:23:10Z","categories":[],"receivedDateTime":)"
      R"("2026-05-04T09:23:10Z","hasAttachments":false,"subject":null,"bodyPreview":"","parentFolderId":"F","isRead":)"
      R"(true,"isDraft":true,"body":{"contentType":"text","content":"Hello\r\nthere"},"toRecipients":[],"flag":)"
      R"({"flagStatus":"notFlagged"}})");
  EXPECT_TRUE(parsed.whole);
  EXPECT_TRUE(parsed.message.is_draft);
  EXPECT_EQ(parsed.message.text, "Hello\nthere");
  EXPECT_EQ(parsed.message.snippet, "Hello there");
  EXPECT_THAT(parsed.message.from, IsEmpty());
}

TEST(GraphMessagePage, TellsWhatChangedWhatLeftAndWhatIsKnownInPart) {
  const auto page = Page(
      R"({"@odata.deltaLink":"https://graph.microsoft.com/v1.0/me/d?$deltatoken=x","value":[{"@odata.type":)"
      R"("#microsoft.graph.message","id":"gone","@removed":{"reason":"deleted"}},{"id":"part","subject":"Holiday hours )"
      R"(update","isRead":true,"sender":{"emailAddress":{"name":"D","address":"d@example.com"}}},)" +
      Whole() + "]}");
  EXPECT_THAT(page.removed, ElementsAre("gone"));
  ASSERT_THAT(page.messages, SizeIs(2));
  EXPECT_FALSE(page.messages[0].whole);
  EXPECT_FALSE(page.messages[0].located);
  EXPECT_TRUE(page.messages[1].whole);
  EXPECT_EQ(page.delta_link, "https://graph.microsoft.com/v1.0/me/d?$deltatoken=x");
  EXPECT_EQ(page.next_link, "");
}

TEST(GraphMessagePage, MayBeEmptyAndStillHaveANextOne) {
  const auto page = Page(R"({"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0/n"})");
  EXPECT_THAT(page.messages, IsEmpty());
  EXPECT_EQ(page.next_link, "https://graph.microsoft.com/v1.0/n");
}

TEST(GraphMessagePage, OfAnotherShapeIsRefused) {
  for (const std::string_view broken : {"", "[]", "{}", R"({"value":[1]})", R"({"value":[{"id":"a")", "<html>"}) {
    std::string json(broken);
    const auto page = ParseGraphMessagePage(json, kAsked);
    EXPECT_FALSE(page) << broken;
    if (!page) EXPECT_EQ(page.error().code, ErrorCode::kMalformedReply);
  }
  std::string no_id = R"({"subject":"x"})";
  EXPECT_FALSE(ParseGraphMessage(no_id, kAsked));
}

TEST(GraphMessage, LimitsCutAndSaySo) {
  std::string json =
      Whole(R"(,"body":{"contentType":"html","content":")" + std::string(kMaxBodyBytes - 1, 'x') + R"(€ and more"})");
  auto parsed = ParseGraphMessage(json, kAsked);
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->message.truncated);
  EXPECT_EQ(parsed->message.html, std::string(kMaxBodyBytes - 1, 'x')) << "not in the middle of a character";
  std::string people;
  for (int i = 0; i < 5200; ++i) people += R"({"emailAddress":{"address":"p@example.com"}},)";
  parsed = Parse(Whole(R"(,"ccRecipients":[)" + people.substr(0, people.size() - 1) + "]"));
  EXPECT_THAT(parsed->message.cc, SizeIs(5000));
  EXPECT_TRUE(parsed->message.truncated);
}

TEST(GraphMessage, HostileTextIsMadeClean) {
  const auto parsed = Parse(Whole(
      R"(,"subject":"lone \ud800 and \u0000 nul","toRecipients":[{"emailAddress":{"name":"x\u202egnp.exe\n","address":)"
      R"("/O=EXCHANGE/CN=RECIPIENTS/CN=ADA"}},{"emailAddress":null},{}],"from":null)"));
  EXPECT_EQ(parsed.message.subject.find('\0'), std::string::npos);
  EXPECT_NE(parsed.message.subject.find("\xEF\xBF\xBD"), std::string::npos);
  for (const auto& person : parsed.message.to) {
    EXPECT_EQ(person.address, "") << "no address anybody could write to";
    EXPECT_EQ(person.name.find('\n'), std::string::npos);
  }
}

TEST(GraphMessage, InlinePartsAreListedThoughTheServiceDoesNotCountThem) {
  EXPECT_TRUE(Parse(Whole(R"(,"body":{"contentType":"html","content":"<img src=\"cid:logo\">"})")).has_attachments);
  EXPECT_TRUE(Parse(Whole(R"(,"hasAttachments":true)")).has_attachments);
}

TEST(GraphVersion, FollowsTheLastChangeAndThenTheAsking) {
  const Instant changed = *ParseInstant("2026-11-20T10:00:00Z");
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  EXPECT_LT(GraphVersion(changed, kAsked), GraphVersion(changed + seconds(1), kAsked));
  EXPECT_LT(GraphVersion(changed, kAsked), GraphVersion(changed, kAsked + milliseconds(200)));
  EXPECT_LT(GraphVersion(changed, kAsked + std::chrono::hours(24 * 365)), GraphVersion(changed + seconds(1), kAsked))
      << "a later change wins over any asking";
  EXPECT_LT(GraphVersion(changed, changed - std::chrono::minutes(5)), GraphVersion(changed, changed))
      << "clocks need not agree";
  EXPECT_LT(GraphVersion(*ParseInstant("9999-01-01T00:00:00Z"), kAsked), std::uint64_t{1} << 63);
  EXPECT_EQ(GraphVersion(Instant{}, Instant{} - std::chrono::hours(1)), 0U);
}

TEST(GraphAttachments, OfAllKinds) {
  std::string json =
      R"({"value":[{"@odata.type":"#microsoft.graph.fileAttachment","@odata.mediaContentType":"text/plain","id":"A1",)"
      R"("name":"../te\u202Est.txt","contentType":"Text/Plain","size":170,"isInline":false,"contentId":null},)"
      R"({"@odata.type":"#microsoft.graph.fileAttachment","id":"A2","name":"logo.png","contentType":"image/png","size":)"
      R"(9,"isInline":true,"contentId":"<logo@x>"},{"@odata.type":"#microsoft.graph.itemAttachment","id":"A3","name":)"
      R"("A forwarded mail","contentType":null,"size":5000,"isInline":false},{"@odata.type":)"
      R"("#microsoft.graph.referenceAttachment","id":"A4","name":"Budget.xlsx","contentType":null,"size":380}]})";
  const auto page = ParseGraphAttachments(json);
  ASSERT_TRUE(page);
  const auto& all = page->attachments;
  ASSERT_THAT(all, SizeIs(4));
  EXPECT_EQ(all[0].part_id, "A1");
  EXPECT_EQ(all[0].name.find('/'), std::string::npos);
  EXPECT_EQ(all[0].mime_type, "text/plain");
  EXPECT_EQ(all[0].size, 170);
  EXPECT_TRUE(all[1].is_inline);
  EXPECT_EQ(all[1].content_id, "logo@x");
  EXPECT_EQ(all[2].mime_type, "message/rfc822");
  EXPECT_EQ(all[2].name, "A forwarded mail.eml");
  EXPECT_EQ(all[3].mime_type, "application/internet-shortcut");
}

TEST(GraphFolders, WithHiddenOnesAndSavedSearches) {
  std::string json =
      R"({"value":[{"id":"F1","displayName":"Entw\u00fcrfe","parentFolderId":"R","childFolderCount":2,)"
      R"("unreadItemCount":0,"totalItemCount":14,"sizeInBytes":36360,"isHidden":false},{"@odata.type":)"
      R"("#microsoft.graph.mailSearchFolder","id":"S","displayName":"Unread","isHidden":true},{"displayName":"no id"}],)"
      R"("@odata.nextLink":"https://graph.microsoft.com/v1.0/next"})";
  const auto page = ParseGraphFolders(json);
  ASSERT_TRUE(page);
  ASSERT_THAT(page->folders, SizeIs(2));
  EXPECT_EQ(page->folders[0].folder.label.name, "Entwürfe");
  EXPECT_EQ(page->folders[0].folder.total, 14);
  EXPECT_EQ(page->folders[0].child_count, 2);
  EXPECT_TRUE(page->folders[0].folder.label.visible);
  EXPECT_TRUE(page->folders[1].search);
  EXPECT_FALSE(page->folders[1].folder.label.visible);
  std::string empty = "{}";
  EXPECT_FALSE(ParseGraphFolders(empty)) << "no list is not an empty list";
}

}  // namespace
}  // namespace latchkey::microsoft
