#pragma once

#include "mail/folder_provider.hpp"
#include "mail/message_store.hpp"

namespace latchkey::mail {

/// How far one folder is known.
struct FolderCursor {
  std::string folder_id;
  std::string link;        ///< Empty before the first page of the round.
  std::int64_t round = 0;  ///< The full read its messages are marked with.
  bool complete = false;   ///< The round was read to its end; the link leads to what changed since.
  std::int64_t done = 0, total = 0;
};

/// A message to be asked for by its id.
struct MessageCheck {
  std::string external_id;
  int asked = 0;       ///< How often it was found in a folder that has not told of it yet.
  bool whole = false;  ///< Its content is wanted too.
  bool stored = false;
};

/// One page of a folder: all of it commits in one transaction with the link behind it and its events, or none.
struct FolderCommit {
  WriteFence fence;
  /// A piece of a full read: makes way for writes that somebody waits for.
  bool bulk = false;
  /// The folder as it was read; its link and round must still be those in the store, otherwise kConflict and nothing is
  /// written. Without a folder_id (messages found by the way) no link moves.
  FolderCursor before;
  std::string link;
  /// The page was the round's last: what is stored in the folder and was not seen by the round is to be asked for.
  bool round_complete = false;
  /// When the page was asked for: it cannot bring back a message that was found deleted later than that.
  Instant asked_at{};
  /// Inserted, or updated unless a newer version is stored. A message the folder told of needs no further check.
  std::vector<Message> upserts;
  /// To be asked for, wholly.
  std::vector<std::string> incomplete;
  /// No longer in this folder: to be asked for where this is the folder they are stored in.
  std::vector<std::string> removed;
  std::vector<jobs::NewJob> jobs;
};

/// The answers to checks.
struct CheckCommit {
  WriteFence fence;
  Instant asked_at{};
  /// The provider says that it does not exist: deleted, with a tombstone that pages asked for earlier respect.
  std::vector<std::string> gone;
  /// Where messages are now. One that is stored elsewhere is moved, and asked for again at `again_at`, when the folder
  /// it was found in has been read: if that folder never told of it, it would not tell of its end either.
  std::vector<Message> states;
  /// Read wholly.
  std::vector<Message> upserts;
  Instant again_at{};
  std::vector<SyncCommit::FailedItem> set_aside;
  std::vector<jobs::NewJob> jobs;
};

/// What the sync of mail in folders needs of the database, next to MessageStore. Implemented in storage/. Every write
/// checks the fence inside its transaction: kFenced, kLeaseLost.
class FolderStore {
 public:
  virtual ~FolderStore() = default;
  virtual Task<Result<std::vector<FolderCursor>>> ListFolders(const ConnectedAccountId& account) = 0;

  /// The folders there are: labels follow, a new folder gets a cursor with a round of its own, and a folder that is no
  /// longer listed loses its cursor and the messages stored in it are to be asked for. A backfill is queued when there
  /// is something to read.
  virtual Task<Result<void>> ReplaceFolders(const WriteFence& fence, const std::vector<Folder>& folders) = 0;
  /// The folder's link is no longer good: a new round begins, everything stays meanwhile. Nothing happens unless
  /// `before` is still in the store. Queues the backfill.
  virtual Task<Result<void>> RestartFolder(const WriteFence& fence, const FolderCursor& before) = 0;

  virtual Task<Result<SyncCommitResult>> ApplyPage(const FolderCommit& commit) = 0;

  /// Due by `now`, the longest due first.
  virtual Task<Result<std::vector<MessageCheck>>> ListChecks(const ConnectedAccountId& account, Instant now,
                                                             int limit) = 0;
  /// Puts messages on the list, wholly.
  virtual Task<Result<void>> AddChecks(const WriteFence& fence, const std::vector<std::string>& external_ids) = 0;
  virtual Task<Result<SyncCommitResult>> ApplyChecks(const CheckCommit& commit) = 0;

  /// The live lane has caught up with every folder whose round is complete.
  virtual Task<Result<void>> CaughtUp(const WriteFence& fence, Instant synced_at, Instant next_sync_at) = 0;
};

}  // namespace latchkey::mail
