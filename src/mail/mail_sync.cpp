#include "mail/mail_sync.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <functional>
#include <set>

#include "mail/fetch_window.hpp"

namespace latchkey::mail {
namespace {

constexpr std::size_t kMaxRememberedLabels = 10'000;
/// Pages of one run; a longer history goes on in the next run, so that other accounts get their turn.
constexpr int kMaxPagesPerRun = 50;

std::size_t HashOf(const std::vector<Label>& labels) {
  std::string all;
  for (const Label& label : labels) {
    all += label.external_id + '\0' + label.name + '\0' + (label.visible ? '1' : '0');
  }
  return std::hash<std::string>()(all);
}

}  // namespace

struct MailSync::RunState {
  const jobs::Job& job;
  WriteFence fence;
  AccountStatus::Account account;
  std::shared_ptr<MailProvider> provider;
  SyncState state;
  std::string cursor;
  bool finished = false;  ///< The history is read to its end.
  bool found_changes = false;
};

Task<jobs::Outcome> MailSync::Run(const jobs::Job& job) {
  auto account = co_await parts_.status.Find(job.account_id);
  if (!account) {
    if (account.error().code == ErrorCode::kNotFound) co_return jobs::Outcome::Completed();
    co_return jobs::Outcome::Retry(std::move(account.error()));
  }
  const bool may_work =
      account->generation == job.generation && !account->paused && !account->disconnecting && account->can_read_mail;
  if (!may_work) co_return jobs::Outcome::Completed();
  if (folders_) {
    auto mailbox = parts_.providers.FoldersFor(job.account_id, account->provider);
    if (mailbox) co_return co_await folders_->RunLive(job, *account, std::move(*mailbox));
  }
  auto provider = parts_.providers.For(job.account_id, account->provider);
  if (!provider) co_return jobs::Outcome::Completed();

  RunState run{.job = job,
               .fence = FenceOf(job),
               .account = std::move(*account),
               .provider = std::move(*provider),
               .state = {},
               .cursor = {}};
  auto state = co_await parts_.store.GetSyncState(job.account_id);
  if (!state) co_return co_await faults_.Conclude(job, run.account.provider, std::move(state.error()));
  run.state = std::move(*state);
  auto synced = co_await Sync(run);
  if (!synced) co_return co_await faults_.Conclude(job, run.account.provider, std::move(synced.error()));
  co_await faults_.Succeeded(job, run.account);
  co_return run.finished ? jobs::Outcome::Completed() : jobs::Outcome::Snooze(std::chrono::milliseconds(0));
}

Task<Result<void>> MailSync::Sync(RunState& run) {
  run.cursor = CursorOf(run.state, kLiveLane);
  if (run.cursor.empty()) co_return co_await StartEpoch(run, run.state.backfill.epoch + 1);
  for (int pages = 0; pages < kMaxPagesPerRun && !run.finished; ++pages) {
    auto page = co_await run.provider->Changes(run.cursor, Lane::kLive);
    if (!page && page.error().code == ErrorCode::kCursorExpired) {
      co_return co_await StartEpoch(run, run.state.backfill.epoch + 1);
    }
    if (!page) co_return std::unexpected(std::move(page.error()));
    auto applied = co_await ApplyPage(run, std::move(*page));
    if (!applied) co_return applied;
  }
  co_return Result<void>();
}

Task<Result<void>> MailSync::StartEpoch(RunState& run, std::int64_t epoch) {
  // The cursor comes first: whatever changes while the mailbox is being listed is in the history behind it.
  auto cursor = co_await run.provider->CurrentCursor();
  if (!cursor) co_return std::unexpected(std::move(cursor.error()));
  auto total = co_await run.provider->EstimateTotal();
  if (!total) co_return std::unexpected(std::move(total.error()));
  auto labels = co_await run.provider->ListLabels();
  if (!labels) co_return std::unexpected(std::move(labels.error()));

  const Instant now = parts_.clock.Now();
  SyncCommit commit;
  commit.fence = run.fence;
  commit.epoch = epoch;
  commit.labels = std::move(*labels);
  commit.cursors = {{.lane = std::string(kLiveLane), .value = *cursor},
                    {.lane = std::string(kBackfillLane), .value = std::string()}};
  commit.backfill = BackfillState{
      .epoch = epoch, .complete = false, .done = 0, .total = *total, .started_at = now, .completed_at = std::nullopt};
  commit.jobs.push_back(BackfillJob(run.fence));
  commit.next_sync_at = now + parts_.options.poll_interval;
  auto applied = co_await parts_.store.Apply(commit);
  if (!applied) co_return std::unexpected(std::move(applied.error()));
  run.finished = true;
  co_return Result<void>();
}

Task<Result<void>> MailSync::ApplyPage(RunState& run, ChangePage page) {
  SyncCommit commit;
  commit.fence = run.fence;
  commit.epoch = run.state.backfill.epoch;
  const bool last = !page.more;
  if (!page.added.empty() || !page.deleted.empty() || !page.label_changes.empty()) run.found_changes = true;
  if (last) {
    auto labels = co_await ReadLabelsIfChanged(run);
    if (!labels) co_return std::unexpected(std::move(labels.error()));
    commit.labels = std::move(*labels);
  }
  std::vector<std::string> wanted;
  if (auto found = co_await FindUnknown(run, page, wanted); !found) co_return found;
  if (last) {
    if (auto added = co_await AddSetAside(run, wanted); !added) co_return added;
  }
  if (auto fetched = co_await FetchInto(run, wanted, commit); !fetched) co_return fetched;
  commit.label_changes = std::move(page.label_changes);
  commit.deletions = std::move(page.deleted);
  if (page.next_cursor != CursorOf(run.state, kLiveLane)) {
    commit.cursors.push_back({.lane = std::string(kLiveLane), .value = page.next_cursor});
  }
  const Instant now = parts_.clock.Now();
  if (last) {
    commit.synced_at = now;
    auto pause = parts_.options.poll_interval;
    if (parts_.pace != nullptr) pause = parts_.pace->NextPoll(run.job.account_id, pause, run.found_changes);
    commit.next_sync_at = now + pause;
    // A backfill that gave up when the account's access ended goes on once it works again.
    if (run.account.has_fault && !run.state.backfill.complete) commit.jobs.push_back(BackfillJob(run.fence));
  }
  if (!commit.upserts.empty()) commit.jobs.push_back(IndexJob(now + std::chrono::seconds(1)));
  auto applied = co_await parts_.store.Apply(commit);
  if (!applied) co_return std::unexpected(std::move(applied.error()));
  if (commit.labels) {
    if (labels_seen_.size() >= kMaxRememberedLabels) labels_seen_.clear();
    labels_seen_[run.job.account_id] = HashOf(*commit.labels);
  }
  run.cursor = std::move(page.next_cursor);
  run.finished = last;
  co_return Result<void>();
}

Task<Result<void>> MailSync::FindUnknown(RunState& run, const ChangePage& page, std::vector<std::string>& wanted) {
  // A label change of a message that is not stored means that it is still on its way in: fetched now, with its labels,
  // so that an older state which a backfill has in flight cannot be the last word.
  std::set<std::string> seen;
  const std::set<std::string> deleted(page.deleted.begin(), page.deleted.end());
  std::vector<std::string> asked;
  const auto ask = [&](const std::string& id) {
    if (!deleted.contains(id) && seen.insert(id).second) asked.push_back(id);
  };
  for (const std::string& id : page.added) ask(id);
  for (const LabelChange& change : page.label_changes) ask(change.external_id);
  if (asked.empty()) co_return Result<void>();
  auto known = co_await parts_.store.FindKnown(run.job.account_id, run.state.backfill.epoch, asked);
  if (!known) co_return std::unexpected(std::move(known.error()));
  std::set<std::string> stored;
  // Nor can a change build on a row that this epoch has not seen: what happened to it while the history was lost is
  // still unknown.
  for (const MessageStore::Known& row : *known) {
    if (row.seen_in_epoch) stored.insert(row.external_id);
  }
  for (std::string& id : asked) {
    if (!stored.contains(id)) wanted.push_back(std::move(id));
  }
  co_return Result<void>();
}

Task<Result<void>> MailSync::AddSetAside(RunState& run, std::vector<std::string>& wanted) {
  constexpr int kAtOnce = 20;
  const Instant now = parts_.clock.Now();
  if (set_aside_tried_.size() >= kMaxRememberedLabels) set_aside_tried_.clear();
  const auto [tried, first] = set_aside_tried_.try_emplace(run.job.account_id, now);
  if (!first && now - tried->second < std::chrono::hours(1)) co_return Result<void>();
  tried->second = now;
  auto ids = co_await parts_.store.ListSetAside(run.job.account_id, kAtOnce);
  if (!ids) co_return std::unexpected(std::move(ids.error()));
  for (std::string& id : *ids) {
    if (std::find(wanted.begin(), wanted.end(), id) == wanted.end()) wanted.push_back(std::move(id));
  }
  co_return Result<void>();
}

Task<Result<void>> MailSync::FetchInto(RunState& run, const std::vector<std::string>& ids, SyncCommit& commit) {
  if (ids.empty()) co_return Result<void>();
  const auto executor = co_await boost::asio::this_coro::executor;
  FetchWindow window(executor, run.provider, Lane::kLive, parts_);
  std::exception_ptr interrupted;
  Result<void> result;
  try {
    for (const std::string& id : ids) {
      FetchWindow::Item item{.external_id = id};
      window.Push(std::move(item));
    }
    while (!window.drained() && !window.failure()) {
      co_await window.WaitFor(1, false);
      for (FetchWindow::Fetched& fetched : window.Take(parts_.options.commit_size)) {
        if (fetched.message) {
          commit.upserts.push_back(std::move(*fetched.message));
          commit.recovered_items.push_back(fetched.item.external_id);
        } else if (fetched.gone) {
          commit.recovered_items.push_back(fetched.item.external_id);
        } else if (fetched.failure) {
          auto failures = co_await parts_.store.RecordItemFailure(run.fence, fetched.item.external_id,
                                                                  ToString(fetched.failure->code));
          if (!failures) {
            result = std::unexpected(std::move(failures.error()));
          } else if (*failures >= parts_.options.item_attempts) {
            commit.failed_items.push_back(
                {.external_id = fetched.item.external_id, .error_code = std::string(ToString(fetched.failure->code))});
          } else {
            FetchWindow::Item again{.external_id = fetched.item.external_id};
            window.Push(std::move(again));
          }
        }
        if (!result) break;
      }
      if (!result) break;
      if (commit.upserts.size() >= parts_.options.commit_size) {
        result = co_await StoreAhead(run, commit);
        if (!result) break;
      }
    }
    if (result && window.failure()) result = std::unexpected(*window.failure());
  } catch (...) {
    interrupted = std::current_exception();
  }
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  co_await window.Stop();
  co_await boost::asio::this_coro::throw_if_cancelled(true);
  if (interrupted) std::rethrow_exception(interrupted);
  co_return result;
}

Task<Result<void>> MailSync::StoreAhead(RunState& run, SyncCommit& commit) {
  SyncCommit ahead;
  ahead.fence = run.fence;
  ahead.epoch = commit.epoch;
  ahead.upserts = std::exchange(commit.upserts, {});
  ahead.jobs.push_back(IndexJob(parts_.clock.Now() + std::chrono::seconds(1)));
  auto applied = co_await parts_.store.Apply(ahead);
  if (!applied) co_return std::unexpected(std::move(applied.error()));
  co_return Result<void>();
}

Task<Result<std::optional<std::vector<Label>>>> MailSync::ReadLabelsIfChanged(RunState& run) {
  auto labels = co_await run.provider->ListLabels();
  if (!labels) co_return std::unexpected(std::move(labels.error()));
  std::optional<std::vector<Label>> changed;
  const auto seen = labels_seen_.find(run.job.account_id);
  if (seen == labels_seen_.end() || seen->second != HashOf(*labels)) changed = std::move(*labels);
  co_return changed;
}

}  // namespace latchkey::mail
