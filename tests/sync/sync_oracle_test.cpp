// The sync on a real database: random lives of a mailbox, with faults and a restart of the database in the middle of
// the work, after which what readers are shown equals what the provider has, counters included.
#include <boost/asio/co_spawn.hpp>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "mail/backfill.hpp"
#include "mail/index_messages.hpp"
#include "mail/mail_sync.hpp"
#include "mail/testing/scripted_mailbox.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::mail {
namespace {

using testing::ScriptedMailbox;
using Kind = jobs::Outcome::Kind;

class OneMailbox final : public MailProviders {
 public:
  explicit OneMailbox(std::shared_ptr<ScriptedMailbox> mailbox) : mailbox_(std::move(mailbox)) {}
  Result<std::shared_ptr<MailProvider>> For(const ConnectedAccountId&, std::string_view) override { return mailbox_; }

 private:
  std::shared_ptr<ScriptedMailbox> mailbox_;
};

class QuietStatus final : public AccountStatus {
 public:
  Account account;
  Task<Result<Account>> Find(const ConnectedAccountId&) override { co_return account; }
  Task<void> ReportFault(const jobs::Job&, const Error&, std::optional<Instant>) override { co_return; }
  Task<void> ReportSuccess(const jobs::Job&, std::string_view) override { co_return; }
  Task<void> RaiseNotice(std::string_view, const Error&) override { co_return; }
};

class SyncOracle : public ::testing::TestWithParam<int> {
 protected:
  SyncOracle()
      : random_(static_cast<std::uint64_t>(GetParam())),
        mailbox_(std::make_shared<ScriptedMailbox>(static_cast<std::uint64_t>(GetParam()))),
        user_(scratch_.AddUser("ada")),
        account_(scratch_.AddAccount(user_, "ada")) {
    status_.account = {.user_id = user_.id, .provider = "google", .generation = account_.generation};
  }

  bool Chance(double probability) { return std::bernoulli_distribution(probability)(random_); }

  jobs::Job JobOf(std::string_view kind) const {
    jobs::Job job;
    job.kind = kind;
    job.account_id = account_.id;
    job.generation = account_.generation;
    job.attempt = 1;
    return job;
  }

  void Mutate() {
    const double kind = std::uniform_real_distribution<>(0, 1)(random_);
    const std::string id = mailbox_->RandomId();
    static const std::vector<std::string> kLabels = {"UNREAD", "INBOX", "STARRED", "TRASH", "Label_1"};
    const std::string& label = kLabels[random_() % kLabels.size()];
    if (kind < 0.35) {
      mailbox_->Deliver();
    } else if (kind < 0.8) {
      Chance(0.5) ? mailbox_->ChangeLabels(id, {label}, {}) : mailbox_->ChangeLabels(id, {}, {label});
    } else if (kind < 0.97) {
      mailbox_->Delete(id);
    } else {
      mailbox_->ExpireHistory();
    }
  }

  /// One process's life: both lanes at once on the database as it is now; `rounds` times.
  void Live(int rounds, bool trouble) {
    mailbox_->while_waiting = [this, trouble] {
      if (trouble && Chance(0.05)) Mutate();
    };
    mailbox_->failure = [this, trouble](std::string_view what, const std::string& id) -> std::optional<Error> {
      if (trouble && what == "list" && !id.empty() && Chance(0.05)) return Error{.code = ErrorCode::kCursorExpired};
      if (trouble && Chance(0.02)) return Error{.code = ErrorCode::kProviderUnavailable};
      return std::nullopt;
    };
    OneMailbox providers(mailbox_);
    const SyncParts parts{.store = scratch_.database().messages(),
                          .providers = providers,
                          .status = status_,
                          .clock = scratch_.clock(),
                          .options = {}};
    FaultPolicy faults(parts);
    MailSync sync(parts, faults);
    Backfill backfill(parts, faults);
    IndexMessages index(parts);
    const jobs::Job live = JobOf(kFetchEmailsKind), full = JobOf(kBackfillKind), search = JobOf(kIndexKind);
    for (int i = 0; i < rounds; ++i) {
      const auto ended = [](const std::exception_ptr& failure, const jobs::Outcome&) { EXPECT_FALSE(failure); };
      scratch_.loop().restart();
      boost::asio::co_spawn(scratch_.loop(), sync.Run(live), ended);
      boost::asio::co_spawn(scratch_.loop(), backfill.Run(full), ended);
      boost::asio::co_spawn(scratch_.loop(), index.Run(search), ended);
      scratch_.loop().run();
      scratch_.clock().Advance(std::chrono::seconds(1));
    }
  }

  /// Everything a person can be shown of the mailbox, by external id.
  std::map<std::string, std::string> Shown() {
    std::map<std::string, std::string> shown;
    MessageQuery query{.user_id = user_.id, .account_id = account_.id};
    do {
      const MessageList page = scratch_.Get(scratch_.database().message_reader().List(query));
      for (const MessageSummary& summary : page.items) {
        const StoredMessage stored = scratch_.Get(scratch_.database().message_reader().Get(user_.id, summary.id));
        EXPECT_EQ(stored.message.label_ids, summary.label_ids);
        EXPECT_TRUE(shown.emplace(summary.external_id, Line(stored.message)).second) << "listed twice";
      }
      query.cursor = page.next_cursor;
    } while (!query.cursor.empty());
    return shown;
  }

  static std::string Line(const Message& message) {
    std::string line = message.subject + "|" + message.text + "|" + (message.is_read ? "read" : "unread");
    for (const std::string& label : message.label_ids) line += " " + label;
    return line;
  }

  std::string Difference() {
    std::string text;
    const auto shown = Shown();
    for (const auto& [id, line] : shown) {
      const auto wanted = mailbox_->messages().find(id);
      if (wanted == mailbox_->messages().end()) {
        text += id + " should be gone\n";
      } else if (Line(wanted->second) != line) {
        text += id + " is '" + line + "', should be '" + Line(wanted->second) + "'\n";
      }
    }
    for (const auto& [id, message] : mailbox_->messages()) {
      if (!shown.contains(id)) text += id + " is missing\n";
    }
    return text;
  }

  std::mt19937_64 random_;
  std::shared_ptr<ScriptedMailbox> mailbox_;
  storage::testing::ScratchStore scratch_;
  identity::User user_;
  connected_accounts::ConnectedAccount account_;
  QuietStatus status_;
};

TEST_P(SyncOracle, WhatReadersAreShownIsWhatTheProviderHas) {
  mailbox_->page_size = 3 + random_() % 20;
  mailbox_->history_page_size = 2 + random_() % 8;
  mailbox_->concurrency = 1 + static_cast<int>(random_() % 8);
  for (std::uint64_t i = random_() % 100; i > 0; --i) mailbox_->Deliver();
  for (int life = 0; life < 3; ++life) {
    Live(4, true);
    scratch_.Reopen();
  }
  for (int i = 0; i < 20; ++i) {
    Live(1, false);
    const SyncState state = scratch_.Get(scratch_.database().messages().GetSyncState(account_.id));
    if (state.backfill.complete && i > 2) break;
  }
  EXPECT_EQ(Difference(), "");
  const SyncState state = scratch_.Get(scratch_.database().messages().GetSyncState(account_.id));
  EXPECT_TRUE(state.backfill.complete);
  EXPECT_EQ(state.message_count, static_cast<std::int64_t>(mailbox_->messages().size()));
  // Label counters are kept, not counted; they have to come out the same.
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> wanted;
  for (const auto& [id, message] : mailbox_->messages()) {
    for (const std::string& label : message.label_ids) {
      ++wanted[label].first;
      if (!message.is_read) ++wanted[label].second;
    }
  }
  for (const LabelCount& label : scratch_.Get(scratch_.database().message_reader().ListLabels(user_.id, account_.id))) {
    const auto& [total, unread] = wanted[label.label.external_id];
    EXPECT_EQ(label.total, total) << label.label.external_id;
    EXPECT_EQ(label.unread, unread) << label.label.external_id;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SyncOracle, ::testing::Range(1, 21));

}  // namespace
}  // namespace latchkey::mail
