#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/timer.hpp"
#include "limits/seats.hpp"
#include "mail/mail_provider.hpp"

namespace latchkey::microsoft {

/// How many requests may run at once: for one mailbox, and for all of them together. Live work always finds a slot of
/// its mailbox soon, because backfill leaves one and downloads leave half. With seats, the requests of other processes
/// for the same mailbox count too: jobs of several kinds and downloads may run in different ones. Loop thread only.
class RequestGate {
 public:
  struct Limits {
    int per_mailbox = 4;
    int total = 0;  ///< 0: no limit over all mailboxes.
    /// Shared with other processes; nullptr: this one is alone. Must outlive the gate.
    limits::Seats* seats = nullptr;
    std::string mailbox;  ///< Whose gate this is, for the seats.
  };

  /// Slots over all mailboxes, shared by their gates.
  class Total {
   public:
    explicit Total(int limit) : limit_(limit) {}

   private:
    friend class RequestGate;
    int limit_;
    std::optional<Semaphore> slots_;
    std::optional<Semaphore> batch_turn_;
  };

  /// `total` must outlive the gate, and the gate what it admits.
  RequestGate(Limits limits, Total& total) : limits_(limits), total_(total) {}

  enum class Kind { kLive, kBackfill, kStream, kBatch };
  /// Held while the request runs; releases its slots when it is destroyed.
  struct Pass {
    std::vector<Semaphore::Permit> permits;
    limits::Seats::Hold batch_turn, seats;
  };
  /// kTimeout when no slot became free within a minute. A batch takes every slot of the mailbox, because its parts run
  /// side by side at the provider and count one by one.
  Task<Result<Pass>> Enter(Kind kind);

 private:
  Task<Result<void>> Take(Semaphore& semaphore, int count, Pass& pass);
  void MakeSemaphores(const Executor& executor);

  Limits limits_;
  Total& total_;
  std::optional<Semaphore> slots_, backfill_, streams_, batch_turn_;
};

}  // namespace latchkey::microsoft
