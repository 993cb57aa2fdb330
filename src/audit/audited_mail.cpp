#include "audit/audited_mail.hpp"

#include <boost/asio/this_coro.hpp>
#include <exception>
#include <unordered_map>
#include <unordered_set>

#include "mail/fetch_window.hpp"

namespace latchkey::audit {
namespace {

using mail::FetchWindow;

/// Reads every item, many at a time. A failure that concerns more than one message is the result's.
Task<Result<std::vector<FetchWindow::Fetched>>> ReadAll(std::shared_ptr<mail::Mailbox> provider,
                                                        const mail::SyncParts& parts,
                                                        const std::vector<FetchWindow::Item>& items) {
  const auto executor = co_await boost::asio::this_coro::executor;
  FetchWindow window(executor, std::move(provider), mail::Lane::kBackfill, parts);
  std::exception_ptr interrupted;
  Result<std::vector<FetchWindow::Fetched>> result;
  try {
    for (const FetchWindow::Item& item : items) window.Push(item);
    while (!window.drained() && !window.failure()) {
      co_await window.WaitFor(1, false);
      for (FetchWindow::Fetched& fetched : window.Take(items.size())) result->push_back(std::move(fetched));
    }
    if (window.failure()) result = std::unexpected(*window.failure());
  } catch (...) {
    interrupted = std::current_exception();
  }
  // The fetchers refer to the window: they end first, also when this job is being cancelled.
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  co_await window.Stop();
  co_await boost::asio::this_coro::throw_if_cancelled(true);
  if (interrupted) std::rethrow_exception(interrupted);
  co_return result;
}

}  // namespace

Task<Result<AuditedService::Standing>> AuditedMail::Stand(const jobs::Job& job,
                                                          const mail::AccountStatus::Account& account) {
  Standing standing;
  const bool served =
      account.can_read_mail && parts_.providers.MailboxFor(job.account_id, account.provider).has_value();
  if (!served) {
    standing.kind = Standing::Kind::kNotApplicable;
    co_return standing;
  }
  auto state = co_await parts_.store.GetSyncState(job.account_id);
  if (!state) co_return Fail(std::move(state.error()));
  standing.epoch = state->backfill.epoch;
  if (!state->backfill.complete) standing.kind = Standing::Kind::kWait;
  co_return standing;
}

Task<Result<AuditedService::Page>> AuditedMail::List(const jobs::Job& job, const mail::AccountStatus::Account& account,
                                                     const std::string& cursor) {
  auto provider = parts_.providers.MailboxFor(job.account_id, account.provider);
  if (!provider) co_return Fail(std::move(provider.error()));
  auto listed = co_await (*provider)->ListIds(cursor, mail::Lane::kBackfill);
  if (!listed) co_return Fail(std::move(listed.error()));
  Page page;
  page.ids = std::move(listed->ids);
  page.next = std::move(listed->next_page);
  co_return page;
}

Task<Result<bool>> AuditedMail::CaughtUp(const jobs::Job& job, const mail::AccountStatus::Account& account,
                                         Instant since) {
  auto state = co_await parts_.store.GetSyncState(job.account_id);
  if (!state) co_return Fail(std::move(state.error()));
  if (state->synced_at && *state->synced_at > since) co_return true;
  if (account.has_fault) {
    // The live lane may never run again by itself; the provider says whether this is the person's matter.
    auto provider = parts_.providers.MailboxFor(job.account_id, account.provider);
    if (!provider) co_return Fail(std::move(provider.error()));
    auto answered = co_await (*provider)->EstimateTotal();
    if (!answered) co_return Fail(std::move(answered.error()));
  }
  const jobs::NewJob live{.kind = std::string(mail::kFetchEmailsKind),
                          .priority = jobs::Priority::kNormal,
                          .unique_key = jobs::AccountKey(mail::kFetchEmailsKind, job.account_id),
                          .account_id = job.account_id,
                          .generation = job.generation};
  auto queued = co_await jobs_.Insert(live);
  if (!queued) co_return Fail(std::move(queued.error()));
  co_return false;
}

Task<Result<std::vector<std::string>>> AuditedMail::Stored(const ConnectedAccountId& account,
                                                           const std::vector<std::string>& ids) {
  auto known = co_await parts_.store.FindKnown(account, 0, ids);
  if (!known) co_return Fail(std::move(known.error()));
  std::vector<std::string> stored;
  for (auto& row : *known) stored.push_back(std::move(row.external_id));
  co_return stored;
}

Task<Result<std::vector<AuditedService::Verdict>>> AuditedMail::Reconcile(const jobs::Job& job,
                                                                          const mail::AccountStatus::Account& account,
                                                                          const std::vector<std::string>& ids) {
  auto provider = parts_.providers.MailboxFor(job.account_id, account.provider);
  if (!provider) co_return Fail(std::move(provider.error()));
  auto state = co_await parts_.store.GetSyncState(job.account_id);
  if (!state) co_return Fail(std::move(state.error()));
  const mail::WriteFence fence = mail::FenceOf(job);
  // Before the reads: a deletion that the live lane learns of from here on writes its tombstone anew and wins.
  auto forgotten = co_await store_.ForgetTombstones(fence, ids);
  if (!forgotten) co_return Fail(std::move(forgotten.error()));
  auto known = co_await parts_.store.FindKnown(job.account_id, state->backfill.epoch, ids);
  if (!known) co_return Fail(std::move(known.error()));
  std::unordered_map<std::string, std::uint64_t> versions;
  for (const auto& row : *known) versions.emplace(row.external_id, row.version);

  std::vector<FetchWindow::Item> items;
  for (const std::string& id : ids) {
    FetchWindow::Item item{.external_id = id};
    if (const auto found = versions.find(id); found != versions.end()) item.known_version = found->second;
    items.push_back(std::move(item));
  }
  auto read = co_await ReadAll(*provider, parts_, items);
  if (!read) co_return Fail(std::move(read.error()));

  mail::SyncCommit commit;
  commit.fence = fence;
  commit.epoch = state->backfill.epoch;
  std::vector<Verdict> verdicts;
  for (FetchWindow::Fetched& fetched : *read) {
    Verdict verdict{.external_id = fetched.item.external_id};
    if (fetched.failure) {
      verdict.kind = Verdict::Kind::kFailed;
      verdict.error_code = ToString(fetched.failure->code);
    } else if (fetched.gone) {
      verdict.kind = Verdict::Kind::kGone;
      if (fetched.item.known_version) commit.deletions.push_back(verdict.external_id);
      commit.recovered_items.push_back(verdict.external_id);
    } else if (fetched.message) {
      commit.recovered_items.push_back(verdict.external_id);
      commit.upserts.push_back(std::move(*fetched.message));
    }
    verdicts.push_back(std::move(verdict));
  }
  if (!commit.upserts.empty()) commit.jobs.push_back(mail::IndexJob(parts_.clock.Now() + std::chrono::seconds(1)));
  if (!commit.upserts.empty() || !commit.deletions.empty() || !commit.recovered_items.empty()) {
    auto applied = co_await parts_.store.Apply(commit);
    if (!applied) co_return Fail(std::move(applied.error()));
  }
  // What the store refused was deleted at the provider after we had read it.
  auto stored = co_await Stored(job.account_id, ids);
  if (!stored) co_return Fail(std::move(stored.error()));
  const std::unordered_set<std::string> here(stored->begin(), stored->end());
  for (Verdict& verdict : verdicts) {
    if (verdict.kind == Verdict::Kind::kStored && !here.contains(verdict.external_id))
      verdict.kind = Verdict::Kind::kGone;
  }
  co_return verdicts;
}

}  // namespace latchkey::audit
