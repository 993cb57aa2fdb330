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

/// Attachments on their way from a provider to a client. Memory per download is constant; their number is bounded in
/// all and per person. Loop thread only; Stop() before destruction.
class Downloads {
 public:
  explicit Downloads(Executor executor) : executor_(executor), tasks_(executor) {}

  /// Begins to fetch; returns when there is something to hand on, so that a refusal is still a clean answer. The pipe
  /// closes when its last holder lets go of it. kTooManyRequests beyond this person's share, kOverloaded beyond
  /// everybody's; otherwise Mailbox::GetAttachment's errors.
  Task<Result<std::shared_ptr<Pipe>>> Begin(const UserId& user, std::shared_ptr<mail::Mailbox> provider,
                                            std::string external_id, mail::Attachment attachment);
  Task<void> Stop() { return tasks_.Stop(); }
  std::size_t running() const { return tasks_.size(); }

 private:
  struct Order;
  Task<void> Fetch(std::shared_ptr<Order> order);

  Executor executor_;
  TaskGroup tasks_;
  std::map<UserId, int> of_user_;
};

}  // namespace latchkey::api
