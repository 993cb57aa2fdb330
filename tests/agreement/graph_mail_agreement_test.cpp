// The same mail as in mail_agreement_test.cpp through Microsoft Graph's shape: what the client understands of the
// simulator's answers is held against what the torture corpus expects, and against what the simulator itself reads.
#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include "base/encoding.hpp"
#include "mail/message.hpp"
#include "providers/microsoft/graph_message.hpp"
#include "simulator/graph/mail_area.hpp"
#include "tests/agreement/agreement.hpp"

namespace latchkey {
namespace {

namespace json = boost::json;
using agreement::CorpusFolder;
using agreement::Squeezed;
using simulator::Request;
using simulator::Response;

/// Graph names every attachment, the mail does not: these are the names that the simulator gives.
bool IsNamedByGraph(const mail::Attachment& attachment) {
  return attachment.name == "attachment" || attachment.name == "message.eml";
}

class GraphMailAgreement : public testing::Test {
 protected:
  void SetUp() override { service_.Add(area_); }

  std::string Get(const std::string& target) {
    Request request;
    request.method = "GET";
    request.SetTarget("/v1.0/" + target);
    request.scheme = "http";
    request.host = "127.0.0.1:8025";
    request.headers.Add("Prefer", "IdType=\"ImmutableId\"");
    if (!simulator::graph::GraphService::Prepare(request, &mia_)) return {};
    Response response = service_.Handle(request, grant_);
    EXPECT_EQ(response.status, 200) << target << " " << response.body;
    return std::move(response.body);
  }

  /// As the folder sync reads it; attachments have the size of their content instead of Graph's, which counts more.
  mail::Message Fetch(const std::string& id) {
    const std::string path = "me/messages/" + PercentEncode(id);
    std::string body = Get(path + "?" + std::string(microsoft::kMessageSelect));
    auto parsed = microsoft::ParseGraphMessage(body, clock_.Now());
    EXPECT_TRUE(parsed && parsed->whole && parsed->located) << id;
    if (!parsed) return {};
    mail::Message message = std::move(parsed->message);
    if (!parsed->has_attachments) return message;
    std::string list = Get(path + "/attachments?" + std::string(microsoft::kAttachmentSelect));
    auto attachments = microsoft::ParseGraphAttachments(list);
    EXPECT_TRUE(attachments) << id;
    if (!attachments) return message;
    EXPECT_EQ(attachments->next_link, "") << id;
    for (mail::Attachment& attachment : attachments->attachments) {
      const std::string content = Get(path + "/attachments/" + PercentEncode(attachment.part_id) + "/$value");
      EXPECT_GE(attachment.size, static_cast<std::int64_t>(content.size())) << id;
      attachment.size = static_cast<std::int64_t>(content.size());
      if (IsNamedByGraph(attachment)) attachment.name.clear();
      message.attachments.push_back(std::move(attachment));
    }
    return message;
  }

  ManualClock clock_{Instant(std::chrono::seconds(1'795'000'000))};
  simulator::AccountRegistry accounts_;
  simulator::Account& mia_ = accounts_.AddMicrosoft("mia@example.com", "Mia Sample");
  simulator::Settings settings_;
  simulator::Schedule schedule_{clock_};
  simulator::graph::GraphService service_{clock_, settings_};
  simulator::graph::MailArea area_{clock_, accounts_, settings_, schedule_};
  simulator::Grant grant_{&mia_, "client", {"Mail.ReadWrite", "User.Read"}};
};

/// Where the client reads something else on purpose, and why.
const agreement::Exceptions kExceptions = {
    {"derived__filename-traversal.eml attachment_names", "path separators and direction marks leave file names"},
    {"stalwart__001__93e9f3.eml attachment_names", "path separators leave file names"},
    {"derived__message-id-spaces.eml message_id", "blanks inside a Message-ID are folding, not content"},
    {"derived__nul-in-header.eml subject", "no NUL is stored"},
    {"stalwart__007__4c657a.eml from", "where Graph has Exchange's own addresses nobody can write to: shown as a name"},
};

TEST_F(GraphMailAgreement, TortureCorpusArrivesAsItsExpectedValuesSay) {
  const auto read = [this](std::string raw) {
    simulator::IncomingMessage incoming;
    incoming.raw = std::move(raw);
    const auto delivered = area_.Deliver(mia_, incoming);
    EXPECT_TRUE(delivered);
    return delivered ? Fetch(std::string(delivered->at("id").as_string())) : mail::Message();
  };
  const auto carried = [this](const std::string& field, const json::object& expect) -> std::optional<json::value> {
    const json::value& value = expect.at(field);
    // Graph has one body, the richer one.
    const auto* html = expect.if_contains("has_html");
    if (field == "has_text" && (html == nullptr || html->as_bool())) return std::nullopt;
    // A message without a date was sent when it came: sentDateTime is its arrival then.
    if (field == "date" && value.is_null()) return json::value(FormatInstant(clock_.Now()).substr(0, 19) + "Z");
    return value;
  };
  if (!agreement::HoldAgainstTorture(read, kExceptions, carried)) {
    GTEST_SKIP() << "no corpus at " << CorpusFolder() << ": set LATCHKEY_CORPUS to run this test";
  }
}

/// What the oracle of the simulator and the client say of every message.
void ExpectSame(const json::object& oracle, const mail::Message& message) {
  agreement::ExpectAgreement(oracle, message, true);
  std::vector<std::string> labels{std::string(oracle.at("folderId").as_string())};
  if (oracle.at("isFlagged").as_bool()) labels.emplace_back(mail::kFlaggedLabel);
  for (const json::value& category : oracle.at("categories").as_array()) {
    labels.push_back(std::string(mail::kCategoryPrefix) + std::string(category.as_string()));
  }
  std::ranges::sort(labels);
  EXPECT_EQ(labels, message.label_ids) << message.external_id;
  EXPECT_EQ(message.is_read, oracle.at("isRead").as_bool()) << message.external_id;
  EXPECT_EQ(message.thread_id, std::string(oracle.at("threadId").as_string())) << message.external_id;
}

TEST_F(GraphMailAgreement, SampleMailboxReadsTheSameOnBothSides) {
  ASSERT_TRUE(area_.ImportSample(mia_, *ParseInstant("2026-03-01T12:00:00Z")));
  const json::object all = area_.Describe(mia_, {.limit = 10'000, .with_text = true});
  EXPECT_GT(all.at("messages").as_array().size(), 100U);
  for (const json::value& oracle : all.at("messages").as_array()) {
    const mail::Message message = Fetch(std::string(oracle.at("id").as_string()));
    ExpectSame(oracle.as_object(), message);
    if (!oracle.at("hasHtml").as_bool()) {
      EXPECT_EQ(Squeezed(message.text), Squeezed(std::string(oracle.at("text").as_string())));
    }
  }
}

TEST_F(GraphMailAgreement, RealMailReadsTheSameOnBothSides) {
  std::size_t count = 0;
  for (const char* name : {"twisted", "asf", "world", "junk"}) {
    const std::filesystem::path file = CorpusFolder() / "mailbox" / (std::string(name) + ".mbox.gz");
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file << ": set LATCHKEY_CORPUS to run this test";
    const auto imported = area_.Import(mia_, file.string());
    ASSERT_TRUE(imported) << imported.error();
    count += *imported;
  }
  const json::object all = area_.Describe(mia_, {.limit = 10'000});
  ASSERT_EQ(all.at("messages").as_array().size(), count);
  for (const json::value& oracle : all.at("messages").as_array()) {
    ExpectSame(oracle.as_object(), Fetch(std::string(oracle.at("id").as_string())));
  }
}

}  // namespace
}  // namespace latchkey
