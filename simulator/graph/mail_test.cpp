#include <cstdlib>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"
#include "simulator/graph/mail_area.hpp"
#include "simulator/graph/mail_ids.hpp"

namespace latchkey::simulator::graph {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Headers kImmutable{{"Prefer", "IdType=\"ImmutableId\""}};

/// One mailbox behind Graph, without sockets.
class GraphMail : public ::testing::Test {
 protected:
  GraphMail() {
    service_.Add(area_);
    area_.SetDelivery([this](const OutgoingMail& mail) { delivered_.push_back(mail.raw); });
  }

  Response Send(const std::string& method, std::string target, const json::value& body = nullptr,
                Headers headers = kImmutable) {
    Request request;
    request.method = method;
    if (const std::size_t at = target.find("/v1.0"); at != std::string::npos) target = target.substr(at + 5);
    request.SetTarget("/v1.0" + target);
    request.scheme = "http";
    request.host = "127.0.0.1:8025";
    request.headers = std::move(headers);
    if (!body.is_null()) request.body = body.is_string() ? std::string(body.as_string()) : json::serialize(body);
    if (!GraphService::Prepare(request, &ada_)) return AccessDenied(clock_.Now());
    return service_.Handle(request, grant_);
  }
  json::object Get(const std::string& target, Headers headers = kImmutable) {
    const Response response = Send("GET", target, nullptr, std::move(headers));
    EXPECT_EQ(response.status, 200) << target << " " << response.body;
    return json::parse(response.body).as_object();
  }
  static std::string Code(const Response& response) {
    return std::string(json::parse(response.body).at("error").at("code").as_string());
  }
  static std::string Text(const json::object& object, std::string_view name) {
    return std::string(object.at(name).as_string());
  }
  /// A message of somebody, minutes after the beginning; returns its immutable id.
  std::string Deliver(const std::string& subject, int minute = 0, const std::string& folder = {}) {
    IncomingMessage message;
    message.raw = "From: Bo <bo@example.org>\r\nTo: ada@example.com\r\nSubject: " + subject + "\r\nMessage-ID: <" +
                  std::to_string(++number_) + "@example.org>\r\n\r\nText of " + subject + "\r\n";
    message.internal_date = clock_.Now() + std::chrono::minutes(minute);
    message.folder = folder;
    return Text(*area_.Deliver(ada_, message), "id");
  }

  struct Round {
    std::vector<std::string> subjects;
    std::vector<std::string> removed;
    std::vector<std::string> ids;
    std::string link;
    int pages = 0;
  };
  Round Follow(std::string link, const Headers& headers = kImmutable) {
    Round round;
    while (true) {
      const json::object page = Get(link, headers);
      ++round.pages;
      for (const json::value& entry : page.at("value").as_array()) {
        const json::object& message = entry.as_object();
        if (message.contains("@removed")) {
          round.removed.push_back(Text(message, "id"));
        } else {
          round.ids.push_back(Text(message, "id"));
          if (message.contains("subject")) round.subjects.push_back(Text(message, "subject"));
        }
      }
      if (const auto* next = page.if_contains("@odata.nextLink")) {
        link = next->as_string();
        continue;
      }
      round.link = Text(page, "@odata.deltaLink");
      return round;
    }
  }

  ManualClock clock_{Instant(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20))};
  AccountRegistry accounts_;
  Account& ada_ = accounts_.AddMicrosoft("ada@example.com", "Ada Example");
  Settings settings_;
  Schedule schedule_{clock_};
  GraphService service_{clock_, settings_};
  MailArea area_{clock_, accounts_, settings_, schedule_};
  Grant grant_{&ada_, "client", {"Mail.ReadWrite", "Mail.Send", "User.Read"}};
  std::vector<std::string> delivered_;
  int number_ = 0;
};

TEST_F(GraphMail, FirstRoundIsNewestFirstAndThenOnlyChanges) {
  for (int i = 0; i < 25; ++i) Deliver("m" + std::to_string(i), i);
  const Round first = Follow("/me/mailFolders/inbox/messages/delta?$orderby=receivedDateTime%20desc&$top=50");
  EXPECT_EQ(first.subjects.size(), 25u);
  EXPECT_EQ(first.subjects.front(), "m24");
  EXPECT_EQ(first.pages, 3) << "ten a page, whatever $top says";
  EXPECT_THAT(first.link, HasSubstr("mailFolders('inbox')/messages/delta?$deltatoken="));
  EXPECT_THAT(Follow(first.link).ids, IsEmpty());
  const std::string fresh = Deliver("fresh", 99);
  const std::string gone = first.ids[3];
  EXPECT_EQ(Send("PATCH", "/me/messages/" + first.ids[1], {{"isRead", true}}).status, 200);
  ASSERT_TRUE(area_.Delete(ada_, gone));
  const Round second = Follow(first.link);
  EXPECT_THAT(second.ids, ElementsAre(fresh, first.ids[1]));
  EXPECT_THAT(second.removed, ElementsAre(gone));
}

TEST_F(GraphMail, PreferredPageSizeHoldsForTheRound) {
  for (int i = 0; i < 7; ++i) Deliver("m", i);
  const Headers three{{"Prefer", "odata.maxpagesize=3, IdType=\"ImmutableId\""}};
  const json::object page = Get("/me/mailFolders/inbox/messages/delta", three);
  EXPECT_EQ(page.at("value").as_array().size(), 3u);
  EXPECT_EQ(Get(Text(page, "@odata.nextLink")).at("value").as_array().size(), 3u);
}

TEST_F(GraphMail, ChangesDuringTheFirstRoundComeInTheNext) {
  for (int i = 0; i < 15; ++i) Deliver("m" + std::to_string(i), i);
  const json::object page = Get("/me/mailFolders/inbox/messages/delta");
  const std::string late = Deliver("late", 50);
  const Round rest = Follow(Text(page, "@odata.nextLink"));
  EXPECT_EQ(rest.ids.size(), 5u);
  EXPECT_THAT(Follow(rest.link).ids, ElementsAre(late));
}

TEST_F(GraphMail, MovedMessageKeepsItsImmutableIdOnly) {
  const std::string id = Deliver("moving");
  const Round inbox = Follow("/me/mailFolders/inbox/messages/delta", {});
  const Round archive = Follow("/me/mailFolders/archive/messages/delta", {});
  const std::string regular = inbox.ids.at(0);
  EXPECT_NE(regular, id);
  const Response moved = Send("POST", "/me/messages/" + id + "/move", {{"destinationId", "archive"}});
  EXPECT_EQ(moved.status, 201);
  EXPECT_EQ(Text(json::parse(moved.body).as_object(), "id"), id);
  EXPECT_EQ(Send("GET", "/me/messages/" + id).status, 200);
  EXPECT_EQ(Code(Send("GET", "/me/messages/" + regular)), "ErrorItemNotFound");
  EXPECT_THAT(Follow(inbox.link).removed, ElementsAre(id));
  EXPECT_THAT(Follow(inbox.link, {}).removed, ElementsAre(regular)) << "delta links work with both forms";
  EXPECT_THAT(Follow(archive.link).ids, ElementsAre(id));
  const auto renamed = Follow(archive.link, {}).ids;
  EXPECT_NE(renamed.at(0), regular);
  const json::object translated =
      json::parse(
          Send("POST", "/me/translateExchangeIds",
               {{"inputIds", {renamed.at(0)}}, {"targetIdType", "restImmutableEntryId"}, {"sourceIdType", "restId"}})
              .body)
          .as_object();
  EXPECT_EQ(translated.at("value").at(0).at("targetId"), json::string(id));
}

TEST_F(GraphMail, ExpiredLinksAreRefusedInEveryForm) {
  const Round round = Follow("/me/mailFolders/inbox/messages/delta");
  for (const auto& [code, status] : {std::pair("syncStateNotFound", 410), std::pair("syncStateNotFound", 400),
                                     std::pair("resyncRequired", 404), std::pair("resyncRequired", 410)}) {
    ASSERT_TRUE(area_.ExpireDelta(ada_, "inbox", {status, code}));
    const Response refused = Send("GET", round.link);
    EXPECT_EQ(refused.status, status);
    EXPECT_TRUE(EqualsIgnoreCase(Code(refused), code));
    if (status == 410) {
      EXPECT_EQ(Send("GET", std::string(refused.headers.Get("Location"))).status, 200);
    }
  }
  EXPECT_FALSE(area_.ExpireDelta(ada_, "inbox", {500, "odd"}));
  EXPECT_EQ(Send("GET", "/me/mailFolders/archive/messages/delta").status, 200);
}

TEST_F(GraphMail, LinksTakeNoFurtherOptions) {
  const Round round = Follow("/me/mailFolders/inbox/messages/delta");
  EXPECT_EQ(Send("GET", round.link + "&$select=subject").status, 400);
  EXPECT_EQ(Send("GET", round.link + "x").status, 400);
  EXPECT_EQ(Send("GET", "/me/mailFolders/inbox/messages/delta?$search=x").status, 400);
  EXPECT_EQ(Send("GET", "/me/mailFolders/inbox/messages/delta?$orderby=subject").status, 400);
  EXPECT_EQ(Send("GET", "/me/mailFolders/inbox/messages/delta?$filter=isRead%20eq%20true").status, 400);
  EXPECT_EQ(Send("GET", "/me/messages/delta").status, 400);
}

TEST_F(GraphMail, FilteredRoundKeepsItsFilter) {
  Deliver("old", -100);
  Deliver("new", 10);
  const Round round = Follow("/me/mailFolders/inbox/messages/delta?$filter=receivedDateTime%20ge%202026-11-20");
  EXPECT_THAT(round.subjects, ElementsAre("new"));
  Deliver("older still", -200);
  Deliver("newer", 20);
  EXPECT_THAT(Follow(round.link).subjects, ElementsAre("newer"));
}

TEST_F(GraphMail, AwkwardPages) {
  for (int i = 0; i < 12; ++i) Deliver("m" + std::to_string(i), i);
  settings_.empty_pages = true;
  settings_.repeated_items = true;
  const Round round = Follow("/me/mailFolders/inbox/messages/delta");
  EXPECT_GT(round.pages, 3);
  EXPECT_EQ(round.ids.size(), 13u) << "one of them twice";
  EXPECT_EQ(std::set<std::string>(round.ids.begin(), round.ids.end()).size(), 12u);
  settings_.graph_thin_updates = true;
  Send("PATCH", "/me/messages/" + round.ids.front(), {{"isRead", true}});
  const Round thin = Follow(round.link);
  EXPECT_THAT(thin.subjects, IsEmpty());
  EXPECT_FALSE(thin.ids.empty());
}

TEST_F(GraphMail, FoldersFormATreeWithWellKnownNames) {
  const Round first = Follow("/me/mailFolders/delta");
  EXPECT_EQ(Text(Get("/me/mailFolders/inbox"), "id"), Text(Get("/me/mailFolders('Inbox')"), "id"));
  const Response made = Send("POST", "/me/mailFolders/inbox/childFolders", {{"displayName", "Clients"}});
  EXPECT_EQ(made.status, 201);
  const std::string id = Text(json::parse(made.body).as_object(), "id");
  EXPECT_EQ(Send("POST", "/me/mailFolders/inbox/childFolders", {{"displayName", "clients"}}).status, 409);
  EXPECT_EQ(Get("/me/mailFolders/inbox").at("childFolderCount"), 1);
  EXPECT_EQ(Get("/me/mailFolders/inbox/childFolders").at("value").as_array().size(), 1u);
  EXPECT_EQ(Send("PATCH", "/me/mailFolders/" + id, {{"displayName", "Customers"}}).status, 200);
  EXPECT_EQ(Send("PATCH", "/me/mailFolders/inbox", {{"displayName", "In"}}).status, 400);
  EXPECT_THAT(Follow(first.link).ids, ::testing::Contains(id));
  const Round before = Follow("/me/mailFolders/delta");
  Deliver("inside", 0, "Customers");
  EXPECT_EQ(Send("POST", "/me/mailFolders/" + id + "/permanentDelete", json::object()).status, 204);
  EXPECT_THAT(Follow(before.link).removed, ElementsAre(id));
  EXPECT_EQ(Send("GET", "/me/mailFolders/" + id).status, 404);
  EXPECT_EQ(area_.Describe(ada_, {}).at("total"), 0u);
  EXPECT_EQ(Get("/me/mailFolders?includeHiddenFolders=true&$top=50").at("value").as_array().size(),
            Get("/me/mailFolders?$top=50").at("value").as_array().size() + 2);
}

TEST_F(GraphMail, ListsFilterOrderAndPage) {
  for (int i = 0; i < 15; ++i) Deliver(i % 2 ? "odd" : "even", i);
  json::object page = Get("/me/mailFolders/inbox/messages?$top=10&$count=true");
  EXPECT_EQ(page.at("@odata.count"), 15u);
  EXPECT_EQ(Get(Text(page, "@odata.nextLink")).at("value").as_array().size(), 5u);
  const auto odd = Get("/me/messages?$filter=subject%20eq%20'odd'&$select=subject&$top=100").at("value").as_array();
  EXPECT_EQ(odd.size(), 7u);
  EXPECT_FALSE(odd.front().as_object().contains("body"));
  EXPECT_EQ(Code(Send("GET", "/me/messages?$filter=isRead%20eq%20false&$orderby=receivedDateTime%20desc")),
            "InefficientFilter");
  EXPECT_EQ(Send("GET",
                 "/me/messages?$filter=receivedDateTime%20ge%202020-01-01%20and%20isRead%20eq%20false&$orderby="
                 "receivedDateTime%20desc")
                .status,
            200);
  EXPECT_EQ(Get("/me/messages?$filter=internetMessageId%20eq%20'<3@example.org>'").at("value").as_array().size(), 1u);
  EXPECT_EQ(Send("GET", "/me/mailFolders/inbox/messages/$count").body, "15");
}

TEST_F(GraphMail, DraftBecomesTheSentCopyUnderItsImmutableId) {
  settings_.graph_sent_copy_milliseconds = 5000;
  const Response made = Send("POST", "/me/messages", json::parse(R"({
      "subject": "Übersicht", "body": {"contentType": "html", "content": "<p>Hi<script>x()</script></p>"},
      "toRecipients": [{"emailAddress": {"name": "Bo, B", "address": "bo@example.org"}}],
      "bccRecipients": [{"emailAddress": {"address": "eve@example.net"}}],
      "internetMessageHeaders": [{"name": "x-own", "value": "7"}]})"));
  ASSERT_EQ(made.status, 201) << made.body;
  const json::object draft = json::parse(made.body).as_object();
  const std::string id = Text(draft, "id");
  EXPECT_TRUE(draft.at("isDraft").as_bool());
  EXPECT_THAT(made.headers.Get("Location"), HasSubstr("/messages('"));
  EXPECT_EQ(Send("POST", "/me/messages/" + id + "/send").status, 202);
  EXPECT_EQ(Send("GET", "/me/messages/" + id).status, 404) << "dispatched, its copy not there yet";
  clock_.Advance(std::chrono::seconds(5));
  schedule_.RunDue();
  const json::object sent = Get("/me/messages/" + id +
                                "?$select=isDraft,parentFolderId,internetMessageId,"
                                "internetMessageHeaders,subject");
  EXPECT_FALSE(sent.at("isDraft").as_bool());
  EXPECT_EQ(sent.at("parentFolderId"), Get("/me/mailFolders/sentitems").at("id"));
  EXPECT_EQ(sent.at("internetMessageId"), draft.at("internetMessageId"));
  EXPECT_THAT(json::serialize(sent.at("internetMessageHeaders")), HasSubstr(R"({"name":"x-own","value":"7"})"));
  ASSERT_EQ(delivered_.size(), 1u);
  EXPECT_THAT(delivered_[0], HasSubstr("x-own: 7"));
  EXPECT_THAT(delivered_[0], ::testing::Not(HasSubstr("eve@example.net")));
  EXPECT_EQ(Send("POST", "/me/messages/" + id + "/send").status, 400);
}

TEST_F(GraphMail, SendPlansDelayLoseAndDuplicate) {
  SendPlan plan;
  area_.SetSendPlan([&](const Account&) { return plan; });
  const json::value mail = json::parse(R"({"message": {"subject": "s", "body": {"content": "x"},
      "toRecipients": [{"emailAddress": {"address": "bo@example.org"}}]}})");
  plan.deliveries = 0;
  plan.sent_copies = 0;
  EXPECT_EQ(Send("POST", "/me/sendMail", mail).status, 202);
  EXPECT_THAT(delivered_, IsEmpty());
  plan.deliveries = 2;
  plan.sent_copies = 2;
  plan.delay = std::chrono::minutes(1);
  EXPECT_EQ(Send("POST", "/me/sendMail", mail).status, 202);
  EXPECT_THAT(delivered_, IsEmpty());
  clock_.Advance(std::chrono::minutes(1));
  schedule_.RunDue();
  EXPECT_EQ(delivered_.size(), 2u);
  EXPECT_EQ(Get("/me/mailFolders/sentitems").at("totalItemCount"), 2);
}

TEST_F(GraphMail, WhatCannotBeSentIsRefused) {
  const auto post = [&](std::string_view message) {
    return Send("POST", "/me/sendMail", {{"message", json::parse(message)}});
  };
  EXPECT_EQ(Code(post(R"({"subject": "nobody"})")), "ErrorInvalidRecipients");
  EXPECT_EQ(Code(post(R"({"from": {"emailAddress": {"address": "boss@example.com"}},
      "toRecipients": [{"emailAddress": {"address": "bo@example.org"}}]})")),
            "ErrorSendAsDenied");
  EXPECT_EQ(Code(post(R"({"internetMessageHeaders": [{"name": "In-Reply-To", "value": "<x>"}]})")),
            "InvalidInternetMessageHeader");
  EXPECT_EQ(Code(Send("POST", "/me/sendMail", "not base64!", {{"Content-Type", "text/plain"}})),
            "ErrorMimeContentInvalidBase64String");
  EXPECT_EQ(Send("POST", "/me/sendMail", json::value(Base64Encode("To: bo@example.org\r\nSubject: mime\r\n\r\nx")),
                 {{"Content-Type", "text/plain"}})
                .status,
            202);
  EXPECT_EQ(Send("POST", "/me/messages", json::value(std::string((4u << 20) + 1, ' '))).status, 413);
  EXPECT_EQ(Get("/me/mailFolders/outbox").at("totalItemCount"), 0);
}

TEST_F(GraphMail, RepliesKeepTheThread) {
  const std::string id = Deliver("Plan");
  const json::object reply =
      json::parse(Send("POST", "/me/messages/" + id + "/createReply", {{"comment", "Yes"}}).body).as_object();
  EXPECT_EQ(Text(reply, "subject"), "RE: Plan");
  EXPECT_EQ(reply.at("conversationId"), Get("/me/messages/" + id).at("conversationId"));
  EXPECT_THAT(json::serialize(reply.at("toRecipients")), HasSubstr("bo@example.org"));
  EXPECT_THAT(json::serialize(reply.at("body")), HasSubstr("Yes"));
  EXPECT_THAT(json::serialize(Get("/me/messages/" + Text(reply, "id") + "?$select=internetMessageHeaders")),
              HasSubstr("In-Reply-To"));
  EXPECT_EQ(Send("POST", "/me/messages/" + id + "/forward",
                 {{"toRecipients", json::parse(R"([{"emailAddress": {"address": "eve@example.net"}}])")}})
                .status,
            202);
  EXPECT_THAT(delivered_.at(0), HasSubstr("Subject: FW: Plan"));
}

TEST_F(GraphMail, AttachmentsSmallAndLarge) {
  const json::object draft = json::parse(Send("POST", "/me/messages", {{"subject", "files"}}).body).as_object();
  const std::string path = "/me/messages/" + Text(draft, "id");
  const Response added = Send("POST", path + "/attachments",
                              json::parse(R"({"@odata.type": "#microsoft.graph.fileAttachment", "name": "täst.txt",
                                              "contentType": "text/plain", "contentBytes": "SGVsbG8gV29ybGQh"})"));
  ASSERT_EQ(added.status, 201) << added.body;
  EXPECT_EQ(json::parse(added.body).at("size"), 170) << "as recorded";
  const std::string large(3'500'000, 'x');
  const json::object session =
      json::parse(
          Send("POST", path + "/attachments/createUploadSession",
               json::parse(R"({"AttachmentItem": {"attachmentType": "file", "name": "large.bin", "size": 3500000}})"))
              .body)
          .as_object();
  const auto put = [&](std::size_t first, std::size_t last, Headers extra = {}) {
    Request request;
    request.method = "PUT";
    request.SetTarget(Text(session, "uploadUrl"));
    request.scheme = "http";
    request.host = "127.0.0.1:8025";
    request.headers = std::move(extra);
    request.headers.Add("Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/3500000");
    request.body = large.substr(first, last - first + 1);
    return area_.Upload(request);
  };
  EXPECT_EQ(put(0, 1'999'999, {{"Authorization", "Bearer x"}}).status, 401);
  EXPECT_EQ(put(2'000'000, 3'499'999).status, 416) << "out of order";
  EXPECT_THAT(put(0, 1'999'999).body, HasSubstr(R"("NextExpectedRanges":["2000000"])"));
  const Response done = put(2'000'000, 3'499'999);
  EXPECT_EQ(done.status, 201);
  EXPECT_THAT(done.headers.Get("Location"), HasSubstr("Attachments('"));
  EXPECT_EQ(put(0, 10).status, 404) << "the session is over";
  const auto list = Get(path + "/attachments?$select=name,size").at("value").as_array();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_FALSE(list[0].as_object().contains("contentBytes"));
  EXPECT_EQ(Send("GET", path + "/attachments/" + Text(list[1].as_object(), "id") + "/$value").body, large);
  EXPECT_EQ(Send("DELETE", path + "/attachments/" + Text(list[0].as_object(), "id")).status, 204);
  EXPECT_EQ(Get(path + "?$expand=attachments").at("attachments").as_array().size(), 1u);
  EXPECT_TRUE(Get(path).at("hasAttachments").as_bool());
}

TEST_F(GraphMail, ExpandedAttachmentsShowWhatWasSelectedAlsoThroughDeltaLinks) {
  IncomingMessage message;
  message.raw =
      "From: bo@example.org\r\nSubject: logo\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"
      "<img src=\"cid:logo@x\">\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <logo@x>\r\n"
      "Content-Disposition: inline; filename=logo.png\r\n\r\nbytes\r\n--b--\r\n";
  area_.Deliver(ada_, message);
  Deliver("second", 1);
  const std::string expand = "$expand=attachments($select=id,name,isInline,microsoft.graph.fileAttachment/contentId)";
  const auto check = [&](const json::object& shown) {
    EXPECT_FALSE(shown.at("hasAttachments").as_bool()) << "inline ones do not count";
    const auto& list = shown.at("attachments").as_array();
    ASSERT_EQ(list.size(), 1u);
    EXPECT_EQ(list[0].at("contentId"), "logo@x");
    EXPECT_FALSE(list[0].as_object().contains("contentBytes"));
    EXPECT_FALSE(list[0].as_object().contains("size"));
  };
  const json::object list = Get("/me/messages?$orderby=receivedDateTime&" + expand);
  check(list.at("value").at(0).as_object());
  json::object page = Get("/me/mailFolders/inbox/messages/delta?" + expand, {{"Prefer", "odata.maxpagesize=1"}});
  EXPECT_EQ(page.at("value").at(0).at("subject"), "second");
  const std::string next = Text(page, "@odata.nextLink");
  check(Get(next.substr(next.find("/me/"))).at("value").at(0).as_object());
}

TEST_F(GraphMail, BasicReadersSeeNoBodies) {
  const std::string id = Deliver("secret");
  grant_.scopes = {"Mail.ReadBasic"};
  const json::object message = Get("/me/messages/" + id);
  EXPECT_FALSE(message.contains("body"));
  EXPECT_FALSE(message.contains("bodyPreview"));
  EXPECT_EQ(Code(Send("GET", "/me/messages/" + id + "/attachments")), "ErrorAccessDenied");
  EXPECT_EQ(Code(Send("PATCH", "/me/messages/" + id, {{"isRead", true}})), "ErrorAccessDenied");
}

TEST_F(GraphMail, DeletingGoesThroughDeletedItems) {
  const std::string id = Deliver("bin");
  EXPECT_EQ(Send("DELETE", "/me/messages/" + id).status, 204);
  EXPECT_EQ(Get("/me/messages/" + id).at("parentFolderId"), Get("/me/mailFolders/deleteditems").at("id"));
  EXPECT_EQ(Send("DELETE", "/me/messages/" + id).status, 204);
  EXPECT_EQ(Send("GET", "/me/messages/" + id).status, 404);
  EXPECT_EQ(Code(Send("GET", "/me/messages/nonsense")), "ErrorInvalidIdMalformed");
  MailboxQuery query;
  query.include_deleted = true;
  EXPECT_THAT(json::serialize(area_.Describe(ada_, query).at("deleted")), HasSubstr(id));
  // Or not at all.
  const std::string purged = Deliver("purge");
  EXPECT_EQ(Send("POST", "/me/messages/" + purged + "/permanentDelete").status, 204);
  EXPECT_EQ(Send("GET", "/me/messages/" + purged).status, 404);
  EXPECT_THAT(Get("/me/mailFolders/deleteditems/messages").at("value").as_array(), IsEmpty());
  EXPECT_EQ(Code(Send("POST", "/me/messages/" + purged + "/permanentDelete")), "ErrorItemNotFound");
}

TEST_F(GraphMail, StaleChangeKeyIsRefused) {
  const std::string id = Deliver("m");
  const std::string etag = Text(Get("/me/messages/" + id), "@odata.etag");
  Headers headers = kImmutable;
  headers.Add("If-Match", etag);
  EXPECT_EQ(Send("PATCH", "/me/messages/" + id, {{"isRead", true}}, headers).status, 200);
  EXPECT_EQ(Send("PATCH", "/me/messages/" + id, {{"isRead", false}}, headers).status, 412);
}

TEST_F(GraphMail, SampleMailboxIsFiledIntoFolders) {
  EXPECT_GT(*area_.ImportSample(ada_, clock_.Now()), 100u);
  EXPECT_GT(Get("/me/mailFolders/sentitems").at("totalItemCount").as_int64(), 5);
  EXPECT_GT(Get("/me/mailFolders/inbox").at("unreadItemCount").as_int64(), 0);
  EXPECT_EQ(Follow("/me/mailFolders/inbox/messages/delta").ids.size(),
            static_cast<std::size_t>(Get("/me/mailFolders/inbox").at("totalItemCount").as_int64()));
}

/// Members and their types, against the recorded answers. The live service sends some only at times.
TEST_F(GraphMail, AnswersHaveTheMembersOfTheRecordedOnes) {
  const char* const given = std::getenv("LATCHKEY_PROVIDERS");
  const std::string folder = (given ? std::string(given) : LATCHKEY_SOURCE_DIR "/../shared/providers") + "/examples/";
  const auto recorded = [&](const std::string& name) -> json::value {
    std::ifstream in(folder + name + ".json");
    if (!in) return nullptr;
    return json::parse(std::string((std::istreambuf_iterator<char>(in)), {})).at("response").at("body");
  };
  if (recorded("graph.messages.list.200").is_null()) GTEST_SKIP() << "the provider documents are not here";
  const std::string id = Deliver("shape");
  const auto same = [](const json::object& ours, const json::object& theirs, const std::string& where) {
    for (const auto& member : theirs) {
      const auto* value = ours.if_contains(member.key());
      EXPECT_TRUE(value) << where << " lacks " << member.key();
      if (value && !value->is_null() && !member.value().is_null()) {
        EXPECT_EQ(value->is_number(), member.value().is_number()) << where << "." << member.key();
        EXPECT_EQ(value->is_string(), member.value().is_string()) << where << "." << member.key();
        EXPECT_EQ(value->is_array(), member.value().is_array()) << where << "." << member.key();
      }
    }
    for (const auto& member : ours) EXPECT_TRUE(theirs.contains(member.key())) << where << " adds " << member.key();
  };
  same(Get("/me/messages").at("value").at(0).as_object(),
       recorded("graph.messages.list.200").at("value").at(0).as_object(), "message");
  same(Get("/me/mailFolders/inbox/messages/delta").at("value").at(0).as_object(),
       recorded("graph.messages.delta.page1.200").at("value").at(0).as_object(), "delta message");
  same(Get("/me/mailFolders").at("value").at(0).as_object(),
       recorded("graph.mailFolders.list.200").at("value").at(0).as_object(), "folder");
  same(Get("/me/mailFolders/delta").at("value").at(0).as_object(),
       recorded("graph.mailFolders.delta.page1.200").at("value").at(0).as_object(), "delta folder");
  same(
      Get("/me"),
      [&] {
        json::object me = recorded("graph.me.200").as_object();
        me["@odata.context"] = "";
        return me;
      }(),
      "me");
  const json::object draft = json::parse(Send("POST", "/me/messages", {{"subject", "d"}}).body).as_object();
  same(draft, recorded("graph.messages.create-draft.201").as_object(), "draft");
  same(json::parse(Send("POST", "/me/messages/" + Text(draft, "id") + "/attachments",
                        recorded("graph.messages.attachments.add.201").is_null()
                            ? json::value(nullptr)
                            : json::parse(R"({"@odata.type": "#microsoft.graph.fileAttachment", "name": "test.txt",
                                              "contentType": "text/plain", "contentBytes": "SGVsbG8gV29ybGQh"})"))
                       .body)
           .as_object(),
       recorded("graph.messages.attachments.add.201").as_object(), "attachment");
}

TEST(MailIds, BelongToOneMailboxAndOneKind) {
  const std::string id = EncodeId('I', 7, {42});
  EXPECT_TRUE(id.ends_with('='));
  EXPECT_EQ(DecodeId(id, 7)->words.at(0), 42u);
  EXPECT_FALSE(DecodeId(id, 8));
  EXPECT_FALSE(DecodeId("AAMk", 7));
  EXPECT_FALSE(DecodeId("", 7));
}

}  // namespace
}  // namespace latchkey::simulator::graph
