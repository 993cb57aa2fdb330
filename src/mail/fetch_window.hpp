#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task_group.hpp"
#include "async/timer.hpp"
#include "mail/sync_parts.hpp"

namespace latchkey::mail {

/// Fetches a list of messages with many requests in flight and hands them over in the order of the list. What is
/// fetched but not yet taken is bounded by count and by bytes, so a slow consumer slows the fetching down and memory
/// stays flat whatever the mailbox holds. One job's tool: made by it, stopped by it (Stop must be awaited before the
/// window is destroyed). Loop thread only.
class FetchWindow {
 public:
  struct Item {
    std::string external_id;
    /// The stored version when the content is here already: then only labels and version are read first, and the whole
    /// message only when it changed.
    std::optional<std::uint64_t> known_version;
    /// Set on the last item of a page of the list: what the page cursor becomes once all before it is stored.
    std::optional<std::string> page_end;
    /// An item that only carries page_end.
    bool marker = false;
  };
  struct Fetched {
    Item item;
    /// The message; nullopt when it is unchanged or gone (see `gone`).
    std::optional<Message> message;
    bool gone = false;
    /// Set when the fetch failed for this message alone.
    std::optional<Error> failure;
  };

  FetchWindow(Executor executor, std::shared_ptr<Mailbox> provider, Lane lane, const SyncParts& parts);
  ~FetchWindow();

  /// Appends to the list. Never waits; ask for more() before listing on.
  void Push(Item item);
  /// True when the fetchers will soon have nothing left to start: time to list the next page.
  bool more() const;
  /// Nothing is left to fetch or to take.
  bool drained() const { return slots_.empty(); }
  /// How many items from the front are complete, up to `wanted`.
  std::size_t ready(std::size_t wanted) const;
  /// Items that have to be complete or taken before the end.
  std::size_t size() const { return slots_.size(); }

  /// Waits until `wanted` items are complete at the front, or all there are, or a failure that concerns more than one
  /// message has stopped the fetching, or (with `or_more`) more() is true. False when `patience` passed first: under a
  /// quota what is there should be shown, not kept until the batch is full.
  Task<bool> WaitFor(std::size_t wanted, bool or_more, std::chrono::milliseconds patience = std::chrono::seconds(30));
  /// Takes up to `count` complete items from the front.
  std::vector<Fetched> Take(std::size_t count);
  /// The failure that stopped the fetching, and the message it was met at.
  const std::optional<Error>& failure() const { return failure_; }
  const std::string& failed_item() const { return failed_item_; }
  /// Takes the failure as that message's own (it is handed over with it) and goes on fetching.
  void ForgiveFailure();
  /// How many fetches have gone through: a failure next to many of them is the message's own.
  std::size_t succeeded() const { return succeeded_; }

  /// Ends the fetchers and waits for them. A caller that is being cancelled switches throw_if_cancelled off first.
  Task<void> Stop();

 private:
  struct Slot {
    Fetched fetched;
    std::size_t bytes = 0;
    bool fetching = false;
    bool done = false;
  };

  void StartFetchers();
  Task<void> RunFetcher();
  /// False when the failure is not the message's own: the slot stays incomplete.
  Task<bool> Fetch(Slot& slot);
  bool Satisfied(std::size_t wanted, bool or_more) const;
  bool CanStart() const;

  Executor executor_;
  std::shared_ptr<Mailbox> provider_;
  Lane lane_;
  const SyncParts& parts_;
  /// Slots stay where they are while others are pushed and taken.
  std::deque<std::unique_ptr<Slot>> slots_;
  std::size_t next_ = 0;  ///< Index of the next slot to fetch.
  std::size_t buffered_bytes_ = 0;
  std::size_t fetchers_ = 0;
  std::size_t succeeded_ = 0;
  bool wake_for_more_ = false;
  std::size_t wanted_ = 0;
  std::optional<Error> failure_;
  std::string failed_item_;
  Signal progress_;
  TaskGroup group_;
};

}  // namespace latchkey::mail
