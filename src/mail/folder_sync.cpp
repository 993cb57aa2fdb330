#include "mail/folder_sync.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include "mail/folder_sync_run.hpp"

namespace latchkey::mail {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr std::size_t kMaxRemembered = 10'000;
/// Pages of one live run; what is left goes on in the next, so that other accounts get their turn.
constexpr int kMaxPagesPerRun = 100;
constexpr int kPeeked = 25;
constexpr int kMaxPeeksPerRun = 10;
/// Up to so many folders are all read in every run; beyond it, quiet ones less often.
constexpr std::size_t kFewFolders = 20;
constexpr minutes kQuietFolder(5);

std::size_t HashOf(const std::vector<Folder>& folders) {
  std::string all;
  for (const Folder& folder : folders) {
    all += folder.label.external_id + '\0' + folder.label.name + '\0' + (folder.label.visible ? '1' : '0') +
           std::to_string(static_cast<int>(folder.label.role));
  }
  return std::hash<std::string>()(all);
}

}  // namespace

FolderSync::Memory& FolderSync::MemoryOf(const ConnectedAccountId& account) {
  if (memory_.size() >= kMaxRemembered && !memory_.contains(account)) memory_.clear();
  return memory_[account];
}

Task<jobs::Outcome> FolderSync::RunLive(const jobs::Job& job, const AccountStatus::Account& account,
                                        std::shared_ptr<FolderMailProvider> provider) {
  Run run{.job = job,
          .fence = FenceOf(job),
          .account = account,
          .provider = std::move(provider),
          .started = parts_.clock.Now()};
  auto finished = co_await Live(run);
  co_return co_await Conclude(run, std::move(finished));
}

Task<jobs::Outcome> FolderSync::RunBackfill(const jobs::Job& job, const AccountStatus::Account& account,
                                            std::shared_ptr<FolderMailProvider> provider) {
  Run run{.job = job,
          .fence = FenceOf(job),
          .account = account,
          .provider = std::move(provider),
          .started = parts_.clock.Now(),
          .backfill = true};
  auto finished = co_await Backfill(run);
  co_return co_await Conclude(run, std::move(finished));
}

Task<jobs::Outcome> FolderSync::Conclude(const Run& run, Result<bool> finished) {
  if (finished) {
    co_await faults_.Succeeded(run.job, run.account);
    co_return *finished ? jobs::Outcome::Completed() : jobs::Outcome::Snooze(milliseconds(0));
  }
  if (run.backfill && finished.error().code == ErrorCode::kFenced) {
    // A pause fences writes like an erase does, but what it interrupts goes on one day.
    auto now = co_await parts_.status.Find(run.job.account_id);
    if (now && now->paused && now->generation == run.job.generation) co_return jobs::Outcome::Snooze(minutes(1));
  }
  co_return co_await faults_.Conclude(run.job, run.account.provider, std::move(finished.error()));
}

Task<Result<bool>> FolderSync::Live(Run& run) {
  const ConnectedAccountId& account = run.fence.account_id;
  auto folders = co_await ReadTree(run);
  if (!folders) co_return std::unexpected(std::move(folders.error()));
  auto cursors = co_await store_.ListFolders(account);
  if (!cursors) co_return std::unexpected(std::move(cursors.error()));
  int peeks = 0;
  for (const Folder& folder : *folders) {
    const auto cursor = std::find_if(cursors->begin(), cursors->end(), [&](const FolderCursor& candidate) {
      return candidate.folder_id == folder.label.external_id;
    });
    if (cursor == cursors->end()) continue;
    Result<void> read;
    if (!cursor->complete) {
      if (folder.total == 0 || ++peeks > kMaxPeeksPerRun) continue;
      read = co_await Peek(run, *cursor);
    } else if (run.pages >= kMaxPagesPerRun) {
      run.cut_short = true;
      break;
    } else if (IsDue(run, folder, folders->size())) {
      read = co_await Follow(run, *cursor, Lane::kLive);
      if (read) MemoryOf(account).readings[folder.label.external_id] = {.at = run.started, .total = folder.total};
    }
    if (!read) co_return std::unexpected(std::move(read.error()));
  }
  auto retried = co_await RetrySetAside(run);
  if (!retried) co_return std::unexpected(std::move(retried.error()));
  auto answered = co_await AnswerChecks(run);
  if (!answered) co_return std::unexpected(std::move(answered.error()));
  if (run.cut_short) co_return false;
  // As of the beginning: what came later may have been in a folder that was read by then.
  auto pause = parts_.options.poll_interval;
  if (parts_.pace != nullptr) pause = parts_.pace->NextPoll(account, pause, run.found_changes);
  auto caught_up = co_await store_.CaughtUp(run.fence, run.started, parts_.clock.Now() + pause);
  if (!caught_up) co_return std::unexpected(std::move(caught_up.error()));
  co_return true;
}

bool FolderSync::IsDue(const Run& run, const Folder& folder, std::size_t folders) const {
  if (folders <= kFewFolders || folder.label.role != Label::Role::kNone) return true;
  const auto memory = memory_.find(run.fence.account_id);
  if (memory == memory_.end()) return true;
  const auto reading = memory->second.readings.find(folder.label.external_id);
  if (reading == memory->second.readings.end()) return true;
  return reading->second.total != folder.total || run.started - reading->second.at >= kQuietFolder;
}

Task<Result<std::vector<Folder>>> FolderSync::ReadTree(Run& run) {
  auto folders = co_await run.provider->ListFolders(Lane::kLive);
  if (!folders) co_return folders;
  auto confirmed = co_await ConfirmAbsent(run, *folders);
  if (!confirmed) co_return std::unexpected(std::move(confirmed.error()));
  const std::size_t hash = HashOf(*folders);
  if (MemoryOf(run.fence.account_id).tree != hash) {
    auto replaced = co_await store_.ReplaceFolders(run.fence, *folders);
    if (!replaced) co_return std::unexpected(std::move(replaced.error()));
    Memory& memory = MemoryOf(run.fence.account_id);
    memory.tree = hash;
    std::erase_if(memory.readings, [&](const auto& reading) {
      return std::none_of(folders->begin(), folders->end(),
                          [&](const Folder& folder) { return folder.label.external_id == reading.first; });
    });
  }
  co_return folders;
}

Task<Result<void>> FolderSync::ConfirmAbsent(Run& run, std::vector<Folder>& folders) {
  // A tree is read in several calls; a folder that is moved between them may be in none of the answers.
  auto cursors = co_await store_.ListFolders(run.fence.account_id);
  if (!cursors) co_return std::unexpected(std::move(cursors.error()));
  std::set<std::string> listed;
  for (const Folder& folder : folders) listed.insert(folder.label.external_id);
  for (const FolderCursor& cursor : *cursors) {
    if (listed.contains(cursor.folder_id)) continue;
    auto folder = co_await run.provider->GetFolder(cursor.folder_id, Lane::kLive);
    if (folder) {
      folders.push_back(std::move(*folder));
    } else if (folder.error().code != ErrorCode::kGone) {
      co_return std::unexpected(std::move(folder.error()));
    }
  }
  co_return Result<void>();
}

Task<Result<void>> FolderSync::Follow(Run& run, FolderCursor cursor, Lane lane) {
  while (true) {
    if (run.backfill) co_await parts_.Yield();
    auto page = co_await run.provider->Changes(cursor.folder_id, cursor.link, lane);
    if (!page && page.error().code == ErrorCode::kGone) {
      auto folder = co_await run.provider->GetFolder(cursor.folder_id, lane);
      // Gone indeed: the next reading of the tree sees to it. A round that cannot even begin has to wait.
      if (!folder && folder.error().code == ErrorCode::kGone) co_return Result<void>();
      if (!folder) co_return std::unexpected(std::move(folder.error()));
      if (cursor.link.empty()) co_return Fail(ErrorCode::kProviderUnavailable, "a folder there is cannot be read");
      page = Fail(ErrorCode::kCursorExpired, "the folder's link is gone, the folder is not");
    }
    if (!page && page.error().code == ErrorCode::kCursorExpired) {
      if (cursor.link.empty()) co_return Fail(ErrorCode::kProviderUnavailable, "a new round expired at once");
      co_return co_await store_.RestartFolder(run.fence, cursor);
    }
    if (!page) co_return std::unexpected(std::move(page.error()));
    FolderCommit commit;
    commit.fence = run.fence;
    commit.bulk = run.backfill;
    commit.before = cursor;
    commit.link = page->link;
    commit.round_complete = !page->more;
    commit.asked_at = page->asked_at;
    commit.upserts = std::move(page->messages);
    commit.incomplete = std::move(page->incomplete);
    commit.removed = std::move(page->removed);
    if (!commit.upserts.empty()) {
      const auto delay = run.backfill ? std::chrono::seconds(5) : std::chrono::seconds(1);
      commit.jobs.push_back(IndexJob(parts_.clock.Now() + delay));
    }
    run.found_changes |= !commit.upserts.empty() || !commit.incomplete.empty() || !commit.removed.empty();
    auto applied = co_await store_.ApplyPage(commit);
    // Somebody else read on in this folder, or began it anew.
    if (!applied && applied.error().code == ErrorCode::kConflict) co_return Result<void>();
    if (!applied) co_return std::unexpected(std::move(applied.error()));
    cursor.link = commit.link;
    if (!page->more) co_return Result<void>();
    ++run.pages;
    const bool over = run.backfill ? parts_.clock.Now() - run.started >= parts_.options.longest_backfill_run
                                   : run.pages >= kMaxPagesPerRun;
    if (over) {
      run.cut_short = true;
      co_return Result<void>();
    }
  }
}

Task<Result<void>> FolderSync::Peek(Run& run, const FolderCursor& cursor) {
  auto page = co_await run.provider->Newest(cursor.folder_id, kPeeked, Lane::kLive);
  // A hint and no more: what is wrong with the folder shows when it is read.
  if (!page && (page.error().code == ErrorCode::kGone || IsItemFailure(page.error().code))) co_return Result<void>();
  if (!page) co_return std::unexpected(std::move(page.error()));
  std::vector<std::string> ids;
  for (const Message& message : page->messages) ids.push_back(message.external_id);
  auto known = co_await parts_.store.FindKnown(run.fence.account_id, 0, ids);
  if (!known) co_return std::unexpected(std::move(known.error()));
  std::set<std::string> stored;
  for (const MessageStore::Known& row : *known) stored.insert(row.external_id);
  FolderCommit commit;
  commit.fence = run.fence;
  commit.asked_at = page->asked_at;
  for (Message& message : page->messages) {
    if (!stored.contains(message.external_id)) commit.upserts.push_back(std::move(message));
  }
  if (commit.upserts.empty()) co_return Result<void>();
  commit.jobs.push_back(IndexJob(parts_.clock.Now() + std::chrono::seconds(1)));
  auto applied = co_await store_.ApplyPage(commit);
  if (!applied) co_return std::unexpected(std::move(applied.error()));
  co_return Result<void>();
}

Task<Result<bool>> FolderSync::Backfill(Run& run) {
  auto cursors = co_await store_.ListFolders(run.fence.account_id);
  if (!cursors) co_return std::unexpected(std::move(cursors.error()));
  std::erase_if(*cursors, [](const FolderCursor& cursor) { return cursor.complete; });
  if (cursors->empty()) co_return true;
  // For the order alone.
  auto folders = co_await run.provider->ListFolders(Lane::kBackfill);
  if (!folders) co_return std::unexpected(std::move(folders.error()));
  for (const Folder& folder : *folders) {
    const auto cursor = std::find_if(cursors->begin(), cursors->end(), [&](const FolderCursor& candidate) {
      return candidate.folder_id == folder.label.external_id;
    });
    if (cursor == cursors->end()) continue;
    auto read = co_await Follow(run, *cursor, Lane::kBackfill);
    if (!read) co_return std::unexpected(std::move(read.error()));
    if (run.cut_short) co_return false;
  }
  auto left = co_await store_.ListFolders(run.fence.account_id);
  if (!left) co_return std::unexpected(std::move(left.error()));
  // A folder that expired or came meanwhile has a job queued, which this one stands for while it runs.
  const bool again = std::any_of(left->begin(), left->end(), [&](const FolderCursor& cursor) {
    const bool listed = std::any_of(folders->begin(), folders->end(),
                                    [&](const Folder& folder) { return folder.label.external_id == cursor.folder_id; });
    return !cursor.complete && listed;
  });
  co_return !again;
}

}  // namespace latchkey::mail
