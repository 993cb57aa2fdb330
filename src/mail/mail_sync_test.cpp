#include "mail/mail_sync.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <random>
#include <set>

#include <gmock/gmock.h>

#include "async/testing.hpp"
#include "mail/backfill.hpp"
#include "mail/testing/memory_message_store.hpp"
#include "mail/testing/scripted_mailbox.hpp"

namespace latchkey::mail {
namespace {

using ::testing::ElementsAre;
using testing::MemoryMessageStore;
using testing::ScriptedMailbox;
using ::testing::SizeIs;
using Kind = jobs::Outcome::Kind;

struct Crash : std::exception {};

/// The process dies at a commit: before it, or when it is done but nobody has heard of it.
class CrashingStore final : public MessageStore {
 public:
  explicit CrashingStore(MemoryMessageStore& store) : store_(store) {}
  std::function<bool()> crash_before, crash_after;
  int bulk_commits = 0, usual_commits = 0;

  Task<Result<SyncState>> GetSyncState(const ConnectedAccountId& account) override {
    return store_.GetSyncState(account);
  }
  Task<Result<SyncCommitResult>> Apply(const SyncCommit& commit) override {
    if (crash_before && crash_before()) throw Crash();
    (commit.bulk ? bulk_commits : usual_commits) += 1;
    auto result = co_await store_.Apply(commit);
    if (crash_after && crash_after()) throw Crash();
    co_return result;
  }
  Task<Result<std::vector<Known>>> FindKnown(const ConnectedAccountId& account, std::int64_t epoch,
                                             const std::vector<std::string>& ids) override {
    return store_.FindKnown(account, epoch, ids);
  }
  Task<Result<std::int64_t>> Sweep(const WriteFence& fence, std::int64_t epoch, int limit) override {
    if (crash_before && crash_before()) throw Crash();
    return store_.Sweep(fence, epoch, limit);
  }
  Task<Result<std::int64_t>> RecordItemFailure(const WriteFence& fence, const std::string& id,
                                               std::string_view code) override {
    return store_.RecordItemFailure(fence, id, code);
  }
  Task<Result<std::vector<std::string>>> ListSetAside(const ConnectedAccountId& account, int limit) override {
    return store_.ListSetAside(account, limit);
  }
  Task<Result<std::int64_t>> IndexPending(int limit) override { return store_.IndexPending(limit); }

 private:
  MemoryMessageStore& store_;
};

class FakeStatus final : public AccountStatus {
 public:
  Account account{.user_id = {}, .provider = "google", .generation = 1};
  std::vector<ErrorCode> faults, notices;
  std::vector<std::optional<Instant>> next_attempts;
  int successes = 0;

  Task<Result<Account>> Find(const ConnectedAccountId&) override { co_return account; }
  Task<void> ReportFault(const jobs::Job&, const Error& error, std::optional<Instant> next) override {
    faults.push_back(error.code);
    next_attempts.push_back(next);
    co_return;
  }
  Task<void> ReportSuccess(const jobs::Job&, std::string_view) override {
    ++successes;
    co_return;
  }
  Task<void> RaiseNotice(std::string_view, const Error& error) override {
    notices.push_back(error.code);
    co_return;
  }
};

class OneMailbox final : public MailProviders {
 public:
  explicit OneMailbox(std::shared_ptr<ScriptedMailbox> mailbox) : mailbox_(std::move(mailbox)) {}
  Result<std::shared_ptr<MailProvider>> For(const ConnectedAccountId&, std::string_view) override { return mailbox_; }

 private:
  std::shared_ptr<ScriptedMailbox> mailbox_;
};

class MailSyncTest : public ::testing::Test {
 protected:
  explicit MailSyncTest(std::uint64_t seed = 1) : mailbox_(std::make_shared<ScriptedMailbox>(seed)) {}

  static jobs::Job JobOf(std::string_view kind) {
    jobs::Job job;
    job.kind = kind;
    job.account_id = ConnectedAccountId("01890000-0000-7000-8000-000000000001");
    job.generation = 1;
    job.attempt = 1;
    return job;
  }
  jobs::Outcome RunLive() {
    jobs::Outcome outcome;
    do {
      outcome = latchkey::testing::RunTask(loop_, sync_.Run(JobOf(kFetchEmailsKind)));
    } while (outcome.kind == Kind::kSnooze && outcome.delay.count() == 0);
    return outcome;
  }
  jobs::Outcome RunBackfill() {
    jobs::Outcome outcome;
    do {
      outcome = latchkey::testing::RunTask(loop_, backfill_.Run(JobOf(kBackfillKind)));
    } while (outcome.kind == Kind::kSnooze && outcome.delay.count() == 0);
    return outcome;
  }

  /// Ids, labels and subjects of what is stored; those of the mailbox have to be the same.
  static std::map<std::string, std::string> Picture(const std::map<std::string, Message>& messages) {
    std::map<std::string, std::string> picture;
    for (const auto& [id, message] : messages) picture[id] = Line(message);
    return picture;
  }
  std::map<std::string, std::string> Stored() const {
    std::map<std::string, std::string> picture;
    for (const auto& [id, row] : memory_.rows) picture[id] = Line(row.message);
    return picture;
  }
  /// What is stored and should not be, or the other way round; empty when all is well.
  std::string Difference() const {
    std::string text;
    const auto stored = Stored(), wanted = Picture(mailbox_->messages());
    for (const auto& [id, line] : stored) {
      if (!wanted.contains(id)) {
        text += id + " should be gone\n";
      } else if (wanted.at(id) != line) {
        text += id + " is '" + line + "' and should be '" + wanted.at(id) + "'\n";
      }
    }
    for (const auto& [id, line] : wanted) {
      if (!stored.contains(id)) text += id + " is missing\n";
    }
    return text;
  }
  static std::string Line(const Message& message) {
    std::string line = message.subject + "|" + message.text + "|" + (message.is_read ? "read" : "unread");
    for (const std::string& label : message.label_ids) line += " " + label;
    return line;
  }

  boost::asio::io_context loop_;
  ManualClock clock_{FromMicros(1'800'000'000'000'000)};
  std::shared_ptr<ScriptedMailbox> mailbox_;
  MemoryMessageStore memory_;
  CrashingStore store_{memory_};
  OneMailbox providers_{mailbox_};
  FakeStatus status_;
  SyncParts parts_{.store = store_, .providers = providers_, .status = status_, .clock = clock_, .options = {}};
  FaultPolicy faults_{parts_};
  MailSync sync_{parts_, faults_};
  Backfill backfill_{parts_, faults_};
};

TEST_F(MailSyncTest, TheFirstRunTakesTheCursorAndStartsTheFullReadInOneCommit) {
  for (int i = 0; i < 20; ++i) mailbox_->Deliver();
  EXPECT_EQ(RunLive().kind, Kind::kCompleted);
  EXPECT_TRUE(memory_.rows.empty());
  EXPECT_THAT(memory_.labels, SizeIs(5));
  EXPECT_EQ(memory_.state.backfill.epoch, 1);
  EXPECT_EQ(memory_.state.backfill.total, 20);
  ASSERT_THAT(memory_.jobs, SizeIs(1));
  EXPECT_EQ(memory_.jobs[0].kind, "backfill_emails");
  mailbox_->Deliver();
  EXPECT_EQ(RunBackfill().kind, Kind::kCompleted);
  EXPECT_TRUE(memory_.state.backfill.complete);
  EXPECT_EQ(RunLive().kind, Kind::kCompleted);
  EXPECT_EQ(Stored(), Picture(mailbox_->messages()));
  EXPECT_GT(status_.successes, 0);
}

TEST_F(MailSyncTest, TheNewestMessagesAreReadableAfterSmallCommits) {
  mailbox_->page_size = 500;
  mailbox_->concurrency = 16;
  for (int i = 0; i < 450; ++i) mailbox_->Deliver();
  RunLive();
  RunBackfill();
  ASSERT_GE(memory_.commit_sizes.size(), 5U);
  EXPECT_EQ(memory_.commit_sizes[0], 10U);
  for (const std::size_t size : memory_.commit_sizes) EXPECT_LE(size, 100U);
  EXPECT_EQ(mailbox_->most_in_flight, 16);
  EXPECT_THAT(memory_.rows, SizeIs(450));
}

TEST_F(MailSyncTest, AFullReadMakesWayForWhatSomebodyWaitsFor) {
  for (int i = 0; i < 20; ++i) mailbox_->Deliver();
  RunLive();
  EXPECT_EQ(store_.bulk_commits, 0);
  EXPECT_GT(store_.usual_commits, 0);
  jobs::RightOfWay way(loop_.get_executor(), std::chrono::minutes(10));
  parts_.right_of_way = &way;
  std::optional<jobs::RightOfWay::Pass> pass(way);
  mailbox_->calls.clear();
  std::optional<jobs::Outcome> outcome;
  const jobs::Job job = JobOf(kBackfillKind);
  boost::asio::co_spawn(loop_, backfill_.Run(job),
                        [&](std::exception_ptr, jobs::Outcome ended) { outcome = std::move(ended); });
  loop_.restart();
  while (mailbox_->calls["list"] == 0) loop_.run_one();
  while (loop_.poll() > 0) continue;
  EXPECT_EQ(mailbox_->calls["get"], 0);
  pass.reset();
  loop_.restart();
  loop_.run();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, Kind::kCompleted);
  EXPECT_THAT(memory_.rows, SizeIs(20));
  EXPECT_GT(store_.bulk_commits, 0);
}

TEST_F(MailSyncTest, AnExpiredHistoryHealsWithoutAnythingVanishing) {
  std::vector<std::string> ids;
  for (int i = 0; i < 30; ++i) ids.push_back(mailbox_->Deliver());
  RunLive();
  RunBackfill();
  mailbox_->ExpireHistory();
  mailbox_->Delete(ids[3]);
  mailbox_->ChangeLabels(ids[5], {"STARRED"}, {"UNREAD"});
  mailbox_->Deliver();
  RunLive();
  EXPECT_EQ(memory_.state.backfill.epoch, 2);
  EXPECT_THAT(memory_.rows, SizeIs(30));
  mailbox_->calls.clear();
  RunBackfill();
  EXPECT_EQ(Stored(), Picture(mailbox_->messages()));
  // What was stored and unchanged is not read in full again.
  EXPECT_EQ(mailbox_->calls["get"], 2);
}

TEST_F(MailSyncTest, APollWithNothingNewReadsNoMessage) {
  mailbox_->Deliver();
  RunLive();
  RunBackfill();
  RunLive();
  mailbox_->calls.clear();
  RunLive();
  EXPECT_EQ(mailbox_->calls["get"], 0);
  EXPECT_EQ(mailbox_->calls["changes"], 1);
}

TEST_F(MailSyncTest, AMessageThatNeverComesIsSetAsideAndTheRestGoesOn) {
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(mailbox_->Deliver());
  mailbox_->failure = [&](std::string_view what, const std::string& id) -> std::optional<Error> {
    if (what == "get" && id == ids[10]) return Error{.code = ErrorCode::kMalformedReply};
    return std::nullopt;
  };
  RunLive();
  EXPECT_EQ(RunBackfill().kind, Kind::kCompleted);
  EXPECT_THAT(memory_.rows, SizeIs(19));
  EXPECT_THAT(memory_.set_aside, ElementsAre(ids[10]));
  // The live lane brings it in once it can be read.
  mailbox_->failure = nullptr;
  mailbox_->ChangeLabels(ids[10], {"STARRED"}, {});
  RunLive();
  EXPECT_EQ(Stored(), Picture(mailbox_->messages()));
  EXPECT_TRUE(memory_.set_aside.empty());
}

TEST_F(MailSyncTest, WhatWasSetAsideIsTriedAgainEveryHour) {
  const std::string id = mailbox_->Deliver();
  mailbox_->failure = [&](std::string_view what, const std::string&) -> std::optional<Error> {
    if (what == "get") return Error{.code = ErrorCode::kMalformedReply};
    return std::nullopt;
  };
  RunLive();
  RunBackfill();
  RunLive();
  EXPECT_THAT(memory_.set_aside, ElementsAre(id));
  mailbox_->failure = nullptr;
  mailbox_->calls.clear();
  RunLive();
  EXPECT_EQ(mailbox_->calls["get"], 0);
  clock_.Advance(std::chrono::hours(1));
  RunLive();
  EXPECT_TRUE(memory_.set_aside.empty());
  EXPECT_EQ(Difference(), "");
}

TEST_F(MailSyncTest, AMessageWhoseFetchAlwaysTimesOutIsSetAsideAfterSeveralRuns) {
  std::vector<std::string> ids;
  for (int i = 0; i < 30; ++i) ids.push_back(mailbox_->Deliver());
  mailbox_->failure = [&](std::string_view what, const std::string& id) -> std::optional<Error> {
    if (what == "get" && id == ids[12]) return Error{.code = ErrorCode::kTimeout};
    return std::nullopt;
  };
  RunLive();
  EXPECT_EQ(RunBackfill().kind, Kind::kSnooze);
  for (int run = 0; run < 4 && !memory_.state.backfill.complete; ++run) RunBackfill();
  EXPECT_TRUE(memory_.state.backfill.complete);
  EXPECT_THAT(memory_.rows, SizeIs(29));
  EXPECT_THAT(memory_.set_aside, ElementsAre(ids[12]));
}

TEST_F(MailSyncTest, AnOutageKeepsWhatIsThereAndSaysWhenItTriesAgain) {
  for (int i = 0; i < 40; ++i) mailbox_->Deliver();
  RunLive();
  int allowed = 20;
  mailbox_->failure = [&](std::string_view what, const std::string&) -> std::optional<Error> {
    if (what == "get" && allowed-- <= 0) {
      return Error{.code = ErrorCode::kProviderUnavailable, .detail = {}, .retry_after = std::chrono::minutes(3)};
    }
    return std::nullopt;
  };
  const jobs::Outcome outcome = RunBackfill();
  EXPECT_EQ(outcome.kind, Kind::kSnooze);
  EXPECT_EQ(outcome.delay, std::chrono::minutes(3));
  EXPECT_GE(memory_.rows.size(), 10U);
  EXPECT_THAT(status_.faults, ElementsAre(ErrorCode::kProviderUnavailable));
  EXPECT_EQ(status_.next_attempts.at(0), clock_.Now() + std::chrono::minutes(3));
  const std::size_t before = memory_.rows.size();
  mailbox_->failure = nullptr;
  mailbox_->calls.clear();
  EXPECT_EQ(RunBackfill().kind, Kind::kCompleted);
  EXPECT_THAT(memory_.rows, SizeIs(40));
  EXPECT_EQ(mailbox_->calls["get"], 40 - static_cast<int>(before));
}

TEST_F(MailSyncTest, TheThreeKindsOfFaultAreToldApart) {
  std::optional<Error> fault;
  mailbox_->failure = [&](std::string_view, const std::string&) { return fault; };
  fault = Error{.code = ErrorCode::kReauthInvalidGrant};
  EXPECT_EQ(RunLive().kind, Kind::kCancelled);
  EXPECT_THAT(status_.faults, ElementsAre(ErrorCode::kReauthInvalidGrant));
  EXPECT_TRUE(status_.notices.empty());
  fault = Error{.code = ErrorCode::kApiNotEnabled};
  EXPECT_EQ(RunLive().kind, Kind::kSnooze);
  EXPECT_THAT(status_.notices, ElementsAre(ErrorCode::kApiNotEnabled));
  EXPECT_TRUE(RunLive().waits_for_error) << "so that it is found when the fault is over";
  EXPECT_THAT(status_.faults, SizeIs(1));
  fault = Error{.code = ErrorCode::kProviderUnavailable};
  EXPECT_EQ(RunLive().kind, Kind::kSnooze);
  EXPECT_THAT(status_.faults, SizeIs(2));
  // Pauses grow while it lasts.
  const auto first = RunLive().delay;
  EXPECT_GT(RunLive().delay, first);
  // An import that waits a few seconds for its quota is no state to show.
  fault = Error{.code = ErrorCode::kRateLimited, .detail = {}, .retry_after = std::chrono::seconds(5)};
  status_.faults.clear();
  EXPECT_EQ(RunLive().delay, std::chrono::seconds(5));
  EXPECT_TRUE(status_.faults.empty());
}

TEST_F(MailSyncTest, NothingIsWrittenAfterAnErase) {
  for (int i = 0; i < 100; ++i) mailbox_->Deliver();
  RunLive();
  mailbox_->while_waiting = [&] {
    if (memory_.rows.size() >= 20 && memory_.generation == 1) {
      memory_.generation = 2;
      memory_.rows.clear();
    }
  };
  EXPECT_EQ(RunBackfill().kind, Kind::kCancelled);
  EXPECT_TRUE(memory_.rows.empty());
  status_.account.generation = 2;
  EXPECT_EQ(RunLive().kind, Kind::kCompleted);
  EXPECT_TRUE(memory_.rows.empty());
}

TEST_F(MailSyncTest, ACancelledBackfillEndsItsFetchesAndGoesOnLater) {
  for (int i = 0; i < 100; ++i) mailbox_->Deliver();
  RunLive();
  boost::asio::cancellation_signal cancel;
  bool ended = false;
  const jobs::Job job = JobOf(kBackfillKind);
  boost::asio::co_spawn(loop_, backfill_.Run(job),
                        boost::asio::bind_cancellation_slot(
                            cancel.slot(), [&](const std::exception_ptr&, const jobs::Outcome&) { ended = true; }));
  mailbox_->while_waiting = [&] {
    if (memory_.rows.size() >= 20) cancel.emit(boost::asio::cancellation_type::terminal);
  };
  loop_.restart();
  loop_.run();
  EXPECT_TRUE(ended);
  EXPECT_EQ(mailbox_->in_flight, 0);
  EXPECT_LT(memory_.rows.size(), 100U);
  mailbox_->while_waiting = nullptr;
  RunBackfill();
  EXPECT_EQ(Stored(), Picture(mailbox_->messages()));
}

/// Hundreds of random lives of a mailbox: deliveries, label changes, deletions and history expiry while live lane and
/// backfill are under way, failing calls, dead page tokens, and crashes on either side of a commit. In the end what is
/// stored is what the provider has.
class MailSyncOracle : public MailSyncTest, public ::testing::WithParamInterface<int> {
 protected:
  MailSyncOracle()
      : MailSyncTest(static_cast<std::uint64_t>(GetParam())), random_(static_cast<std::uint64_t>(GetParam())) {}

  bool Chance(double probability) { return std::uniform_real_distribution<>(0, 1)(random_) < probability; }

  void Mutate() {
    const double kind = std::uniform_real_distribution<>(0, 1)(random_);
    if (kind < 0.35) {
      mailbox_->Deliver();
    } else if (kind < 0.75) {
      static const std::vector<std::string> kLabels = {"UNREAD", "INBOX", "STARRED", "TRASH", "Label_1"};
      const std::string& label = kLabels[random_() % kLabels.size()];
      const std::string id = mailbox_->RandomId();
      Chance(0.5) ? mailbox_->ChangeLabels(id, {label}, {}) : mailbox_->ChangeLabels(id, {}, {label});
    } else if (kind < 0.97) {
      mailbox_->Delete(mailbox_->RandomId());
    } else {
      mailbox_->ExpireHistory();
    }
  }

  void MakeTrouble() {
    mailbox_->while_waiting = [this] {
      if (Chance(0.08)) Mutate();
    };
    mailbox_->failure = [this](std::string_view what, const std::string& id) -> std::optional<Error> {
      if (what == "list" && !id.empty() && Chance(0.05)) return Error{.code = ErrorCode::kCursorExpired};
      if (!Chance(0.02)) return std::nullopt;
      static const ErrorCode kCodes[] = {ErrorCode::kProviderUnavailable, ErrorCode::kRateLimited, ErrorCode::kTimeout};
      return Error{.code = kCodes[random_() % 3]};
    };
    store_.crash_before = [this] { return Chance(0.04); };
    store_.crash_after = [this] { return Chance(0.04); };
  }

  void Calm() {
    mailbox_->while_waiting = nullptr;
    mailbox_->failure = nullptr;
    store_.crash_before = store_.crash_after = nullptr;
  }

  /// Both jobs at once, whatever becomes of them.
  void RunBoth() {
    const auto ended = [](const std::exception_ptr& failure, const jobs::Outcome&) {
      if (!failure) return;
      try {
        std::rethrow_exception(failure);
      } catch (const Crash&) {
      }
    };
    loop_.restart();
    const jobs::Job live = JobOf(kFetchEmailsKind), full = JobOf(kBackfillKind);
    boost::asio::co_spawn(loop_, sync_.Run(live), ended);
    boost::asio::co_spawn(loop_, backfill_.Run(full), ended);
    loop_.run();
    clock_.Advance(std::chrono::seconds(1));
  }

  std::mt19937_64 random_;
};

TEST_P(MailSyncOracle, WhatIsStoredIsWhatTheProviderHas) {
  mailbox_->page_size = 3 + random_() % 20;
  mailbox_->history_page_size = 2 + random_() % 8;
  mailbox_->concurrency = 1 + static_cast<int>(random_() % 8);
  for (std::uint64_t i = random_() % 120; i > 0; --i) mailbox_->Deliver();
  MakeTrouble();
  for (int round = 0; round < 12; ++round) RunBoth();
  Calm();
  for (int i = 0; i < 50; ++i) {
    RunLive();
    RunBackfill();
    if (memory_.state.backfill.complete) break;
  }
  RunLive();
  ASSERT_TRUE(memory_.state.backfill.complete);
  EXPECT_EQ(Difference(), "");
  EXPECT_TRUE(memory_.set_aside.empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, MailSyncOracle, ::testing::Range(1, 401));

}  // namespace
}  // namespace latchkey::mail
