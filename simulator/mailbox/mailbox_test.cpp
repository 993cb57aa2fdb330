#include "simulator/mailbox/mailbox.hpp"

#include <gtest/gtest.h>

namespace latchkey::simulator {
namespace {

std::string Mail(std::string_view subject, std::string_view id, std::string_view reply_to = {}) {
  std::string raw = "From: Ada <ada@example.com>\r\nTo: ben@example.org\r\nSubject: " + std::string(subject) +
                    "\r\nMessage-ID: " + std::string(id) + "\r\n";
  if (!reply_to.empty()) raw += "In-Reply-To: " + std::string(reply_to) + "\r\n";
  return raw + "\r\nHello\r\n";
}

class MailboxTest : public testing::Test {
 protected:
  std::uint64_t Add(const std::string& raw, LabelSet labels = {LabelTable::kInbox, LabelTable::kUnread},
                    std::int64_t date = 0) {
    return mailbox_.Add({.raw = raw, .labels = std::move(labels), .internal_date = date ? date : next_date_++}).id;
  }
  std::vector<HistoryEvent> After(std::uint64_t start) const {
    std::vector<HistoryEvent> events(mailbox_.history().After(start), mailbox_.history().end());
    std::erase_if(events, [](const HistoryEvent& event) { return event.kind == HistoryKind::kTouched; });
    return events;
  }

  Spool spool_;
  Mailbox mailbox_{spool_, 7};
  std::int64_t next_date_ = 1'700'000'000'000;
};

TEST_F(MailboxTest, RepliesJoinTheThreadOfTheirParentWhileTheSubjectStays) {
  const std::uint64_t root = Add(Mail("Plan", "<1@x.example>"));
  const std::uint64_t reply = Add(Mail("Re: Plan", "<2@x.example>", "<1@x.example>"));
  const std::uint64_t renamed = Add(Mail("Something else", "<3@x.example>", "<2@x.example>"));
  EXPECT_EQ(mailbox_.ThreadId(*mailbox_.Find(reply)), root);
  EXPECT_EQ(mailbox_.ThreadId(*mailbox_.Find(renamed)), renamed);
  EXPECT_EQ(mailbox_.thread_count(), 2U);
}

TEST_F(MailboxTest, AParentThatArrivesLateJoinsItsAnswer) {
  const std::uint64_t reply = Add(Mail("Re: Plan", "<2@x.example>", "<1@x.example>"));
  const std::uint64_t root = Add(Mail("Plan", "<1@x.example>"), {LabelTable::kInbox}, 1'600'000'000'000);
  EXPECT_EQ(mailbox_.ThreadId(*mailbox_.Find(root)), reply);
  ASSERT_EQ(mailbox_.Thread(reply).size(), 2U);
  EXPECT_EQ(mailbox_.Thread(reply)[0]->id, root) << "threads are oldest first";
}

TEST_F(MailboxTest, HistoryRisesAndTellsEachChangeOnce) {
  const std::uint64_t start = mailbox_.history_id();
  const std::uint64_t id = Add(Mail("a", "<1@x.example>"));
  const std::uint64_t ids[] = {id};
  mailbox_.Modify(ids, {LabelTable::kStarred}, {LabelTable::kUnread});
  mailbox_.Delete(ids);
  const std::vector<HistoryEvent> events = After(start);
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0].kind, HistoryKind::kMessageAdded);
  EXPECT_EQ(events[1].kind, HistoryKind::kLabelsAdded);
  EXPECT_EQ(events[2].kind, HistoryKind::kLabelsRemoved);
  EXPECT_EQ(events[3].kind, HistoryKind::kMessageDeleted);
  for (std::size_t i = 1; i < events.size(); ++i) EXPECT_GT(events[i].history_id, events[i - 1].history_id);
  EXPECT_EQ(mailbox_.labels().Ids(events[2].labels), (std::vector<std::string>{"INBOX", "STARRED"}));
  EXPECT_EQ(mailbox_.Find(id), nullptr);
  EXPECT_EQ(mailbox_.deleted_ids(), std::vector<std::uint64_t>{id});
}

TEST_F(MailboxTest, AChangeThatChangesNothingLeavesNoRecord) {
  const std::uint64_t id = Add(Mail("a", "<1@x.example>"));
  const std::uint64_t before = mailbox_.history_id();
  const std::uint64_t ids[] = {id};
  EXPECT_FALSE(mailbox_.Modify(ids, {LabelTable::kInbox}, {LabelTable::kStarred}));
  EXPECT_EQ(mailbox_.history_id(), before);
}

TEST_F(MailboxTest, ABatchIsOneRecord) {
  const std::uint64_t ids[] = {Add(Mail("a", "<1@x.example>")), Add(Mail("b", "<2@x.example>"))};
  const std::uint64_t start = mailbox_.history_id();
  mailbox_.Modify(ids, {LabelTable::kStarred}, {});
  const std::vector<HistoryEvent> events = After(start);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].history_id, events[1].history_id);
}

TEST_F(MailboxTest, TrashTellsTheLabelFirstAndTheInboxAfterwards) {
  const std::uint64_t ids[] = {Add(Mail("a", "<1@x.example>"), {LabelTable::kInbox})};
  const std::uint64_t start = mailbox_.history_id();
  mailbox_.Trash(ids);
  const std::vector<HistoryEvent> events = After(start);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(mailbox_.labels().Ids(events[0].labels), (std::vector<std::string>{"INBOX", "TRASH"}));
  EXPECT_EQ(mailbox_.labels().Ids(events[1].labels), (std::vector<std::string>{"TRASH"}));
}

TEST_F(MailboxTest, ExpiredHistoryRefusesEveryIdIssuedBefore) {
  Add(Mail("a", "<1@x.example>"));
  const std::uint64_t issued = mailbox_.history_id();
  EXPECT_TRUE(mailbox_.history().Covers(issued));
  mailbox_.ExpireHistory();
  EXPECT_FALSE(mailbox_.history().Covers(issued));
  EXPECT_TRUE(mailbox_.history().Covers(mailbox_.history_id()));
}

TEST_F(MailboxTest, OrderFollowsTheInternalDateWhateverTheOrderOfArrival) {
  const std::uint64_t late = Add(Mail("a", "<1@x.example>"), {}, 3000);
  const std::uint64_t early = Add(Mail("b", "<2@x.example>"), {}, 1000);
  const std::uint64_t middle = Add(Mail("c", "<3@x.example>"), {}, 2000);
  std::vector<std::uint64_t> ids;
  for (const std::uint32_t slot : mailbox_.Order()) ids.push_back(mailbox_.Slot(slot).id);
  EXPECT_EQ(ids, (std::vector<std::uint64_t>{early, middle, late}));
}

TEST_F(MailboxTest, DeletingFromTheMiddleOfAThreadKeepsTheRest) {
  const std::uint64_t first = Add(Mail("Plan", "<1@x.example>"));
  const std::uint64_t second = Add(Mail("Re: Plan", "<2@x.example>", "<1@x.example>"));
  const std::uint64_t third = Add(Mail("Re: Plan", "<3@x.example>", "<2@x.example>"));
  const std::uint64_t ids[] = {second};
  EXPECT_EQ(mailbox_.Delete(ids), 1U);
  ASSERT_EQ(mailbox_.Thread(first).size(), 2U);
  EXPECT_EQ(mailbox_.Thread(first)[1]->id, third);
  const std::uint64_t fourth = Add(Mail("Re: Plan", "<4@x.example>", "<3@x.example>"));
  EXPECT_EQ(mailbox_.Thread(first).back()->id, fourth) << "the slot of the deleted message is used again";
}

TEST_F(MailboxTest, CountsMessagesAndThreadsOfALabel) {
  Add(Mail("Plan", "<1@x.example>"), {LabelTable::kInbox});
  Add(Mail("Re: Plan", "<2@x.example>", "<1@x.example>"));
  Add(Mail("Other", "<3@x.example>"), {LabelTable::kSent});
  const Mailbox::Counters inbox = mailbox_.CountLabel(LabelTable::kInbox);
  EXPECT_EQ(inbox.messages, 2U);
  EXPECT_EQ(inbox.unread, 1U);
  EXPECT_EQ(inbox.threads, 1U);
  EXPECT_EQ(inbox.threads_unread, 1U);
}

TEST_F(MailboxTest, RawBytesComeBackFromBufferAndFile) {
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 2000; ++i) ids.push_back(Add(Mail(std::to_string(i), "<x@x.example>") + std::string(500, 'x')));
  for (int i = 0; i < 2000; i += 97) {
    EXPECT_EQ(mailbox_.Raw(*mailbox_.Find(ids[static_cast<std::size_t>(i)])),
              Mail(std::to_string(i), "<x@x.example>") + std::string(500, 'x'));
  }
}

}  // namespace
}  // namespace latchkey::simulator
