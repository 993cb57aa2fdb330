// What Gmail answers.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"
#include "providers/google/attachment_stream.hpp"
#include "providers/google/gmail_answers.hpp"
#include "providers/google/gmail_message.hpp"
#include "providers/google/google_errors.hpp"
#include "providers/google/google_push.hpp"
#include "tests/examples/example.hpp"

namespace latchkey::examples {
namespace {

using google::GoogleCall;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

mail::Message Message(std::string json) {
  auto parsed = google::ParseGmailMessage(json);
  EXPECT_TRUE(parsed.has_value());
  return parsed ? std::move(parsed->message) : mail::Message();
}

/// The message resource at `path` of an answer.
mail::Message MessageAt(const Example& example, std::string_view path = "response/body") {
  return Message(boost::json::serialize(example.At(path)));
}

void ClaimMessages(Claims& claims) {
  claims.Add("gmail.messages.get.full.multipart.200", [](const Example& example) {
    const auto message = MessageAt(example);
    EXPECT_EQ(message.external_id, "19ddaab064b93cf0");
    EXPECT_EQ(message.thread_id, "19ddaaa45f6506b0");
    EXPECT_EQ(message.subject, "Grüße") << "encoded words are decoded";
    EXPECT_EQ(message.from.at(0).address, "victor@example.org");
    EXPECT_EQ(message.to.at(0).name, "Ada Lovelace");
    EXPECT_FALSE(message.is_read);
    EXPECT_THAT(message.label_ids, ElementsAre("CATEGORY_PERSONAL", "INBOX", "UNREAD"));
    EXPECT_EQ(message.attachments.size(), 1u);
    EXPECT_FALSE(message.text.empty());
    EXPECT_FALSE(message.html.empty());
  });
  claims.Add("gmail.messages.get.metadata.sent.200", [](const Example& example) {
    const auto message = MessageAt(example);
    EXPECT_EQ(message.subject, "Test Email");
    EXPECT_EQ(message.version, 86278u);
    EXPECT_EQ(message.received_at, FromMicros(1'777'484'727'000'000)) << "the provider's own date";
    EXPECT_TRUE(message.is_read);
    EXPECT_THAT(message.label_ids, ElementsAre("SENT"));
  });
  claims.Add("gmail.messages.get.metadata.reply.200", [](const Example& example) {
    const auto message = MessageAt(example);
    EXPECT_EQ(message.in_reply_to, "CAPvkvP60LrwryROvPcVjbEkH+000NZ+D8_Q858k1xQr2_N0+CQ@mail.gmail.com");
    EXPECT_THAT(message.label_ids, ElementsAre("INBOX", "SENT")) << "mail to oneself is both";
  });
  claims.Add("gmail.messages.get.metadata.incoming.200", [](const Example& example) {
    const auto message = MessageAt(example);
    EXPECT_EQ(message.external_id, "19dce04c51ac509f");
    EXPECT_FALSE(message.is_read);
    EXPECT_TRUE(message.snippet.starts_with("Thanks for signing up for Sender!"));
  });
  claims.Add("gmail.messages.get.metadata.attachment.200", [](const Example& example) {
    const auto message = MessageAt(example);
    EXPECT_EQ(message.subject, "Find Attached");
    EXPECT_THAT(message.attachments, IsEmpty()) << "this format does not show the parts";
  });
  claims.Add("gmail.messages.get.minimal.200", [](const Example& example) {
    const auto message = MessageAt(example);
    EXPECT_EQ(message.version, 86230u);
    EXPECT_EQ(message.size_estimate, 16300);
    EXPECT_FALSE(message.is_read);
  });
  claims.Add("gmail.messages.get.raw.200", [](const Example& example) {
    // Never asked for: no byte from outside reaches a MIME parser of ours. Its envelope is a message all the same.
    const auto message = MessageAt(example);
    EXPECT_EQ(message.external_id, "19ddaab064b93cf0");
    EXPECT_EQ(message.text, "");
    EXPECT_TRUE(Base64UrlDecode(example.Text("response/body/raw"))) << "without padding";
  });
  claims.Add("gmail.messages.modify.200", [](const Example& example) {
    EXPECT_THAT(MessageAt(example).label_ids, ElementsAre("DRAFT", "INBOX"));
    EXPECT_TRUE(MessageAt(example).is_draft);
  });
  claims.Add("gmail.messages.trash.200", [](const Example& example) {
    EXPECT_THAT(MessageAt(example).label_ids, ElementsAre("SENT", "TRASH")) << "trash is a label, not a deletion";
  });
  claims.Add("gmail.messages.send.200", [](const Example& example) {
    const auto message = MessageAt(example);
    EXPECT_EQ(message.external_id, "19dda58832469c79") << "what the outbox keeps of the answer";
    EXPECT_EQ(message.thread_id, "19dda58832469c79");
    EXPECT_EQ(message.version, 0u) << "no history id: the next read is newer than this";
  });
  claims.Add("gmail.messages.attachments.get.200", [](const Example& example) {
    google::AttachmentStream stream;
    const std::string bytes = stream.Feed(example.Body());
    EXPECT_TRUE(stream.complete());
    EXPECT_EQ(bytes, "This is a test file\n\nThis file has content\n") << "with padding";
    EXPECT_EQ(static_cast<std::int64_t>(bytes.size()), example.At("response/body/size").as_int64());
  });
  claims.Add("gmail.messages.batchModify.204", [](const Example& example) {
    EXPECT_EQ(example.Response().status, 204);
    EXPECT_EQ(example.Body(), "") << "an answer without a body is a success";
  });
}

void ClaimLists(Claims& claims) {
  claims.Add("gmail.messages.list.200", [](const Example& example) {
    std::string json = example.Body();
    const auto page = google::ParseIdPage(json);
    ASSERT_TRUE(page);
    EXPECT_THAT(page->ids, ElementsAre("19dda5888dc95981", "19dda58832469c79", "19dda58453313b1c", "19dda583e3d15fea",
                                       "19dda3e4ef055644"));
    EXPECT_EQ(page->next_page, "09214810714760160262");
    EXPECT_EQ(page->estimated_total, 201);
  });
  claims.Add("gmail.threads.list.200", [](const Example& example) {
    std::string json = example.Body();
    const auto page = google::ParseIdPage(json);
    ASSERT_TRUE(page) << "unknown members are no error";
    EXPECT_THAT(page->ids, IsEmpty()) << "threads are not messages";
    EXPECT_FALSE(example.At("response/body/threads").as_array().empty());
  });
  claims.Add("gmail.drafts.list.200", [](const Example& example) {
    EXPECT_EQ(MessageAt(example, "response/body/drafts/0/message").external_id, "19dda5865bbbea72");
    EXPECT_EQ(MessageAt(example, "response/body/drafts/1/message").thread_id, "19dda3e4ef055644");
  });
  claims.Add("gmail.drafts.get.full.200", [](const Example& example) {
    const auto message = MessageAt(example, "response/body/message");
    EXPECT_TRUE(message.is_draft);
    EXPECT_EQ(message.text, "This is a test draft for validation.");
    EXPECT_EQ(message.subject, "Test Draft");
  });
  claims.Add("gmail.drafts.create.200",
             [](const Example& example) { EXPECT_TRUE(MessageAt(example, "response/body/message").is_draft); });
  claims.Add("gmail.threads.get.200", [](const Example& example) {
    EXPECT_EQ(MessageAt(example, "response/body/messages/0").thread_id, example.Text("response/body/id"));
  });
  claims.Add("gmail.threads.modify.200", [](const Example& example) {
    const auto bounce = MessageAt(example, "response/body/messages/1");
    EXPECT_TRUE(bounce.is_read) << "UNREAD was removed";
    EXPECT_TRUE(bounce.snippet.contains("couldn't be found")) << "the snippet is HTML-escaped: " << bounce.snippet;
  });
  claims.Add("gmail.labels.list.200", [](const Example& example) {
    std::string json = example.Body();
    const auto labels = google::ParseLabels(json);
    ASSERT_TRUE(labels);
    const auto role = [&](std::string_view id) {
      for (const auto& label : *labels) {
        if (label.external_id == id) return label.role;
      }
      ADD_FAILURE() << "no label " << id;
      return mail::Label::Role::kNone;
    };
    using Role = mail::Label::Role;
    EXPECT_EQ(role("INBOX"), Role::kInbox);
    EXPECT_EQ(role("SENT"), Role::kSent);
    EXPECT_EQ(role("DRAFT"), Role::kDrafts);
    EXPECT_EQ(role("SPAM"), Role::kSpam);
    EXPECT_EQ(role("TRASH"), Role::kTrash);
    EXPECT_EQ(role("CATEGORY_FORUMS"), Role::kCategory);
  });
  claims.Add("gmail.labels.get.200", [](const Example& example) {
    std::string json = R"({"labels":[)" + example.Body() + "]}";
    const auto labels = google::ParseLabels(json);
    ASSERT_TRUE(labels && labels->size() == 1);
    EXPECT_EQ(labels->front().role, mail::Label::Role::kInbox) << "its counters are ours to keep";
  });
  claims.Add("gmail.profile.200", [](const Example& example) {
    std::string json = example.Body();
    const auto profile = google::ParseProfile(json);
    ASSERT_TRUE(profile);
    EXPECT_EQ(profile->history_id, "88035");
    EXPECT_EQ(profile->messages_total, 782);
  });
  claims.Add("gmail.batch", [](const Example& example) {
    // Batches are never sent to Gmail: they cost as much as their parts, and each part is throttled by itself.
    EXPECT_TRUE(example.Body().contains("HTTP/1.1 429"));
    EXPECT_EQ(example.Response().status, 200);
  });
}

void ClaimHistory(Claims& claims) {
  claims.Add("gmail.history.list.200", [](const Example& example) {
    std::string json = example.Body();
    const auto page = google::ParseHistory(json);
    ASSERT_TRUE(page);
    EXPECT_EQ(page->history_id, example.Text("response/body/historyId"));
    EXPECT_TRUE(page->next_page.empty());
    ASSERT_GE(page->label_changes.size(), 3u);
    EXPECT_EQ(page->label_changes[0].external_id, "19dda58832469c79");
    EXPECT_THAT(page->label_changes[0].added, ElementsAre("TRASH"));
    EXPECT_EQ(page->label_changes[0].version, 86179u);
    EXPECT_THAT(page->label_changes[2].removed, ElementsAre("INBOX"));
    EXPECT_THAT(page->added, ::testing::Contains("19dda5cb6f806160"));
  });
  claims.Add("gmail.history.list.page1.200", [](const Example& example) {
    std::string json = example.Body();
    const auto page = google::ParseHistory(json);
    ASSERT_TRUE(page);
    EXPECT_EQ(page->next_page, "09862410863");
    EXPECT_THAT(page->added, ElementsAre("19dda5cb6f806160"));
    EXPECT_THAT(page->deleted, ElementsAre("19dda58832469c79"));
  });
  claims.Add("gmail.history.list.nothing-new.200", [](const Example& example) {
    std::string json = example.Body();
    const auto page = google::ParseHistory(json);
    ASSERT_TRUE(page);
    EXPECT_TRUE(page->added.empty() && page->deleted.empty() && page->label_changes.empty());
    EXPECT_EQ(page->history_id, "88035");
  });
}

void ClaimErrors(Claims& claims) {
  using std::chrono::milliseconds;
  const Instant now = *ParseInstant("2026-04-02T09:00:00Z");
  const auto error = [&](const char* name, GoogleCall call, ErrorCode code, FaultOwner owner,
                         std::optional<milliseconds> retry_after = std::nullopt, std::optional<Instant> at = {}) {
    claims.Add(std::string("gmail.error.") + name, [=](const Example& example) {
      ExpectError(google::ClassifyGoogleError(call, example.Response(), at.value_or(now)), code, owner, retry_after);
    });
  };
  using enum FaultOwner;
  error("accessNotConfigured.403", GoogleCall::kMessage, ErrorCode::kApiNotEnabled, kOperator);
  error("authError.401", GoogleCall::kMessage, ErrorCode::kUnauthenticated, kCaller);
  error("unauthenticated-new-envelope.401", GoogleCall::kMessage, ErrorCode::kUnauthenticated, kCaller);
  error("backendError.500", GoogleCall::kMessage, ErrorCode::kProviderUnavailable, kProvider);
  error("bad-gateway-html.502", GoogleCall::kMessage, ErrorCode::kProviderUnavailable, kProvider);
  error("unavailable.503", GoogleCall::kMessage, ErrorCode::kProviderUnavailable, kProvider);
  error("badRequest.400", GoogleCall::kMessage, ErrorCode::kInvalidArgument, kCaller);
  error("dailyLimitExceeded.403", GoogleCall::kMessage, ErrorCode::kQuotaExceeded, kProvider);
  error("domainPolicy.403", GoogleCall::kMessage, ErrorCode::kPolicyEnforced, kAccount);
  error("history-expired.404", GoogleCall::kHistory, ErrorCode::kCursorExpired, kProvider);
  error("insufficientPermissions.403", GoogleCall::kMessage, ErrorCode::kMissingScope, kAccount);
  error("invalid-to-header.400", GoogleCall::kSend, ErrorCode::kSendRejected, kCaller);
  error("mail-sending-limit.429", GoogleCall::kSend, ErrorCode::kRateLimited, kProvider, milliseconds(30 * 60'000));
  error("mail-service-not-enabled.400", GoogleCall::kProfile, ErrorCode::kNoMailbox, kAccount);
  error("notFound.404", GoogleCall::kMessage, ErrorCode::kGone, kProvider);
  error("quota-metric.429", GoogleCall::kMessage, ErrorCode::kRateLimited, kProvider);
  error("rateLimitExceeded.403", GoogleCall::kMessage, ErrorCode::kRateLimited, kProvider);
  error("too-many-concurrent.429", GoogleCall::kMessage, ErrorCode::kRateLimited, kProvider);
  error("userRateLimitExceeded.403", GoogleCall::kMessage, ErrorCode::kRateLimited, kProvider);
  error("user-rate-retry-after.403", GoogleCall::kMessage, ErrorCode::kRateLimited, kProvider,
        milliseconds(15 * 60'000), ParseInstant("2026-09-11T19:45:00Z"));
}

}  // namespace

void ClaimGmail(Claims& claims) {
  ClaimMessages(claims);
  ClaimLists(claims);
  ClaimHistory(claims);
  ClaimErrors(claims);
  claims.Add("gmail.watch.200", [](const Example& example) {
    const auto granted = google::ParseWatchAnswer(example.Body());
    ASSERT_TRUE(granted);
    EXPECT_EQ(granted->expires_at, FromMicros(1'431'990'098'200'000));
    EXPECT_EQ(granted->external_id, "") << "a watch has no id of its own";
    EXPECT_EQ(example.Text("request/path"), "/gmail/v1/users/me/watch");
  });
  claims.Add("gmail.stop.204", [](const Example& example) {
    EXPECT_EQ(example.Response().status, 204);
    EXPECT_EQ(example.Text("request/path"), "/gmail/v1/users/me/stop");
  });
}

}  // namespace latchkey::examples
