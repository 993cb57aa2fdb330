#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "jobs/right_of_way.hpp"
#include "mail/account_status.hpp"
#include "mail/mail_provider.hpp"
#include "mail/message_store.hpp"
#include "mail/poll_pace.hpp"

namespace latchkey::mail {

struct SyncOptions {
  /// From one run of the live lane to the next.
  std::chrono::milliseconds poll_interval = std::chrono::seconds(60);
  /// A backfill gives its place in the queue to others after this long.
  std::chrono::milliseconds longest_backfill_run = std::chrono::seconds(60);
  /// Rows of one commit at most: a few milliseconds of the writer, which others may be waiting for. A quarter of it
  /// would halve what an import reaches beside the search index, with which its commits take turns.
  std::size_t commit_size = 100;
  /// Messages read ahead of the commit, and their bytes: what bounds the memory of a run.
  std::size_t window_items = 400;
  std::size_t window_bytes = 24 << 20;
  /// How often one message may fail before it is set aside and the mailbox goes on without it.
  int item_attempts = 3;
};

/// What the mail jobs work with; everything outlives them.
struct SyncParts {
  MessageStore& store;
  MailProviders& providers;
  AccountStatus& status;
  const Clock& clock;
  SyncOptions options;
  /// Null where nobody tells us of changes.
  PollPace* pace = nullptr;
  /// Whom the full reads and the search index make way for; null for nobody.
  jobs::RightOfWay* right_of_way = nullptr;

  /// Before each piece of long work.
  Task<void> Yield() const {
    if (right_of_way != nullptr) co_await right_of_way->Yield();
  }
};

/// Kinds and unique keys of the mail jobs. `fetch_emails` (the live lane) and `backfill_emails` exist at most once per
/// account, `index_messages` once.
inline constexpr std::string_view kFetchEmailsKind = "fetch_emails";
inline constexpr std::string_view kBackfillKind = "backfill_emails";
inline constexpr std::string_view kIndexKind = "index_messages";

jobs::NewJob BackfillJob(const WriteFence& fence);
jobs::NewJob IndexJob(Instant at);
WriteFence FenceOf(const jobs::Job& job);

/// Names of the cursors in the store.
inline constexpr std::string_view kLiveLane = "live";
inline constexpr std::string_view kBackfillLane = "backfill";
/// Empty when there is no cursor of that name.
std::string CursorOf(const SyncState& state, std::string_view lane);

}  // namespace latchkey::mail
