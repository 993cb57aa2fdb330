// What Outlook's mail looks like through Graph.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "providers/microsoft/graph_message.hpp"
#include "tests/examples/example.hpp"

namespace latchkey::examples {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const Instant kNow = *ParseInstant("2026-11-20T10:00:00Z");

microsoft::ParsedGraphMessage Message(std::string json) {
  auto parsed = microsoft::ParseGraphMessage(json, kNow);
  EXPECT_TRUE(parsed.has_value());
  return parsed ? std::move(*parsed) : microsoft::ParsedGraphMessage();
}
microsoft::GraphMessagePage Page(const Example& example) {
  std::string json = example.Body();
  auto page = microsoft::ParseGraphMessagePage(json, kNow);
  EXPECT_TRUE(page.has_value()) << example.name;
  return page ? std::move(*page) : microsoft::GraphMessagePage();
}
microsoft::GraphFolderPage Folders(const Example& example) {
  std::string json = example.Body();
  auto page = microsoft::ParseGraphFolders(json);
  EXPECT_TRUE(page.has_value()) << example.name;
  return page ? std::move(*page) : microsoft::GraphFolderPage();
}

void ClaimMessages(Claims& claims) {
  claims.Add("graph.messages.get.200", [](const Example& example) {
    const auto parsed = Message(example.Body());
    const auto& message = parsed.message;
    EXPECT_TRUE(parsed.located);
    EXPECT_EQ(message.external_id, example.Text("response/body/id"));
    EXPECT_EQ(message.subject, "Test Message for Get Action");
    EXPECT_EQ(message.thread_id, example.Text("response/body/conversationId"));
    EXPECT_EQ(message.received_at, ParseInstant("2026-05-04T09:23:10Z"));
    EXPECT_TRUE(message.is_read);
    EXPECT_TRUE(message.is_draft);
    EXPECT_FALSE(message.is_starred);
    EXPECT_THAT(message.label_ids, ::testing::Contains(example.Text("response/body/parentFolderId")));
  });
  claims.Add("graph.messages.update.200", [](const Example& example) {
    EXPECT_THAT(Message(example.Body()).message.label_ids, ::testing::Contains("category:TestCategory"));
  });
  claims.Add("graph.messages.move.201", [](const Example& example) {
    const auto message = Message(example.Body()).message;
    EXPECT_THAT(message.label_ids, ::testing::Contains(example.Text("response/body/parentFolderId")))
        << "where it is now";
  });
  claims.Add("graph.messages.create-draft.201", [](const Example& example) {
    EXPECT_TRUE(Message(example.Body()).message.is_draft);
    EXPECT_EQ(Message(example.Body()).message.subject, "Hello World");
  });
  claims.Add("graph.messages.createReplyAll.201", [](const Example& example) {
    const auto message = Message(example.Body()).message;
    EXPECT_TRUE(message.is_draft);
    EXPECT_TRUE(message.subject.starts_with("RE: "));
  });
  claims.Add("graph.messages.list.200", [](const Example& example) {
    const auto page = Page(example);
    ASSERT_THAT(page.messages, SizeIs(2));
    EXPECT_EQ(page.messages[0].message.subject, "New app(s) connected to your Microsoft account");
    EXPECT_EQ(page.next_link, example.Text("response/body/@odata.nextLink"));
    EXPECT_EQ(page.delta_link, "");
  });
  claims.Add("graph.messages.delta.page1.200", [](const Example& example) {
    const auto page = Page(example);
    EXPECT_EQ(page.messages.size(), example.At("response/body/value").as_array().size());
    EXPECT_FALSE(page.next_link.empty());
    EXPECT_EQ(page.delta_link, "");
    EXPECT_FALSE(page.messages[0].message.is_read);
  });
  claims.Add("graph.messages.delta.last.200", [](const Example& example) {
    const auto page = Page(example);
    EXPECT_EQ(page.next_link, "");
    EXPECT_EQ(page.delta_link, example.Text("response/body/@odata.deltaLink"));
  });
  claims.Add("graph.messages.delta.removed.200", [](const Example& example) {
    const auto page = Page(example);
    EXPECT_THAT(page.removed,
                ::testing::ElementsAre("AAMkADk0MGFkODE3LWE4MmYtNDRhOS0Dh_6qB-pB2Sa2pUum19a6YAAKnLuxoAAA="));
    ASSERT_THAT(page.messages, SizeIs(1));
    EXPECT_FALSE(page.messages[0].whole) << "changed properties alone: to be read by its id";
  });
  claims.Add("graph.messages.delta.select.200", [](const Example& example) {
    const auto page = Page(example);
    ASSERT_THAT(page.messages, SizeIs(1));
    EXPECT_FALSE(page.messages[0].whole);
    EXPECT_FALSE(page.delta_link.empty());
  });
  claims.Add("graph.messages.delete.204", [](const Example& example) {
    EXPECT_EQ(example.Response().status, 204);
    EXPECT_EQ(example.Body(), "");
  });
  claims.Add("graph.messages.value-mime.200", [](const Example& example) {
    // Never asked for: Outlook rebuilds it, and no byte from outside reaches a MIME parser of ours.
    std::string body = example.Body();
    EXPECT_FALSE(microsoft::ParseGraphMessage(body, kNow)) << "not JSON";
  });
  for (const char* name : {"graph.sendMail.202", "graph.sendMail.mime.202"}) {
    claims.Add(name, [](const Example& example) {
      // No body and no id: why mail leaves as a draft whose id is known before.
      EXPECT_EQ(example.Response().status, 202);
      EXPECT_EQ(example.Body(), "");
    });
  }
  claims.Add("graph.translateExchangeIds.200", [](const Example& example) {
    // Not asked: every id is immutable from the start.
    EXPECT_EQ(example.Text("response/body/value/0/sourceId"), "AQMkAGM2...");
  });
  claims.Add("graph.me.200", [](const Example& example) {
    // Not asked: the ID token says who it is. The id is its `oid`.
    EXPECT_EQ(example.Text("response/body/displayName"), "Adele Vance");
    EXPECT_EQ(example.Text("response/body/id").size(), 36u);
  });
}

void ClaimAttachments(Claims& claims) {
  const auto attachments = [](std::string json) {
    auto page = microsoft::ParseGraphAttachments(json);
    EXPECT_TRUE(page.has_value());
    return page ? std::move(page->attachments) : std::vector<mail::Attachment>();
  };
  claims.Add("graph.messages.attachments.list.200", [=](const Example& example) {
    const auto list = attachments(example.Body());
    ASSERT_THAT(list, SizeIs(2));
    EXPECT_EQ(list[0].name, "test.txt");
    EXPECT_EQ(list[0].mime_type, "text/plain");
    EXPECT_EQ(list[0].size, 170);
    EXPECT_FALSE(list[0].is_inline);
  });
  for (const char* name : {"graph.messages.attachments.get.200", "graph.messages.attachments.add.201"}) {
    claims.Add(name, [=](const Example& example) {
      const auto list = attachments(R"({"value":[)" + example.Body() + "]}");
      ASSERT_THAT(list, SizeIs(1));
      EXPECT_EQ(list[0].name, "test.txt");
      EXPECT_EQ(list[0].provider_id, example.Text("response/body/id"));
    });
  }
  claims.Add("graph.uploadSession", [](const Example& example) {
    EXPECT_EQ(example.Response("steps/0/response").status, 201);
    EXPECT_EQ(example.Text("steps/0/response/body/nextExpectedRanges/0"), "0-");
    EXPECT_EQ(example.Text("steps/1/response/body/NextExpectedRanges/0"), "2097152") << "another spelling, no dash";
    EXPECT_EQ(example.Response("steps/2/response").status, 201) << "complete";
    EXPECT_FALSE(example.At("steps/1/request/headers").as_object().contains("Authorization"));
  });
}

void ClaimFolders(Claims& claims) {
  claims.Add("graph.mailFolders.list.200", [](const Example& example) {
    const auto page = Folders(example);
    ASSERT_GE(page.folders.size(), 4u);
    EXPECT_EQ(page.folders[0].folder.label.name, "Archive");
    EXPECT_EQ(page.folders[1].child_count, 1);
    EXPECT_EQ(page.folders[0].folder.parent_id, example.Text("response/body/value/0/parentFolderId"));
    EXPECT_EQ(page.next_link, example.Text("response/body/@odata.nextLink"));
  });
  claims.Add("graph.mailFolders.delta.page1.200", [](const Example& example) {
    EXPECT_EQ(Folders(example).next_link, example.Text("response/body/@odata.nextLink"));
  });
  claims.Add("graph.mailFolders.delta.last.200", [](const Example& example) {
    EXPECT_EQ(Folders(example).next_link, "");
    EXPECT_EQ(Folders(example).folders[0].folder.label.name, "Urgent");
  });
  claims.Add("graph.mailFolders.get-wellknown.200", [](const Example& example) {
    std::string json = example.Body();
    const auto folder = microsoft::ParseGraphFolder(json);
    ASSERT_TRUE(folder) << "an id is enough: it says which folder has the role";
    EXPECT_EQ(folder->folder.label.external_id, example.Text("response/body/id"));
  });
  claims.Add("graph.mailFolders.get.localized.200", [](const Example& example) {
    std::string json = example.Body();
    const auto folder = microsoft::ParseGraphFolder(json);
    ASSERT_TRUE(folder);
    EXPECT_EQ(folder->folder.label.name, "Entwürfe") << "names are for people, roles come from well-known names";
  });
}

}  // namespace

void ClaimGraphMail(Claims& claims) {
  ClaimMessages(claims);
  ClaimAttachments(claims);
  ClaimFolders(claims);
}

}  // namespace latchkey::examples
