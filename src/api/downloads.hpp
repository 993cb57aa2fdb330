#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/task_group.hpp"
#include "async/timer.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "mail/mail_provider.hpp"

namespace latchkey::api {

/// Hands bytes from whoever fetches them to the answer that streams them, one piece at a time: neither side is ever
/// further ahead than that. Either side may end first. Loop thread only.
class Pipe {
 public:
  explicit Pipe(const Executor& executor) : filled_(executor), emptied_(executor) {}

  /// Waits until the piece is taken; false when nobody wants more.
  Task<bool> Put(std::string_view bytes);
  void End(Result<void> result);
  /// Nobody wants more.
  void Close();

  /// Waits for bytes or the end.
  Task<void> Fill();
  /// What is there; empty: the end.
  std::string Take();
  /// How it ended; nullopt before.
  const std::optional<Result<void>>& result() const { return result_; }

 private:
  Signal filled_, emptied_;
  std::string piece_;
  std::optional<Result<void>> result_;
  bool closed_ = false;
};

/// Attachments on their way from a provider to a client. Memory per download is constant; how many run at a time is
/// bounded in all and per person, whoever asks for more waits in line (a page may show dozens of inline images), and
/// the lines are bounded too. Loop thread only; Stop() before destruction.
class Downloads {
 public:
  explicit Downloads(Executor executor);
  ~Downloads();

  /// Begins to fetch; returns when there is something to hand on, so that a refusal is still a clean answer. The pipe
  /// closes when its last holder lets go of it. kTooManyRequests when this person's line is full or does not move,
  /// kOverloaded when everybody's is; otherwise Mailbox::GetAttachment's errors.
  Task<Result<std::shared_ptr<Pipe>>> Begin(const UserId& user, std::shared_ptr<mail::Mailbox> provider,
                                            std::string external_id, mail::Attachment attachment);
  Task<void> Stop() { return tasks_.Stop(); }
  std::size_t running() const { return tasks_.size(); }

 private:
  struct Share;
  struct Order;
  /// Waits until the order may run.
  Task<Result<void>> Admit(Order& order);
  Task<void> Fetch(std::shared_ptr<Order> order);

  Executor executor_;
  Semaphore room_;
  std::size_t orders_ = 0;  ///< Waiting and running.
  std::map<UserId, std::weak_ptr<Share>> shares_;
  TaskGroup tasks_;
};

}  // namespace latchkey::api
