// Mail on its way from raw bytes through the simulated Gmail into Latchkey's own message, without a network between:
// what the client understands of the simulator's answers is held against what the torture corpus expects, and against
// what the simulator itself reads. The corpus is not part of the project (LATCHKEY_CORPUS or ../shared/corpus); the
// sample mailbox is.
#include <filesystem>
#include <set>

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include "mail/message.hpp"
#include "providers/google/gmail_message.hpp"
#include "simulator/gmail/gmail_service.hpp"
#include "tests/agreement/agreement.hpp"

namespace latchkey {
namespace {

namespace json = boost::json;
using agreement::CorpusFolder;
using agreement::Squeezed;
using simulator::AccountRegistry;
using simulator::GmailService;
using simulator::Grant;
using simulator::Request;

class MailAgreement : public testing::Test {
 protected:
  mail::Message Fetch(const std::string& id) {
    Request request;
    request.method = "GET";
    request.SetTarget("/gmail/v1/users/me/messages/" + id + "?format=full");
    std::string body = gmail_.Handle(request, grant_).body;
    Result<google::ParsedMessage> parsed = google::ParseGmailMessage(body);
    EXPECT_TRUE(parsed) << id;
    if (!parsed) return {};
    for (const google::DeferredText& text : parsed->deferred) {
      EXPECT_GT(text.size, 1 << 20) << "small texts come with the message";
    }
    return std::move(parsed->message);
  }

  void SetUp() override { gmail_.EnforceQuota(false); }

  ManualClock clock_{Instant(std::chrono::seconds(1'795'000'000))};
  AccountRegistry accounts_;
  const simulator::Account& ada_ = accounts_.Add("ada@example.com", "Ada Example");
  Grant grant_{.account = &ada_, .client_id = "test", .scopes = {"https://mail.google.com/"}};
  GmailService gmail_{clock_, accounts_, 1};
};

/// Where the client reads something else on purpose, and why.
const agreement::Exceptions kExceptions = {
    {"derived__filename-traversal.eml attachment_names", "path separators and direction marks leave file names"},
    {"stalwart__001__93e9f3.eml attachment_names", "path separators leave file names"},
    {"derived__message-id-spaces.eml message_id", "blanks inside a Message-ID are folding, not content"},
    {"derived__nul-in-header.eml subject", "no NUL is stored"},
    {"enmime__malformed-multiple-address-header-values__e4cf38.eml from", "both addresses of a list without its comma"},
};

TEST_F(MailAgreement, TortureCorpusArrivesAsItsExpectedValuesSay) {
  const auto read = [this](std::string raw) {
    simulator::IncomingMessage incoming;
    incoming.raw = std::move(raw);
    const auto delivered = gmail_.Deliver(ada_, std::move(incoming));
    EXPECT_TRUE(delivered);
    return delivered ? Fetch(std::string(delivered->at("id").as_string())) : mail::Message();
  };
  const auto carried = [](const std::string& field, const json::object& expect) -> std::optional<json::value> {
    return expect.at(field);
  };
  if (!agreement::HoldAgainstTorture(read, kExceptions, carried)) {
    GTEST_SKIP() << "no corpus at " << CorpusFolder() << ": set LATCHKEY_CORPUS to run this test";
  }
}

/// What the oracle of the simulator and the client say of every message.
void ExpectSame(const json::object& oracle, const mail::Message& message) {
  agreement::ExpectAgreement(oracle, message, false);
  std::set<std::string> labels;
  for (const json::value& label : oracle.at("labelIds").as_array()) labels.insert(std::string(label.as_string()));
  EXPECT_EQ(labels, std::set<std::string>(message.label_ids.begin(), message.label_ids.end()));
}

TEST_F(MailAgreement, SampleMailboxReadsTheSameOnBothSides) {
  ASSERT_TRUE(gmail_.ImportSample(ada_, *ParseInstant("2026-03-01T12:00:00Z")));
  const json::object all = gmail_.Describe(ada_, {.limit = 10'000, .with_text = true});
  for (const json::value& oracle : all.at("messages").as_array()) {
    const mail::Message message = Fetch(std::string(oracle.at("id").as_string()));
    ExpectSame(oracle.as_object(), message);
    EXPECT_EQ(Squeezed(message.text), Squeezed(std::string(oracle.at("text").as_string())));
    EXPECT_EQ(Squeezed(message.html), Squeezed(std::string(oracle.at("html").as_string())));
  }
}

TEST_F(MailAgreement, RealMailReadsTheSameOnBothSides) {
  std::size_t count = 0;
  for (const char* name : {"twisted", "asf", "world", "junk"}) {
    const std::filesystem::path file = CorpusFolder() / "mailbox" / (std::string(name) + ".mbox.gz");
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file << ": set LATCHKEY_CORPUS to run this test";
    const auto imported = gmail_.Import(ada_, file.string());
    ASSERT_TRUE(imported) << imported.error();
    count += *imported;
  }
  const json::object all = gmail_.Describe(ada_, {.limit = 10'000});
  ASSERT_EQ(all.at("messages").as_array().size(), count);
  for (const json::value& oracle : all.at("messages").as_array()) {
    ExpectSame(oracle.as_object(), Fetch(std::string(oracle.at("id").as_string())));
  }
}

}  // namespace
}  // namespace latchkey
