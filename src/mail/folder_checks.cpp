// The half of FolderSync that asks for messages by their ids.

#include <algorithm>

#include "mail/folder_sync.hpp"
#include "mail/folder_sync_run.hpp"

namespace latchkey::mail {
namespace {

constexpr int kAtOnce = 40;
/// Batches of one run.
constexpr int kMaxBatches = 50;

}  // namespace

Task<Result<void>> FolderSync::AnswerChecks(Run& run) {
  for (int batch = 0; batch < kMaxBatches; ++batch) {
    auto more = co_await AnswerSome(run);
    if (!more) co_return std::unexpected(std::move(more.error()));
    if (!*more) co_return Result<void>();
  }
  run.cut_short = true;
  co_return Result<void>();
}

Task<Result<bool>> FolderSync::AnswerSome(Run& run) {
  const Instant now = parts_.clock.Now();
  auto checks = co_await store_.ListChecks(run.fence.account_id, now, kAtOnce);
  if (!checks) co_return std::unexpected(std::move(checks.error()));
  if (checks->empty()) co_return false;
  CheckCommit commit;
  commit.fence = run.fence;
  commit.asked_at = now;
  // Half a poll: due again in the next run, behind the reading of the folders.
  commit.again_at = now + parts_.options.poll_interval / 2;
  std::vector<std::string> placed, whole;
  for (MessageCheck& check : *checks) {
    (check.whole || !check.stored ? whole : placed).push_back(std::move(check.external_id));
  }
  std::optional<Error> failure;
  if (!placed.empty()) {
    auto located = co_await run.provider->Locate(placed, Lane::kLive);
    if (!located) co_return std::unexpected(std::move(located.error()));
    for (LocatedMessage& message : *located) {
      if (message.state) {
        commit.states.push_back(std::move(*message.state));
      } else if (message.state.error().code == ErrorCode::kGone) {
        commit.gone.push_back(std::move(message.external_id));
      } else if (IsItemFailure(message.state.error().code)) {
        whole.push_back(std::move(message.external_id));
      } else {
        failure = std::move(message.state.error());
      }
    }
  }
  for (const std::string& id : whole) {
    auto read = co_await ReadWhole(run, id, commit);
    if (read) continue;
    failure = std::move(read.error());
    break;
  }
  // What was answered counts, whatever became of the rest.
  if (!commit.upserts.empty()) commit.jobs.push_back(IndexJob(now + std::chrono::seconds(1)));
  auto applied = co_await store_.ApplyChecks(commit);
  if (!applied) co_return std::unexpected(std::move(applied.error()));
  if (failure) co_return std::unexpected(std::move(*failure));
  co_return true;
}

Task<Result<void>> FolderSync::ReadWhole(Run& run, const std::string& id, CheckCommit& commit) {
  while (true) {
    auto message = co_await run.provider->GetMessage(id, Lane::kLive);
    if (message) {
      commit.upserts.push_back(std::move(*message));
      co_return Result<void>();
    }
    if (message.error().code == ErrorCode::kGone) {
      commit.gone.push_back(id);
      co_return Result<void>();
    }
    if (!IsItemFailure(message.error().code)) co_return std::unexpected(std::move(message.error()));
    const std::string code(ToString(message.error().code));
    auto failures = co_await parts_.store.RecordItemFailure(run.fence, id, code);
    if (!failures) co_return std::unexpected(std::move(failures.error()));
    if (*failures < parts_.options.item_attempts) continue;
    commit.set_aside.push_back({.external_id = id, .error_code = code});
    co_return Result<void>();
  }
}

Task<Result<void>> FolderSync::RetrySetAside(Run& run) {
  constexpr int kRetried = 20;
  const Instant now = parts_.clock.Now();
  Memory& memory = MemoryOf(run.fence.account_id);
  if (now - memory.set_aside_tried < std::chrono::hours(1)) co_return Result<void>();
  memory.set_aside_tried = now;
  auto ids = co_await parts_.store.ListSetAside(run.fence.account_id, kRetried);
  if (!ids) co_return std::unexpected(std::move(ids.error()));
  if (ids->empty()) co_return Result<void>();
  co_return co_await store_.AddChecks(run.fence, *ids);
}

}  // namespace latchkey::mail
