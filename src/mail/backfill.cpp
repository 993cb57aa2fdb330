#include "mail/backfill.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <unordered_map>

#include "mail/fetch_window.hpp"

namespace latchkey::mail {
namespace {

constexpr int kSweepChunk = 500;
/// Complete messages are stored at least this often, however few they are.
constexpr std::chrono::milliseconds kLongestHeldBack = std::chrono::seconds(1);

/// The backfill cursor: "<epoch> <page token>"; a cursor of another epoch counts for nothing.
std::string PageOf(const SyncState& state) {
  const std::string cursor = CursorOf(state, kBackfillLane);
  const std::string prefix = std::to_string(state.backfill.epoch) + " ";
  return cursor.starts_with(prefix) ? cursor.substr(prefix.size()) : std::string();
}

/// One run of the job.
class BackfillRun {
 public:
  BackfillRun(const SyncParts& parts, const jobs::Job& job, std::shared_ptr<MailProvider> provider, SyncState state,
              Executor executor)
      : parts_(parts),
        fence_(FenceOf(job)),
        provider_(provider),
        backfill_(std::move(state.backfill)),
        page_(PageOf(state)),
        started_(parts.clock.Now()),
        retried_(job.attempt > 1),
        window_(std::move(executor), std::move(provider), Lane::kBackfill, parts) {
    finished_listing_ = page_ == kAllListed;
  }

  /// True: the epoch is complete. False: there is more to do, in another run.
  Task<Result<bool>> Drive() {
    while (!(finished_listing_ && window_.drained())) {
      if (TimeIsUp() && window_.drained()) co_return false;
      if (!finished_listing_ && !TimeIsUp() && window_.more() && !window_.failure()) {
        if (auto listed = co_await ListPage(); !listed) {
          // What is fetched already is not thrown away for it.
          co_await CommitReady(true);
          co_return std::unexpected(std::move(listed.error()));
        }
      }
      const bool can_list = !finished_listing_ && !TimeIsUp();
      const std::size_t wanted = BatchSize();
      const bool in_time = co_await window_.WaitFor(wanted, can_list, kLongestHeldBack);
      const bool ending = window_.failure().has_value();
      if (ending || !in_time || window_.ready(wanted) >= std::min(wanted, window_.size())) {
        if (auto committed = co_await CommitReady(ending); !committed) {
          co_return std::unexpected(std::move(committed.error()));
        }
      }
      if (window_.failure()) {
        if (auto settled = co_await Interrupted(); !settled) co_return std::unexpected(std::move(settled.error()));
      }
    }
    co_return co_await Complete();
  }

  Task<void> Stop() { co_await window_.Stop(); }

 private:
  /// Stands for a page token once the list is read to its end.
  static constexpr std::string_view kAllListed = "*";

  bool TimeIsUp() const { return parts_.clock.Now() - started_ >= parts_.options.longest_backfill_run; }

  /// Small commits at the start of an account's life, so that its newest messages can be read within seconds.
  std::size_t BatchSize() const {
    std::size_t size = parts_.options.commit_size;
    if (backfill_.epoch == 1 && backfill_.done < 100) size = backfill_.done < 10 ? 10 : 45;
    return std::min(size, parts_.options.commit_size);
  }

  Task<Result<void>> ListPage() {
    auto page = co_await provider_->ListIds(page_, Lane::kBackfill);
    if (!page && page.error().code == ErrorCode::kCursorExpired && !page_.empty()) {
      // The token died: from the start again; what this epoch has seen is skipped.
      page_.clear();
      page = co_await provider_->ListIds(page_, Lane::kBackfill);
    }
    if (!page) co_return std::unexpected(std::move(page.error()));
    auto known = co_await parts_.store.FindKnown(fence_.account_id, backfill_.epoch, page->ids);
    if (!known) co_return std::unexpected(std::move(known.error()));
    std::unordered_map<std::string, const MessageStore::Known*> stored;
    for (const MessageStore::Known& row : *known) stored.emplace(row.external_id, &row);
    for (std::string& id : page->ids) {
      FetchWindow::Item item;
      if (const auto found = stored.find(id); found != stored.end()) {
        if (found->second->seen_in_epoch) continue;
        item.known_version = found->second->version;
      }
      item.external_id = std::move(id);
      window_.Push(std::move(item));
    }
    finished_listing_ = page->next_page.empty();
    page_ = finished_listing_ ? std::string(kAllListed) : page->next_page;
    FetchWindow::Item end;
    end.marker = true;
    end.page_end = page_;
    window_.Push(std::move(end));
    co_return Result<void>();
  }

  /// Stores what is complete at the front of the list: one commit, or with `all` as many as it takes.
  Task<Result<void>> CommitReady(bool all) {
    do {
      SyncCommit commit;
      auto filled = co_await Fill(commit);
      if (!filled) co_return filled;
      if (commit.upserts.empty() && commit.seen.empty() && commit.cursors.empty() && commit.failed_items.empty()) {
        co_return Result<void>();
      }
      co_await parts_.Yield();
      auto applied = co_await parts_.store.Apply(commit);
      if (!applied) co_return std::unexpected(std::move(applied.error()));
      backfill_ = *commit.backfill;
    } while (all);
    co_return Result<void>();
  }

  Task<Result<void>> Fill(SyncCommit& commit) {
    commit.fence = fence_;
    commit.bulk = true;
    commit.epoch = backfill_.epoch;
    BackfillState after = backfill_;
    for (FetchWindow::Fetched& fetched : window_.Take(BatchSize())) {
      const std::string& id = fetched.item.external_id;
      if (fetched.item.page_end) {
        commit.cursors = {{.lane = std::string(kBackfillLane),
                           .value = std::to_string(backfill_.epoch) + " " + *fetched.item.page_end}};
      } else if (fetched.message) {
        commit.upserts.push_back(std::move(*fetched.message));
        if (retried_ || had_item_failures_) commit.recovered_items.push_back(id);
        ++after.done;
      } else if (fetched.failure) {
        auto settled = co_await SettleFailure(id, *fetched.failure, commit, after);
        if (!settled) co_return settled;
      } else if (!fetched.gone) {
        commit.seen.push_back(id);
        ++after.done;
      }
    }
    after.total = std::max(after.total, after.done);
    if (!commit.upserts.empty()) commit.jobs.push_back(IndexJob(parts_.clock.Now() + std::chrono::seconds(5)));
    commit.backfill = after;
    co_return Result<void>();
  }

  /// One message that cannot be had: tried again behind the others, and set aside after the last attempt.
  Task<Result<void>> SettleFailure(const std::string& id, const Error& failure, SyncCommit& commit,
                                   BackfillState& after) {
    had_item_failures_ = true;
    int failures = 0;
    while (failures < parts_.options.item_attempts) {
      auto count = co_await parts_.store.RecordItemFailure(fence_, id, ToString(failure.code));
      if (!count) co_return std::unexpected(std::move(count.error()));
      failures = static_cast<int>(*count);
      if (failures >= parts_.options.item_attempts) break;
      auto message = co_await provider_->GetMessage(id, Lane::kBackfill);
      if (message) {
        commit.upserts.push_back(std::move(*message));
        commit.recovered_items.push_back(id);
        ++after.done;
        co_return Result<void>();
      }
      if (message.error().code == ErrorCode::kGone) co_return Result<void>();
      if (!IsItemFailure(message.error().code)) co_return std::unexpected(std::move(message.error()));
    }
    commit.failed_items.push_back({.external_id = id, .error_code = std::string(ToString(failure.code))});
    co_return Result<void>();
  }

  /// The fetching stopped. Where everything else came through, the failure is counted against the message it was met
  /// at, so that one message which the provider can never deliver does not hold up the mailbox for good.
  Task<Result<void>> Interrupted() {
    const Error failure = *window_.failure();
    const bool transient = failure.code == ErrorCode::kProviderUnavailable || failure.code == ErrorCode::kTimeout;
    if (!transient || window_.succeeded() == 0) co_return std::unexpected(failure);
    const std::string id = window_.failed_item();
    auto count = co_await parts_.store.RecordItemFailure(fence_, id, ToString(failure.code));
    if (!count) co_return std::unexpected(std::move(count.error()));
    // In runs of their own, with pauses between them: an outage looks the same for one run.
    if (*count < parts_.options.item_attempts) co_return std::unexpected(failure);
    window_.ForgiveFailure();
    co_return Result<void>();
  }

  Task<Result<bool>> Complete() {
    while (true) {
      co_await parts_.Yield();
      auto swept = co_await parts_.store.Sweep(fence_, backfill_.epoch, kSweepChunk);
      if (!swept) co_return std::unexpected(std::move(swept.error()));
      if (*swept == 0) break;
    }
    const Instant now = parts_.clock.Now();
    SyncCommit commit;
    commit.fence = fence_;
    commit.epoch = backfill_.epoch;
    commit.backfill = backfill_;
    commit.backfill->complete = true;
    commit.backfill->completed_at = now;
    commit.backfill->total = backfill_.done;
    commit.cursors = {{.lane = std::string(kBackfillLane), .value = std::string()}};
    commit.jobs.push_back(IndexJob(now));
    auto applied = co_await parts_.store.Apply(commit);
    if (!applied) co_return std::unexpected(std::move(applied.error()));
    co_return true;
  }

  const SyncParts& parts_;
  WriteFence fence_;
  std::shared_ptr<MailProvider> provider_;
  BackfillState backfill_;
  std::string page_;
  Instant started_;
  bool retried_;
  bool had_item_failures_ = false;
  bool finished_listing_ = false;
  FetchWindow window_;
};

}  // namespace

Task<jobs::Outcome> Backfill::Run(const jobs::Job& job) {
  auto account = co_await parts_.status.Find(job.account_id);
  if (!account) {
    if (account.error().code == ErrorCode::kNotFound) co_return jobs::Outcome::Completed();
    co_return jobs::Outcome::Retry(std::move(account.error()));
  }
  const bool may_work = account->generation == job.generation && !account->disconnecting && account->can_read_mail;
  if (!may_work) co_return jobs::Outcome::Completed();
  // A pause ends with a live run, but the import must not be forgotten meanwhile.
  if (account->paused) co_return jobs::Outcome::Snooze(std::chrono::minutes(1));
  if (folders_) {
    auto mailbox = parts_.providers.FoldersFor(job.account_id, account->provider);
    if (mailbox) co_return co_await folders_->RunBackfill(job, *account, std::move(*mailbox));
  }
  auto provider = parts_.providers.For(job.account_id, account->provider);
  if (!provider) co_return jobs::Outcome::Completed();
  auto state = co_await parts_.store.GetSyncState(job.account_id);
  if (!state) co_return co_await faults_.Conclude(job, account->provider, std::move(state.error()));
  if (state->backfill.epoch == 0 || state->backfill.complete) co_return jobs::Outcome::Completed();

  const auto executor = co_await boost::asio::this_coro::executor;
  BackfillRun run(parts_, job, std::move(*provider), std::move(*state), executor);
  std::exception_ptr interrupted;
  Result<bool> complete;
  try {
    complete = co_await run.Drive();
  } catch (...) {
    interrupted = std::current_exception();
  }
  // The fetchers refer to the run: they end first, also when this job is being cancelled.
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  co_await run.Stop();
  co_await boost::asio::this_coro::throw_if_cancelled(true);
  if (interrupted) std::rethrow_exception(interrupted);
  // The live lane began a newer epoch meanwhile; its own full read starts over from the list.
  if (!complete && complete.error().code == ErrorCode::kConflict) {
    co_return jobs::Outcome::Snooze(std::chrono::milliseconds(0));
  }
  if (!complete && complete.error().code == ErrorCode::kFenced) {
    // A pause fences writes like an erase does, but what it interrupts goes on one day.
    auto now = co_await parts_.status.Find(job.account_id);
    if (now && now->paused && now->generation == job.generation) {
      co_return jobs::Outcome::Snooze(std::chrono::minutes(1));
    }
  }
  if (!complete) co_return co_await faults_.Conclude(job, account->provider, std::move(complete.error()));
  co_await faults_.Succeeded(job, *account);
  co_return *complete ? jobs::Outcome::Completed() : jobs::Outcome::Snooze(std::chrono::milliseconds(0));
}

}  // namespace latchkey::mail
