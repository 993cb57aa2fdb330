#include "providers/microsoft/graph_mail.hpp"

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>

#include "async/testing.hpp"

namespace latchkey::microsoft {
namespace {

using http_client::HttpRequest;
using http_client::HttpResponse;
using mail::Lane;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Answers by the words in an address, the first rule that fits; a batch is taken apart and its parts answered so.
class Service final : public http_client::HttpClient {
 public:
  struct Rule {
    std::string words;
    int status;
    std::string body;
  };
  std::vector<Rule> rules;
  std::vector<std::string> urls, bodies, prefers;

  Task<Result<HttpResponse>> Send(const HttpRequest& request) override {
    urls.push_back(request.url);
    bodies.push_back(request.body);
    for (const auto& [name, value] : request.headers) {
      if (name == "Prefer") prefers.push_back(value);
    }
    HttpResponse response;
    if (request.url.ends_with("$batch")) {
      response.status = 200;
      response.body = R"({"responses":[)" + Parts(request.body) + "]}";
      co_return response;
    }
    const Rule rule = Find(request.url);
    response.status = rule.status;
    if (rule.body.size() > request.max_response_bytes) co_return Fail(ErrorCode::kMalformedReply, "too large");
    if (request.on_body_async && rule.status == 200) {
      for (std::size_t at = 0; at < rule.body.size(); at += 7) {
        if (!co_await request.on_body_async(std::string_view(rule.body).substr(at, 7))) {
          co_return Fail(ErrorCode::kCancelled);
        }
      }
    } else {
      response.body = rule.body;
    }
    co_return response;
  }

 private:
  Rule Find(std::string_view url) const {
    for (const Rule& rule : rules) {
      if (url.find(rule.words) != std::string_view::npos) return rule;
    }
    ADD_FAILURE() << "nobody expected " << url;
    return {.words = {}, .status = 500, .body = {}};
  }
  std::string Parts(std::string_view body) const {
    std::string parts;
    for (std::size_t at = body.find("{\"id\":\""); at != std::string_view::npos; at = body.find("{\"id\":\"", at + 1)) {
      const std::string_view rest = body.substr(at + 7);
      const std::string_view id = rest.substr(0, rest.find('"'));
      const std::size_t url_at = rest.find("\"url\":\"") + 7;
      const Rule rule = Find(rest.substr(url_at, rest.find('"', url_at) - url_at));
      parts += (parts.empty() ? "" : ",");
      parts += R"({"id":")" + std::string(id) + R"(","status":)" + std::to_string(rule.status) + R"(,"body":)" +
               (rule.body.empty() ? "{}" : rule.body) + "}";
    }
    return parts;
  }
};

class Tokens final : public connected_accounts::TokenSource {
 public:
  Task<Result<SecretString>> AccessToken(const ConnectedAccountId&, const SecretString&) override {
    co_return SecretString("token");
  }
};

class GraphMailTest : public ::testing::Test {
 protected:
  template <class T>
  T Run(Task<T> task) {
    return latchkey::testing::RunTask(loop_, std::move(task));
  }
  void Answer(std::string words, std::string body, int status = 200) {
    service_.rules.push_back({.words = std::move(words), .status = status, .body = std::move(body)});
  }
  static std::string Message(const std::string& id, const std::string& folder, const std::string& extra = "") {
    return R"({"id":")" + id +
           R"(","lastModifiedDateTime":"2026-05-04T09:47:54Z","categories":[],"receivedDateTime":)"
           R"("2026-05-04T09:47:53Z","hasAttachments":false,"subject":"Subject","parentFolderId":")" +
           folder +
           R"(","isRead":true,"body":{"contentType":"text","content":"x"},"toRecipients":[],"flag":{"flagStatus":)"
           R"("notFlagged"})" +
           extra + "}";
  }
  static std::string FolderJson(const std::string& id, const std::string& name, const std::string& parent,
                                int children = 0) {
    return R"({"id":")" + id + R"(","displayName":")" + name + R"(","parentFolderId":")" + parent +
           R"(","childFolderCount":)" + std::to_string(children) + R"(,"totalItemCount":3,"isHidden":false})";
  }

  boost::asio::io_context loop_;
  ManualClock clock_{*ParseInstant("2026-11-20T12:00:00Z")};
  Service service_;
  Tokens tokens_;
  WorkerPool pool_{1};
  GraphClients clients_{
      GraphParts{.http = service_,
                 .tokens = tokens_,
                 .clock = clock_,
                 .options = {.base_url = "https://graph.example", .retry_delay = std::chrono::milliseconds(1)}}};
  std::shared_ptr<mail::FolderMailProvider> mailbox_ =
      MakeGraphMailbox(clients_.For(ConnectedAccountId("01890000-0000-7000-8000-000000000001")), pool_);
};

TEST_F(GraphMailTest, ARoundBeginsNewestFirstAndFollowsTheLinksAsTheyAre) {
  Answer("delta?$select", R"({"value":[)" + Message("a", "F") +
                              R"(],"@odata.nextLink":"https://graph.example/v1.0/me/mailFolders('F')/messages/delta)"
                              R"(?$skiptoken=s%2Fk"})");
  Answer("skiptoken=s%2Fk", R"({"value":[],"@odata.nextLink":"https://graph.example/v1.0/next"})");
  Answer("v1.0/next", R"({"value":[{"id":"b","@removed":{"reason":"changed"}}],"@odata.deltaLink":)"
                      R"("https://graph.example/v1.0/me/d?$deltatoken=t"})");
  const auto first = Run(mailbox_->Changes("F=", "", Lane::kBackfill));
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_THAT(service_.urls[0], HasSubstr("/v1.0/me/mailFolders/F%3D/messages/delta?$select="));
  EXPECT_THAT(service_.urls[0], HasSubstr("$orderby=receivedDateTime%20desc"));
  EXPECT_THAT(service_.prefers[0], HasSubstr("ImmutableId"));
  EXPECT_THAT(service_.prefers[0], HasSubstr("odata.maxpagesize=50"));
  ASSERT_THAT(first->messages, SizeIs(1));
  EXPECT_THAT(first->messages[0].label_ids, ElementsAre("F"));
  EXPECT_TRUE(first->more);
  EXPECT_EQ(first->asked_at, clock_.Now());
  const auto empty = Run(mailbox_->Changes("F=", first->link, Lane::kBackfill));
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->more);
  const auto last = Run(mailbox_->Changes("F=", empty->link, Lane::kBackfill));
  ASSERT_TRUE(last);
  EXPECT_FALSE(last->more);
  EXPECT_THAT(last->removed, ElementsAre("b"));
  EXPECT_EQ(last->link, "me/d?$deltatoken=t");
}

TEST_F(GraphMailTest, ALinkToAnotherHostEndsThePage) {
  Answer("delta", R"({"value":[],"@odata.deltaLink":"https://evil.example/v1.0/me"})");
  EXPECT_EQ(Run(mailbox_->Changes("F", "", Lane::kLive)).error().code, ErrorCode::kMalformedReply);
}

TEST_F(GraphMailTest, TheLastWordOnAMessageCountsAndPartsOfOneAreReadById) {
  Answer("me/d", R"({"value":[)" + Message("a", "F") + "," + Message("a", "F", R"(,"subject":"Newer")") +
                     R"(,{"id":"b","isRead":true}],"@odata.deltaLink":"https://graph.example/v1.0/d"})");
  const auto page = Run(mailbox_->Changes("F", "me/d", Lane::kLive));
  ASSERT_TRUE(page) << page.error().detail;
  ASSERT_THAT(page->messages, SizeIs(1));
  EXPECT_EQ(page->messages[0].subject, "Newer");
  EXPECT_THAT(page->incomplete, ElementsAre("b"));
}

TEST_F(GraphMailTest, AttachmentsComeWithThePageWithoutTheirContent) {
  Answer("delta", R"({"value":[)" + Message("a", "F", R"(,"hasAttachments":true)") + "," + Message("b", "F") + "," +
                      Message("c", "F", R"(,"hasAttachments":true)") + "," +
                      Message("g", "F", R"(,"hasAttachments":true)") +
                      R"(],"@odata.deltaLink":"https://graph.example/v1.0/d"})");
  Answer("messages/a/attachments", R"({"value":[{"id":"A1","name":"plan.pdf","contentType":"application/pdf",)"
                                   R"("size":10}],"@odata.nextLink":"https://graph.example/v1.0/more"})");
  Answer("v1.0/more", R"({"value":[{"id":"A2","name":"b.txt","contentType":"text/plain","size":1}]})");
  Answer("messages/c/attachments", R"([])");
  Answer("messages/g/attachments", R"({"error":{"code":"ErrorItemNotFound"}})", 404);
  const auto page = Run(mailbox_->Changes("F", "", Lane::kLive));
  ASSERT_TRUE(page) << page.error().detail;
  ASSERT_THAT(page->messages, SizeIs(3));
  EXPECT_EQ(page->messages[0].external_id, "a");
  ASSERT_THAT(page->messages[0].attachments, SizeIs(2));
  EXPECT_EQ(page->messages[0].attachments[1].part_id, "A2");
  EXPECT_THAT(page->incomplete, ElementsAre("c")) << "one that cannot be read does not hold up the others";
  EXPECT_THAT(service_.bodies[1], HasSubstr("$select=id,name,contentType,size,isInline"));
}

TEST_F(GraphMailTest, APageTooLargeIsAskedForInSmallerOnes) {
  Answer("delta",
         R"({"value":[],"@odata.deltaLink":"https://graph.example/v1.0/d","x":")" + std::string(49 << 20, 'x') + "\"}");
  EXPECT_FALSE(Run(mailbox_->Changes("F", "", Lane::kLive)));
  EXPECT_THAT(service_.prefers.back(), HasSubstr("odata.maxpagesize=2"));
}

TEST_F(GraphMailTest, FoldersAreTheWholeTreeWithRoles) {
  Answer("mailFolders?includeHiddenFolders=true",
         R"({"value":[)" + FolderJson("T", "Papierkorb", "R") + "," + FolderJson("P", "Projects", "R", 1) + "," +
             FolderJson("I", "Posteingang", "R") +
             R"(,{"@odata.type":"#microsoft.graph.mailSearchFolder","id":"S","displayName":"Unread"}],)"
             R"("@odata.nextLink":"https://graph.example/v1.0/folders2"})");
  Answer("folders2", R"({"value":[{"id":"H","displayName":"Hidden","parentFolderId":"R","isHidden":true}]})");
  Answer("mailFolders/P/childFolders", R"({"value":[)" + FolderJson("Q", "Spring", "P", 1) + "]}");
  Answer("mailFolders/Q/childFolders", R"({"value":[)" + FolderJson("Z", "Deep", "Q") + "]}");
  Answer("mailFolders/inbox", R"({"id":"I"})");
  Answer("mailFolders/deleteditems", R"({"id":"T"})");
  Answer("mailFolders/", R"({"error":{"code":"ErrorItemNotFound"}})", 404);
  const auto folders = Run(mailbox_->ListFolders(Lane::kLive));
  ASSERT_TRUE(folders) << folders.error().detail;
  std::vector<std::string> names;
  for (const auto& folder : *folders) names.push_back(folder.label.name);
  EXPECT_THAT(
      names, ElementsAre("Posteingang", "Hidden", "Projects", "Projects/Spring", "Projects/Spring/Deep", "Papierkorb"));
  EXPECT_EQ(folders->front().label.role, mail::Label::Role::kInbox);
  EXPECT_EQ(folders->back().label.role, mail::Label::Role::kTrash);
  EXPECT_FALSE((*folders)[1].label.visible);
}

TEST_F(GraphMailTest, ATreeThatCannotBeReadWhollyIsNoTree) {
  Answer("mailFolders?includeHiddenFolders=true", R"({"value":[)" + FolderJson("P", "Projects", "R", 1) + "]}");
  Answer("childFolders", R"({"error":{"code":"UnknownError"}})", 500);
  EXPECT_FALSE(Run(mailbox_->ListFolders(Lane::kLive)));
}

TEST_F(GraphMailTest, LocatingTellsGoneFromMoved) {
  Answer("messages/a?", R"({"id":"a","lastModifiedDateTime":"2026-05-04T09:47:54Z","parentFolderId":"G","isRead":)"
                        R"(false,"flag":{"flagStatus":"flagged"},"categories":["Red"]})");
  Answer("messages/b?", R"({"error":{"code":"ErrorItemNotFound"}})", 404);
  Answer("messages/c?", R"({"id":"c"})");
  const auto located = Run(mailbox_->Locate({"a", "b", "c"}, Lane::kLive));
  ASSERT_TRUE(located);
  ASSERT_TRUE((*located)[0].state);
  EXPECT_THAT((*located)[0].state->label_ids, ElementsAre("G", "category:Red", "flagged"));
  EXPECT_EQ((*located)[1].state.error().code, ErrorCode::kGone);
  EXPECT_EQ((*located)[2].state.error().code, ErrorCode::kMalformedReply) << "no word on where it is";
}

TEST_F(GraphMailTest, AnExpiredLinkAndAVanishedFolderAreToldApart) {
  Answer("expired", R"({"error":{"code":"SyncStateNotFound"}})", 404);
  Answer("vanished", R"({"error":{"code":"ErrorItemNotFound"}})", 404);
  EXPECT_EQ(Run(mailbox_->Changes("F", "me/expired", Lane::kLive)).error().code, ErrorCode::kCursorExpired);
  EXPECT_EQ(Run(mailbox_->Changes("F", "me/vanished", Lane::kLive)).error().code, ErrorCode::kGone);
}

TEST_F(GraphMailTest, AttachmentContentIsStreamed) {
  Answer("messages/m%3D/attachments/A%3D/$value", "the content of the file");
  Answer("attachments/gone/$value", R"({"error":{"code":"ErrorItemNotFound"}})", 404);
  std::string got;
  std::size_t wanted = 1000;
  const std::function<Task<bool>(std::string_view)> sink = [&](std::string_view bytes) -> Task<bool> {
    got += bytes;
    co_return got.size() < wanted;
  };
  mail::Attachment attachment;
  attachment.part_id = "A=";
  EXPECT_TRUE(Run(mailbox_->GetAttachment("m=", attachment, sink)));
  EXPECT_EQ(got, "the content of the file");
  got.clear();
  wanted = 5;
  EXPECT_TRUE(Run(mailbox_->GetAttachment("m=", attachment, sink))) << "whoever stops it has what they wanted";
  attachment.part_id = "gone";
  got.clear();
  EXPECT_EQ(Run(mailbox_->GetAttachment("m=", attachment, sink)).error().code, ErrorCode::kGone);
  EXPECT_THAT(got, IsEmpty());
}

TEST_F(GraphMailTest, AllIdsForTheAudit) {
  Answer("messages?$select=id&$top=1000",
         R"({"value":[{"id":"a"},{"id":"b"}],"@odata.nextLink":"https://graph.example/v1.0/me/messages?$skip=2"})");
  Answer("$skip=2", R"({"value":[{"id":"c"}]})");
  const auto first = Run(mailbox_->ListIds("", Lane::kBackfill));
  ASSERT_TRUE(first);
  EXPECT_THAT(first->ids, ElementsAre("a", "b"));
  const auto last = Run(mailbox_->ListIds(first->next_page, Lane::kBackfill));
  ASSERT_TRUE(last);
  EXPECT_THAT(last->ids, ElementsAre("c"));
  EXPECT_THAT(last->next_page, IsEmpty());
}

}  // namespace
}  // namespace latchkey::microsoft
