#include "storage/conformance/store_conformance.hpp"

namespace latchkey::storage {
namespace {

using testing::CommitFor;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::SampleLabels;
using testing::SampleMessage;

class MessageReaderLaws : public StoreConformance {
 protected:
  void Add(const connected_accounts::ConnectedAccount& to, const std::vector<mail::Message>& list) {
    auto commit = CommitFor(to);
    commit.labels = SampleLabels();
    commit.upserts = list;
    store.Get(messages().Apply(commit));
  }
  void Index() { store.Get(messages().IndexPending(5000)); }
  std::vector<std::string> Search(const std::string& text, const std::string& label = "") {
    return Listed({.user_id = user.id, .label_id = label, .search = text});
  }
  static mail::Message With(const std::string& id, const std::string& subject, const std::string& text,
                            int minute = 0) {
    auto message = SampleMessage(id, minute);
    message.subject = subject;
    message.text = text;
    message.html.clear();
    return message;
  }

  identity::User user = store.AddUser("ada");
  identity::User stranger = store.AddUser("eve");
  connected_accounts::ConnectedAccount account = store.AddAccount(user, "ada.mail");
  connected_accounts::ConnectedAccount second = store.AddAccount(user, "ada.other");
  connected_accounts::ConnectedAccount theirs = store.AddAccount(stranger, "eve.mail");
};
LATCHKEY_ON_EVERY_ENGINE(MessageReaderLaws);

TEST_P(MessageReaderLaws, PagesGoOnExactlyWhereTheLastOneEndedAcrossAccounts) {
  std::vector<mail::Message> odd, even;
  std::vector<std::string> expected;
  for (int minute = 9; minute >= 0; --minute) {
    (minute % 2 ? odd : even).push_back(SampleMessage("m" + std::to_string(minute), minute));
    expected.push_back("m" + std::to_string(minute));
  }
  Add(account, odd);
  Add(second, even);
  for (const std::string label : {"", "inbox"}) {
    std::vector<std::string> seen;
    mail::MessageQuery query{.user_id = user.id, .label_id = label, .limit = 3};
    do {
      const auto page = store.Get(reader().List(query));
      for (const auto& item : page.items) seen.push_back(item.external_id);
      query.cursor = page.next_cursor;
    } while (!query.cursor.empty());
    EXPECT_EQ(seen, expected) << label;
  }
}

TEST_P(MessageReaderLaws, MessagesOfOneInstantAreNeitherLostNorRepeated) {
  std::vector<mail::Message> same;
  for (int i = 0; i < 7; ++i) same.push_back(SampleMessage("m" + std::to_string(i), 0));
  Add(account, same);
  std::set<std::string> seen;
  mail::MessageQuery query{.user_id = user.id, .limit = 2};
  int rows = 0;
  do {
    const auto page = store.Get(reader().List(query));
    for (const auto& item : page.items) seen.insert(item.external_id);
    rows += static_cast<int>(page.items.size());
    query.cursor = page.next_cursor;
  } while (!query.cursor.empty());
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(rows, 7);
}

TEST_P(MessageReaderLaws, NobodySeesTheMailOfAnother) {
  Add(theirs, {SampleMessage("secret")});
  Index();
  const auto id = store.Get(reader().List({.user_id = stranger.id})).items.at(0).id;
  EXPECT_EQ(store.ErrorOf(reader().Get(user.id, id)), ErrorCode::kNotFound);
  EXPECT_THAT(Listed({.user_id = user.id}), IsEmpty());
  EXPECT_THAT(Search("secret"), IsEmpty());
  EXPECT_EQ(store.ErrorOf(reader().List({.user_id = user.id, .account_id = theirs.id})), ErrorCode::kNotFound);
  EXPECT_EQ(store.ErrorOf(reader().ListLabels(user.id, theirs.id)), ErrorCode::kNotFound);
  EXPECT_THAT(store.Get(reader().ListLabels(user.id, {})), IsEmpty());
}

TEST_P(MessageReaderLaws, AForeignCursorIsRefused) {
  for (const std::string cursor : {"x", "!!", "MTI", "MTI6", "OnE", "MToyOjM"}) {
    EXPECT_EQ(store.ErrorOf(reader().List({.user_id = user.id, .cursor = cursor})), ErrorCode::kInvalidArgument)
        << cursor;
  }
}

TEST_P(MessageReaderLaws, AThreadIsListedNewestFirst) {
  auto first = SampleMessage("first", 1), reply = SampleMessage("reply", 2), other = SampleMessage("other", 3);
  first.thread_id = reply.thread_id = "t";
  Add(account, {first, reply, other});
  EXPECT_THAT(Listed({.user_id = user.id, .thread_id = "t"}), ElementsAre("reply", "first"));
}

TEST_P(MessageReaderLaws, AMailboxBeingErasedIsNoLongerShown) {
  Add(account, {SampleMessage("m1")});
  const auto id = store.Get(reader().List({.user_id = user.id})).items.at(0).id;
  store.Get(accounts().BeginErase(user.id, account.id));
  EXPECT_THAT(Listed({.user_id = user.id}), IsEmpty());
  EXPECT_EQ(store.ErrorOf(reader().Get(user.id, id)), ErrorCode::kNotFound);
}

TEST_P(MessageReaderLaws, SearchFindsSubjectPeopleAndTextAndBeginnings) {
  Add(account, {With("m1", "Quarterly report", "Numbers for the harbour project", 1),
                With("m2", "Lunch", "Shall we meet at noon?", 2)});
  EXPECT_THAT(Search("report"), IsEmpty()) << "not indexed yet";
  Index();
  EXPECT_THAT(Search("report"), ElementsAre("m1"));
  EXPECT_THAT(Search("HARBOUR numbers"), ElementsAre("m1"));
  EXPECT_THAT(Search("harb"), ElementsAre("m1"));
  EXPECT_THAT(Search("grace@example.org"), ElementsAre("m2", "m1"));
  EXPECT_THAT(Search("harbour noon"), IsEmpty());
  EXPECT_THAT(Search("\"meet at noon\""), ElementsAre("m2"));
  EXPECT_THAT(Search("\"noon at meet\""), IsEmpty());
  EXPECT_THAT(Search("noon", "INBOX"), ElementsAre("m2"));
  EXPECT_THAT(Search("noon", "TRASH"), IsEmpty());
}

TEST_P(MessageReaderLaws, SearchFindsPartsOfTextWrittenWithoutSpaces) {
  Add(account, {With("ja", "会議のお知らせ", "来週の東京都庁での打ち合わせについて", 1),
                With("th", "สวัสดี", "ยินดีต้อนรับสู่กรุงเทพมหานคร", 2), With("zh", "发票", "您的订单已经发货", 3),
                With("ko", "안녕하세요", "회의록을보내드립니다", 4)});
  Index();
  EXPECT_THAT(Search("東京"), ElementsAre("ja"));
  EXPECT_THAT(Search("都庁"), ElementsAre("ja"));
  EXPECT_THAT(Search("京"), ElementsAre("ja"));
  EXPECT_THAT(Search("て"), ElementsAre("ja"));
  EXPECT_THAT(Search("京東"), IsEmpty());
  EXPECT_THAT(Search("กรุงเทพ"), ElementsAre("th"));
  EXPECT_THAT(Search("订单"), ElementsAre("zh"));
  EXPECT_THAT(Search("회의록"), ElementsAre("ko"));
}

TEST_P(MessageReaderLaws, SearchFoldsAccentsWidthsAndReadsHtmlWhenThereIsNoText) {
  auto html = With("html", "Newsletter", "", 2);
  html.html = "<style>hidden{}</style><p>Gr&uuml;&szlig;e aus M&uuml;nchen</p>";
  Add(account, {With("wide", "Ｆｕｌｌｗｉｄｔｈ", "Crème brûlée", 1), html});
  Index();
  EXPECT_THAT(Search("fullwidth"), ElementsAre("wide"));
  EXPECT_THAT(Search("creme brulee"), ElementsAre("wide"));
  EXPECT_THAT(Search("münchen"), ElementsAre("html"));
  EXPECT_THAT(Search("hidden"), IsEmpty());
}

TEST_P(MessageReaderLaws, WhatAPersonTypesIsNeverSyntax) {
  Add(account, {With("m1", "NEAR AND OR NOT", "a column: subject of \"quotes\"", 1)});
  Index();
  for (const std::string typed :
       {"\"", "\"\"",  "*", "AND", "NOT", "OR",          "NEAR(",      "(",    ")",   "subject:", "account:x",
        "^",  "a AND", "{", "-x",  "+",   "' OR 1=1 --", "\"unclosed", "a\"b", "...", "—",        "🙂"}) {
    EXPECT_TRUE(store.Try(reader().List({.user_id = user.id, .search = typed}))) << typed;
  }
  EXPECT_THAT(Search("NOT"), ElementsAre("m1"));
  EXPECT_THAT(Search("near and"), ElementsAre("m1"));
  EXPECT_THAT(Search("..."), IsEmpty());
}

TEST_P(MessageReaderLaws, TheIndexFollowsChangesAndDeletions) {
  Add(account,
      {With("m1", "apple", "first text"), With("m2", "pear", "second text", 1), With("m3", "plum", "third", 2)});
  Index();
  auto changed = With("m1", "cherry", "other words");
  changed.version = 2;
  auto commit = CommitFor(account);
  commit.upserts = {changed};
  commit.deletions = {"m2"};
  store.Get(messages().Apply(commit));
  EXPECT_THAT(Search("apple"), IsEmpty());
  EXPECT_THAT(Search("pear"), IsEmpty());
  EXPECT_THAT(Search("cherry"), IsEmpty()) << "waits for the index";
  Index();
  EXPECT_THAT(Search("cherry"), ElementsAre("m1"));
  EXPECT_THAT(Search("plum"), ElementsAre("m3"));
  EXPECT_EQ(store.Get(messages().IndexPending(10)), 0);
}

TEST_P(MessageReaderLaws, IndexingIsBoundedAndGoesOnWhereItStopped) {
  std::vector<mail::Message> many;
  for (int i = 0; i < 25; ++i) many.push_back(With("m" + std::to_string(i), "common", "word", i));
  Add(account, many);
  EXPECT_EQ(store.Get(messages().IndexPending(10)), 10);
  EXPECT_EQ(Search("common").size(), 10u);
  EXPECT_EQ(store.Get(messages().IndexPending(100)), 15);
  EXPECT_EQ(Search("common").size(), 25u);
}

TEST_P(MessageReaderLaws, AMessageAndItsCopyInTwoLabelsOfOneRoleIsListedOnce) {
  auto message = SampleMessage("m1");
  message.label_ids = {"CATEGORY_A", "CATEGORY_B"};
  auto commit = CommitFor(account);
  commit.labels =
      std::vector<mail::Label>{{.external_id = "CATEGORY_A", .name = "A", .role = mail::Label::Role::kCategory},
                               {.external_id = "CATEGORY_B", .name = "B", .role = mail::Label::Role::kCategory}};
  commit.upserts = {message};
  store.Get(messages().Apply(commit));
  EXPECT_THAT(Listed({.user_id = user.id, .label_id = "category"}), ElementsAre("m1"));
}

}  // namespace
}  // namespace latchkey::storage
