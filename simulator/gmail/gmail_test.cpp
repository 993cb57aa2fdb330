#include <set>

#include "base/encoding.hpp"
#include "simulator/gmail/testing.hpp"

namespace latchkey::simulator {
namespace {

namespace json = boost::json;

std::string Text(const json::value& value) { return std::string(value.as_string()); }

using GmailTest = GmailFixture;

TEST_F(GmailTest, ListsNewestFirstAndPagesStayStableWhileMailArrives) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    clock_.Advance(std::chrono::minutes(1));
    ids.push_back(Deliver(Mail("m" + std::to_string(i))));
  }
  const json::value first = Get("messages?maxResults=2");
  ASSERT_EQ(first.at("messages").as_array().size(), 2U);
  EXPECT_EQ(Text(first.at("messages").at(0).at("id")), ids[4]);
  clock_.Advance(std::chrono::minutes(1));
  Deliver(Mail("late"));
  const json::value second = Get("messages?maxResults=2&pageToken=" + Text(first.at("nextPageToken")));
  EXPECT_EQ(Text(second.at("messages").at(0).at("id")), ids[2]);
  EXPECT_EQ(Text(second.at("messages").at(1).at("id")), ids[1]);
  const json::value third = Get("messages?maxResults=2&pageToken=" + Text(second.at("nextPageToken")));
  EXPECT_EQ(third.at("messages").as_array().size(), 1U);
  EXPECT_FALSE(third.as_object().contains("nextPageToken"));
}

TEST_F(GmailTest, AwkwardPagesStillHoldEverything) {
  const std::string start = Text(Get("profile").at("historyId"));
  for (int i = 0; i < 5; ++i) {
    clock_.Advance(std::chrono::minutes(1));
    Deliver(Mail("m" + std::to_string(i)));
  }
  service_.SetListQuirks({.empty_pages = true, .repeated_items = true});
  for (const std::string& target : {std::string("messages?maxResults=2"),
                                    "history?historyTypes=messageAdded&maxResults=2&startHistoryId=" + start}) {
    const char* member = target.starts_with("messages") ? "messages" : "history";
    std::vector<std::string> ids;
    std::size_t empty = 0;
    std::string token;
    for (int page = 0; page < 20; ++page) {
      const json::value answer = Get(target + token);
      if (!answer.as_object().contains(member)) ++empty;
      if (answer.as_object().contains(member)) {
        for (const json::value& item : answer.at(member).as_array()) ids.push_back(Text(item.at("id")));
      }
      if (!answer.as_object().contains("nextPageToken")) break;
      token = "&pageToken=" + Text(answer.at("nextPageToken"));
    }
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 5U) << target;
    EXPECT_GT(ids.size(), 5U) << "some come twice";
    EXPECT_GE(empty, 3U);
  }
}

TEST_F(GmailTest, SpamAndTrashAreListedOnlyWhenAskedFor) {
  Deliver(Mail("a"));
  Deliver(Mail("b"), {"SPAM"});
  Deliver(Mail("c"), {"TRASH"});
  EXPECT_EQ(Get("messages").at("messages").as_array().size(), 1U);
  EXPECT_EQ(Get("messages?includeSpamTrash=true").at("messages").as_array().size(), 3U);
  EXPECT_EQ(Get("messages?labelIds=TRASH").at("messages").as_array().size(), 1U);
  EXPECT_EQ(Get("messages?q=in:anywhere").at("messages").as_array().size(), 3U);
  EXPECT_EQ(Get("messages?labelIds=STARRED").at("resultSizeEstimate").as_int64(), 0);
}

TEST_F(GmailTest, FullMessageHasDecodedHeadersAndBodiesInTheirOwnCharset) {
  const std::string id = Deliver(
      "From: =?utf-8?Q?Doe=2C_J=C3=B6rg?= <j@example.com>\r\nSubject: =?koi8-r?B?8NLJ18XU?=\r\n"
      "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
      "Content-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=F0=D2\r\n"
      "--b\r\nContent-Type: text/csv; name=\"a.csv\"\r\nContent-Transfer-Encoding: "
      "base64\r\n\r\nYSxiCg==\r\n--b--\r\n");
  const json::value message = Get("messages/" + id);
  const json::value& payload = message.at("payload");
  EXPECT_EQ(Text(payload.at("headers").at(0).at("value")), "\"Doe, Jörg\" <j@example.com>");
  EXPECT_EQ(Text(payload.at("headers").at(1).at("value")), "Привет");
  EXPECT_EQ(payload.at("body").at("size").as_int64(), 0);
  const json::value& text = payload.at("parts").at(0);
  EXPECT_EQ(Text(text.at("partId")), "0");
  EXPECT_EQ(Base64UrlDecode(Text(text.at("body").at("data"))), "\xF0\xD2");
  EXPECT_EQ(Text(message.at("snippet")), "Пр");
  const json::value& file = payload.at("parts").at(1);
  EXPECT_EQ(Text(file.at("filename")), "a.csv");
  EXPECT_EQ(file.at("body").at("size").as_int64(), 4);
  EXPECT_FALSE(file.at("body").as_object().contains("data"));
}

TEST_F(GmailTest, AttachmentIdsDifferBetweenReadsAndStayValid) {
  const std::string id = Deliver(
      "From: c@example.net\r\nContent-Type: text/csv; name=a.csv\r\nContent-Transfer-Encoding: "
      "base64\r\n\r\nYSxiCg==\r\n");
  const std::string first = Text(Get("messages/" + id).at("payload").at("body").at("attachmentId"));
  const std::string second = Text(Get("messages/" + id).at("payload").at("body").at("attachmentId"));
  EXPECT_NE(first, second);
  for (const std::string& attachment : {first, second}) {
    const json::value body = Get("messages/" + id + "/attachments/" + attachment);
    EXPECT_EQ(Base64UrlDecode(Text(body.at("data"))), "a,b\n");
    EXPECT_EQ(body.at("size").as_int64(), 4);
  }
  const std::string other = Deliver(Mail("x"));
  Ask(400, "GET", Users("messages/" + other + "/attachments/" + first));
}

TEST_F(GmailTest, FormatsGiveWhatTheirNamesSay) {
  const std::string raw = Mail("hi & bye", "X-Test: 1\r\n");
  const std::string id = Deliver(raw);
  const json::value metadata =
      Get("messages/" + id + "?format=metadata&metadataHeaders=subject&metadataHeaders=X-Test");
  EXPECT_EQ(metadata.at("payload").at("headers").as_array().size(), 2U);
  EXPECT_FALSE(metadata.at("payload").as_object().contains("body"));
  EXPECT_EQ(Base64UrlDecode(Text(Get("messages/" + id + "?format=RAW").at("raw"))), raw);
  EXPECT_FALSE(Get("messages/" + id + "?format=minimal").as_object().contains("raw"));
  Ask(400, "GET", Users("messages/" + id + "?format=nonsense"));
  Ask(404, "GET", Users("messages/1111111111111111"));
  Ask(400, "GET", Users("messages/not-an-id"));
}

TEST_F(GmailTest, HistoryPagesFilterAndExpire) {
  const std::string start = Text(Get("profile").at("historyId"));
  const std::string a = Deliver(Mail("a"));
  const std::string b = Deliver(Mail("b"));
  Ask(200, "POST", Users("messages/" + a + "/modify"), R"({"removeLabelIds":["UNREAD"]})");
  Ask(204, "DELETE", Users("messages/" + b));
  std::set<std::string> seen;
  std::string token;
  std::size_t pages = 0;
  do {
    const json::value page =
        Get("history?startHistoryId=" + start + "&maxResults=1" + (token.empty() ? "" : "&pageToken=" + token));
    EXPECT_EQ(page.at("history").as_array().size(), 1U);
    for (const auto& [key, value] : page.at("history").at(0).as_object()) seen.insert(std::string(key));
    EXPECT_EQ(page.at("historyId"), Get("profile").at("historyId"));
    token = page.as_object().contains("nextPageToken") ? Text(page.at("nextPageToken")) : "";
    ++pages;
  } while (!token.empty());
  EXPECT_GE(pages, 4U);
  EXPECT_EQ(seen, (std::set<std::string>{"id", "messages", "messagesAdded", "messagesDeleted", "labelsRemoved"}));
  const json::value deleted = Get("history?startHistoryId=" + start + "&historyTypes=messageDeleted");
  ASSERT_EQ(deleted.at("history").as_array().size(), 1U);
  EXPECT_EQ(Text(deleted.at("history").at(0).at("messagesDeleted").at(0).at("message").at("id")), b);
  const std::string now = Text(Get("profile").at("historyId"));
  EXPECT_FALSE(Get("history?startHistoryId=" + now).as_object().contains("history"));
  service_.ExpireHistory(ada_);
  Ask(404, "GET", Users("history?startHistoryId=" + now));
  Ask(404, "GET", Users("history?startHistoryId=99999999999"));
  Ask(400, "GET", Users("history?startHistoryId=abc"));
}

TEST_F(GmailTest, SentMailIsKeptAndReachesLocalAccountsWithoutBcc) {
  const std::string raw =
      "From: someone@else.example\r\nTo: Ben <ben@example.org>\r\nBcc: cleo@example.net\r\nSubject: Hi\r\n\r\nText\r\n";
  const json::value sent = Ask(200, "POST", Users("messages/send"), R"({"raw":")" + Base64UrlEncode(raw) + R"("})");
  EXPECT_EQ(sent.at("labelIds"), (json::array{"SENT"}));
  const json::value copy = Get("messages/" + Text(sent.at("id")) + "?format=raw");
  const std::string kept = *Base64UrlDecode(Text(copy.at("raw")));
  EXPECT_NE(kept.find("From: ada@example.com\r\n"), std::string::npos) << "a foreign From is replaced";
  EXPECT_NE(kept.find("Message-Id: <CAPvkvP"), std::string::npos);
  EXPECT_NE(kept.find("Bcc: cleo@example.net"), std::string::npos);
  account_ = &ben_;
  const json::value inbox = Get("messages?labelIds=INBOX");
  ASSERT_EQ(inbox.at("messages").as_array().size(), 1U);
  const json::value received = Get("messages/" + Text(inbox.at("messages").at(0).at("id")) + "?format=raw");
  EXPECT_EQ(Base64UrlDecode(Text(received.at("raw")))->find("Bcc"), std::string::npos);
}

TEST_F(GmailTest, SendRefusesWhatHasNoUsableRecipient) {
  const auto send = [&](const std::string& raw) {
    return Ask(400, "POST", Users("messages/send"), R"({"raw":")" + Base64UrlEncode(raw) + R"("})");
  };
  EXPECT_EQ(Text(send("Subject: x\r\n\r\n").at("error").at("message")), "Recipient address required");
  EXPECT_EQ(Text(send("To: nobody\r\n\r\n").at("error").at("message")), "Invalid To header");
  Ask(400, "POST", Users("messages/send"), "{}");
}

TEST_F(GmailTest, UploadsTakeMediaMultipartAndResumable) {
  const std::string mail = "To: ben@example.org\r\nSubject: Up\r\n\r\nText\r\n";
  const std::string path = "/upload/gmail/v1/users/me/messages/send";
  EXPECT_EQ(AskRaw("POST", path + "?uploadType=media", mail, {{"Content-Type", "message/rfc822"}}).status, 200);
  const std::string multipart =
      "--x\r\nContent-Type: application/json\r\n\r\n{\"threadId\":\"12\"}\r\n--x\r\nContent-Type: "
      "message/rfc822\r\n\r\n" +
      mail + "\r\n--x--\r\n";
  EXPECT_EQ(
      AskRaw("POST", path + "?uploadType=multipart", multipart, {{"Content-Type", "multipart/related; boundary=x"}})
          .status,
      200);
  const Response started = AskRaw("POST", "/resumable" + path + "?uploadType=resumable", "{}");
  ASSERT_EQ(started.status, 200);
  std::string location(started.headers.Get("Location"));
  ASSERT_TRUE(location.starts_with("http://localhost:9000/resumable/upload/"));
  location = location.substr(std::string("http://localhost:9000").size());
  const std::string total = std::to_string(mail.size());
  const Response half = AskRaw("PUT", location, mail.substr(0, 10), {{"Content-Range", "bytes 0-9/" + total}});
  EXPECT_EQ(half.status, 308);
  EXPECT_EQ(half.headers.Get("Range"), "bytes=0-9");
  const Response done = AskRaw("PUT", location, mail.substr(10),
                               {{"Content-Range", "bytes 10-" + std::to_string(mail.size() - 1) + "/" + total}});
  EXPECT_EQ(done.status, 200) << done.body;
  account_ = &ben_;
  EXPECT_EQ(Get("messages").at("messages").as_array().size(), 3U);
}

TEST_F(GmailTest, ScopesOpenWhatTheDiscoveryDocumentSays) {
  const std::string id = Deliver(Mail("a"));
  scopes_ = {"https://www.googleapis.com/auth/gmail.send"};
  const json::value refused = Ask(403, "GET", Users("messages"));
  EXPECT_EQ(Text(refused.at("error").at("details").at(0).at("reason")), "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
  scopes_ = {"https://www.googleapis.com/auth/gmail.metadata"};
  Get("messages/" + id + "?format=metadata");
  Ask(403, "GET", Users("messages/" + id));
  Ask(403, "GET", Users("messages?q=x"));
  Ask(403, "POST", Users("messages/" + id + "/modify"), "{}");
  scopes_ = {"https://www.googleapis.com/auth/gmail.modify"};
  Get("messages/" + id);
  Ask(403, "DELETE", Users("messages/" + id));
  Ask(403, "GET", "/gmail/v1/users/ben@example.org/messages");
}

TEST_F(GmailTest, QuotaRefusesInBothFormsAndRecoversWithTheMinute) {
  const std::string id = Deliver(Mail("a"));
  for (int i = 0; i < 300; ++i) Get("messages/" + id + "?format=minimal");
  const json::value first = Ask(403, "GET", Users("messages/" + id));
  EXPECT_TRUE(Text(first.at("error").at("message")).starts_with("User-rate limit exceeded.  Retry after 20"));
  const json::value second = Ask(429, "GET", Users("messages/" + id));
  EXPECT_EQ(Text(second.at("error").at("status")), "RESOURCE_EXHAUSTED");
  const json::object counters = service_.QuotaCounters();
  EXPECT_EQ(counters.at("ada@example.com").at("units").as_int64(), 6000);
  clock_.Advance(std::chrono::seconds(61));
  Get("messages/" + id);
  service_.EnforceQuota(false);
  for (int i = 0; i < 400; ++i) Get("messages/" + id + "?format=minimal");
}

TEST_F(GmailTest, BatchAnswersEachPartOnItsOwn) {
  const std::string id = Deliver(Mail("a"));
  const std::string body = "--b\r\nContent-Type: application/http\r\nContent-ID: <item1:x>\r\n\r\nGET " +
                           Users("messages/" + id + "?format=minimal") +
                           "\r\n\r\n--b\r\nContent-Type: application/http\r\nContent-ID: <item2:x>\r\n\r\nGET " +
                           Users("messages/1111111111111111") + "\r\n\r\n--b--";
  int gated = 0;
  service_.SetPartGate([&](const Request&, const Grant&) -> std::optional<Response> {
    ++gated;
    return std::nullopt;
  });
  const Response response = AskRaw("POST", "/batch/gmail/v1", body, {{"Content-Type", "multipart/mixed; boundary=b"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(gated, 2);
  EXPECT_NE(response.body.find("Content-ID: <response-item1:x>\r\n\r\nHTTP/1.1 200 OK"), std::string::npos);
  EXPECT_NE(response.body.find("Content-ID: <response-item2:x>\r\n\r\nHTTP/1.1 404 Not Found"), std::string::npos);
}

TEST_F(GmailTest, WatchNotifiesAtOnceAndAtMostOnceASecond) {
  const json::value watch =
      Ask(200, "POST", Users("watch"), R"({"topicName":"projects/p/topics/gmail","labelIds":["INBOX"]})");
  EXPECT_EQ(std::stoll(Text(watch.at("expiration"))), ToMicros(clock_.Now() + std::chrono::hours(7 * 24)) / 1000);
  EXPECT_EQ(service_.PubSubMessages(true).size(), 1U);
  clock_.Advance(std::chrono::seconds(2));
  Deliver(Mail("a"));
  Deliver(Mail("b"));
  clock_.Advance(std::chrono::seconds(2));
  Deliver(Mail("c"), {"SENT"});
  const json::array messages = service_.PubSubMessages(true);
  ASSERT_EQ(messages.size(), 1U) << "the second within a second is dropped, the third has another label";
  const json::value data = json::parse(*Base64Decode(Text(messages.at(0).at("message").at("data"))));
  EXPECT_EQ(Text(data.at("emailAddress")), "ada@example.com");
  clock_.Advance(std::chrono::hours(7 * 24));
  Deliver(Mail("d"));
  EXPECT_TRUE(service_.PubSubMessages(true).empty());
  Ask(204, "POST", Users("stop"));
  Ask(400, "POST", Users("watch"), R"({"topicName":"gmail"})");
}

TEST_F(GmailTest, LabelsCanBeMadeChangedCountedAndDeleted) {
  const json::value label = Ask(200, "POST", Users("labels"), R"({"name":"Work"})");
  const std::string id = Text(label.at("id"));
  Ask(409, "POST", Users("labels"), R"({"name":"work"})");
  Ask(400, "POST", Users("labels"), R"({})");
  const std::string message = Deliver(Mail("a"), {"INBOX", "Work"});
  EXPECT_EQ(Get("labels/" + id).at("messagesTotal").as_int64(), 1);
  EXPECT_EQ(Text(Ask(200, "PATCH", Users("labels/" + id), R"({"name":"Office"})").at("name")), "Office");
  Ask(204, "DELETE", Users("labels/" + id));
  EXPECT_EQ(Get("messages/" + message).at("labelIds"), (json::array{"INBOX"}));
  Ask(404, "GET", Users("labels/" + id));
  Ask(400, "DELETE", Users("labels/INBOX"));
  Ask(400, "POST", Users("messages/" + message + "/modify"), R"({"addLabelIds":["SENT"]})");
}

TEST_F(GmailTest, ThreadsAndDraftsWorkAsRecorded) {
  const std::string root = Deliver(Mail("Plan", "Message-ID: <1@x.example>\r\n"));
  Deliver(Mail("Re: Plan", "Message-ID: <2@x.example>\r\nReferences: <1@x.example>\r\n"));
  const json::value threads = Get("threads");
  ASSERT_EQ(threads.at("threads").as_array().size(), 1U);
  EXPECT_EQ(Get("threads/" + root + "?format=minimal").at("messages").as_array().size(), 2U);
  Ask(200, "POST", Users("threads/" + root + "/modify"), R"({"removeLabelIds":["UNREAD"]})");
  Ask(200, "POST", Users("threads/" + root + "/trash"));
  EXPECT_FALSE(Get("threads").as_object().contains("threads"));

  const std::string raw = Base64UrlEncode("To: ben@example.org\r\nSubject: D\r\n\r\nText");
  const json::value draft = Ask(200, "POST", Users("drafts"), R"({"message":{"raw":")" + raw + R"("}})");
  const std::string id = Text(draft.at("id"));
  EXPECT_EQ(draft.at("message").at("labelIds"), (json::array{"DRAFT"}));
  EXPECT_EQ(Get("drafts").at("drafts").as_array().size(), 1U);
  Ask(200, "PUT", Users("drafts/" + id), R"({"message":{"raw":")" + raw + R"("}})");
  EXPECT_EQ(Text(Get("drafts/" + id).at("id")), id);
  Ask(200, "POST", Users("drafts/send"), R"({"id":")" + id + R"("})");
  Ask(404, "GET", Users("drafts/" + id));
  EXPECT_EQ(Get("messages?labelIds=SENT").at("messages").as_array().size(), 1U);
}

TEST_F(GmailTest, SearchFindsByTheOperatorsItKnows) {
  const std::string id = Deliver(
      "From: Ölaf <olaf@example.net>\r\nTo: ada@example.com\r\nSubject: Invoice 7\r\nMessage-ID: <m7@x.example>\r\n"
      "Content-Type: application/pdf; name=i.pdf\r\n\r\nx");
  Deliver(Mail("Other"), {"INBOX"});
  for (const char* query : {"from:olaf", "subject:invoice", "rfc822msgid:m7@x.example", "has:attachment", "is:unread",
                            "filename:pdf", "\"invoice 7\"", "-from:cleo", "newer_than:1d+subject:invoice"}) {
    const json::value found = Get(std::string("messages?q=") + query);
    ASSERT_EQ(found.at("resultSizeEstimate").as_int64(), 1) << query;
    EXPECT_EQ(Text(found.at("messages").at(0).at("id")), id) << query;
  }
  EXPECT_EQ(Get("messages?q=before:2001/01/01").at("resultSizeEstimate").as_int64(), 0);
}

TEST_F(GmailTest, FieldsAndPrettyPrintShapeTheAnswer) {
  const std::string id = Deliver(Mail("a\\\"b"));
  const json::value picked = Get("messages/" + id + "?fields=id,payload/headers(name),payload/body/size");
  EXPECT_EQ(picked.as_object().size(), 2U);
  EXPECT_EQ(picked.at("payload").at("headers").at(0).as_object().size(), 1U);
  EXPECT_EQ(picked.at("payload").at("body").as_object().size(), 1U);
  EXPECT_EQ(Get("messages?fields=messages(id),nextPageToken").at("messages").at(0).as_object().size(), 1U);
  EXPECT_EQ(Get("messages/" + id + "?fields=*"), Get("messages/" + id));
  Ask(400, "GET", Users("messages/" + id + "?fields=id("));
  const Response pretty = AskRaw("GET", Users("messages/" + id + "?prettyPrint=true"));
  EXPECT_NE(pretty.body.find("{\n  \"id\": \""), std::string::npos);
  EXPECT_EQ(json::parse(pretty.body), Get("messages/" + id));
}

TEST_F(GmailTest, CursorsOfAFormerSimulatorCountAsExpired) {
  Deliver(Mail("a"));
  const std::string cursor = Text(Get("profile").at("historyId"));
  clock_.Advance(std::chrono::minutes(1));
  GmailService restarted(clock_, accounts_, 42);
  Request request;
  request.method = "GET";
  request.SetTarget(Users("history?startHistoryId=" + cursor));
  const Grant grant{.account = &ada_, .client_id = "client", .scopes = scopes_};
  EXPECT_EQ(restarted.Handle(request, grant).status, 404);
}

TEST_F(GmailTest, SampleDraftsAreDrafts) {
  ASSERT_TRUE(service_.ImportSample(ada_, clock_.Now()));
  EXPECT_EQ(Get("drafts").at("drafts").as_array().size(), 1U);
}

TEST_F(GmailTest, AnAccountWithoutGmailSaysSo) {
  accounts_.FindByEmail("ada@example.com")->has_mailbox = false;
  EXPECT_EQ(Text(Ask(400, "GET", Users("profile")).at("error").at("message")), "Mail service not enabled");
}

TEST_F(GmailTest, DescribeTellsTheWholeTruth) {
  const std::string id = Deliver(Mail("Grüße"), {"INBOX", "Work"});
  const std::string gone = Deliver(Mail("b"));
  ASSERT_TRUE(service_.Delete(ada_, gone));
  const json::object all = service_.Describe(ada_, {.with_text = true, .include_deleted = true});
  EXPECT_EQ(all.at("total").as_int64(), 1);
  EXPECT_EQ(Text(all.at("deleted").at(0)), gone);
  const json::value& message = all.at("messages").at(0);
  EXPECT_EQ(Text(message.at("id")), id);
  EXPECT_EQ(Text(message.at("subject")), "Grüße");
  EXPECT_EQ(Text(message.at("text")), "Hello Ada\r\n");
  EXPECT_EQ(Text(message.at("from").at(0).at("email")), "cleo@example.net");
  EXPECT_FALSE(service_.Delete(ada_, gone));
}

TEST_F(GmailTest, WhatLeavesIsLoggedWhateverTheAnswerSays) {
  Schedule schedule(clock_);
  SentLog sent;
  service_.SetDispatch(schedule, sent);
  const auto send = [&](const char* subject) {
    const std::string raw = std::string("To: ben@example.org\r\nBcc: noor@example.net\r\nSubject: ") + subject +
                            "\r\nMessage-ID: <" + subject + "@example.com>\r\nX-Own: 1\r\n\r\nText\r\n";
    return Text(Ask(200, "POST", Users("messages/send"), R"({"raw":")" + Base64UrlEncode(raw) + R"("})").at("id"));
  };
  send("honest");
  service_.PlanSend({.lose = true});
  const std::string lost = send("lost");
  Ask(404, "GET", Users("messages/" + lost));
  service_.PlanSend({.extra_copies = 1});
  send("twice");
  service_.PlanSend({.delay = std::chrono::seconds(60)});
  const std::string late = send("late");
  Ask(404, "GET", Users("messages/" + late));
  const json::object before = sent.Describe(ada_);
  EXPECT_EQ(before.at("total").to_number<int>(), 3);
  EXPECT_EQ(before.at("by_message_id").at("<twice@example.com>").to_number<int>(), 2);
  EXPECT_EQ(before.at("messages").at(0).at("recipients").as_array().size(), 2U);
  EXPECT_EQ(Text(before.at("messages").at(0).at("headers").at("X-Own")), "1");
  clock_.Advance(std::chrono::seconds(60));
  EXPECT_EQ(schedule.RunDue(), 1U);
  EXPECT_EQ(Text(Get("messages/" + late).at("labelIds").at(0)), "SENT");
  EXPECT_EQ(sent.Describe(ada_).at("by_message_id").at("<late@example.com>").to_number<int>(), 1);
}

}  // namespace
}  // namespace latchkey::simulator
