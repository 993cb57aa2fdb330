#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "mail/mail_provider.hpp"

namespace latchkey::mail::testing {

/// A mailbox at a provider, with a history, in memory; and MailProvider over it. Calls can be made to fail and to be
/// interrupted by whatever a test does meanwhile. For tests only.
class ScriptedMailbox final : public MailProvider {
 public:
  explicit ScriptedMailbox(std::uint64_t seed) : random_(seed) {}

  // What happens at the provider.
  std::string Deliver(std::vector<std::string> labels = {"INBOX", "UNREAD"});
  void ChangeLabels(const std::string& id, const std::vector<std::string>& add, const std::vector<std::string>& remove);
  void Delete(const std::string& id);
  /// From now on no cursor given out so far is good.
  void ExpireHistory() { oldest_cursor_ = ++history_id_; }
  const std::map<std::string, Message>& messages() const { return messages_; }
  std::string RandomId();

  // How calls go.
  /// Called whenever a call waits for its answer, several times: the place for interleaved events.
  std::function<void()> while_waiting;
  /// The failure of the next call, if any. `what` is "changes", "list", "get", "state", "profile" or "labels".
  std::function<std::optional<Error>(std::string_view what, const std::string& id)> failure;
  std::size_t page_size = 7;
  std::size_t history_page_size = 5;
  int concurrency = 4;
  std::map<std::string, int> calls;
  int in_flight = 0, most_in_flight = 0;

  Task<Result<std::string>> CurrentCursor() override;
  Task<Result<std::int64_t>> EstimateTotal() override;
  Task<Result<std::vector<Label>>> ListLabels() override;
  Task<Result<ChangePage>> Changes(const std::string& cursor, Lane lane) override;
  Task<Result<IdPage>> ListIds(const std::string& page, Lane lane) override;
  Task<Result<Message>> GetMessage(const std::string& external_id, Lane lane) override;
  Task<Result<Message>> GetMessageState(const std::string& external_id, Lane lane) override;
  Task<Result<void>> GetAttachment(const std::string& external_id, const Attachment& attachment,
                                   const std::function<Task<bool>(std::string_view)>& sink) override;
  int MaxConcurrency() const override { return concurrency; }

 private:
  struct Record {
    std::uint64_t id = 0;
    enum class Kind { kAdded, kDeleted, kLabels } kind = Kind::kAdded;
    std::string message;
    std::vector<std::string> added, removed;
  };

  Task<Result<void>> Answer(std::string_view what, const std::string& id);
  Task<Result<Message>> Read(std::string_view what, const std::string& id);

  std::mt19937_64 random_;
  std::map<std::string, Message> messages_;  ///< Ids rise with time.
  std::vector<Record> history_;
  std::uint64_t history_id_ = 1000;
  std::uint64_t oldest_cursor_ = 0;
  std::uint64_t next_message_ = 0x1000;
};

}  // namespace latchkey::mail::testing
