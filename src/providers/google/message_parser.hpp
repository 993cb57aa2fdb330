#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "async/task.hpp"
#include "async/worker_pool.hpp"
#include "base/error.hpp"
#include "providers/google/gmail_message.hpp"

namespace latchkey::google {

/// Parses messages on the worker pool, several to a trip: while one batch is being parsed, what arrives waits and makes
/// the next one. So a quiet mailbox has no delay, and a busy one pays for one change of threads per batch instead of
/// one per message. Whoever waits first leads the batch; no task of its own is needed. Loop thread only.
class MessageParser {
 public:
  explicit MessageParser(WorkerPool& pool) : pool_(pool) {}

  /// kMalformedReply, kInternal. Not cancellable: it lasts as long as the parsing.
  Task<Result<ParsedMessage>> Parse(std::string json);

 private:
  struct Item {
    std::string json;
    std::optional<Result<ParsedMessage>> result;
    std::move_only_function<void()> wake;
  };

  Task<void> Lead();

  WorkerPool& pool_;
  std::deque<Item*> pending_;
  bool busy_ = false;
};

}  // namespace latchkey::google
