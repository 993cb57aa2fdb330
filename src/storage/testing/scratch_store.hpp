#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "async/testing.hpp"
#include "base/clock.hpp"
#include "mail/message_store.hpp"
#include "storage/database.hpp"

/// For tests only: a database in a directory of its own, with a loop and a clock, and the rows most tests begin with.
namespace latchkey::storage::testing {

/// Makes the address of an empty database inside `directory`; one per engine.
using OpenScratch = std::string (*)(const std::string& directory);
/// "sqlite:<directory>/latchkey.db"
std::string SqliteUrl(const std::string& directory);

class ScratchStore {
 public:
  explicit ScratchStore(OpenScratch engine = &SqliteUrl);
  ~ScratchStore();
  ScratchStore(const ScratchStore&) = delete;
  ScratchStore& operator=(const ScratchStore&) = delete;

  Database& database() { return *database_; }
  boost::asio::io_context& loop() { return loop_; }
  ManualClock& clock() { return clock_; }
  const std::string& directory() const { return directory_; }
  const std::string& url() const { return url_; }
  /// Closes the database; Reopen() opens it again, as after a restart.
  void Close() { database_.reset(); }
  void Reopen();

  /// Runs the loop until the task is done; the value of its result, or an exception that names the error.
  template <class T>
  T Get(Task<Result<T>> task) {
    auto result = Try(std::move(task));
    if (!result) Throw(result.error());
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }
  template <class T>
  Result<T> Try(Task<Result<T>> task) {
    return latchkey::testing::RunTask(loop_, std::move(task));
  }
  template <class T>
  ErrorCode ErrorOf(Task<Result<T>> task) {
    auto result = Try(std::move(task));
    if (result) Throw(Error{.code = ErrorCode::kInternal, .detail = "succeeded", .retry_after = {}});
    return result.error().code;
  }

  /// A signed-in person of issuer https://accounts.example.com; the session's token hash is "session-<subject>".
  identity::User AddUser(const std::string& subject);
  /// A connected mailbox of theirs at "google", with tokens and no first job.
  connected_accounts::ConnectedAccount AddAccount(const identity::User& user, const std::string& provider_account_id);
  /// Connects as AddAccount does, with everything under the caller's control.
  connected_accounts::Connection NewConnection(const identity::User& user, const std::string& provider_account_id);

 private:
  [[noreturn]] static void Throw(const Error& error);

  boost::asio::io_context loop_;
  ManualClock clock_;
  std::string directory_;
  std::string url_;
  std::unique_ptr<Database> database_;
};

/// A message with every field filled, received `minute` minutes after the scratch clock's start, in INBOX, unread.
mail::Message SampleMessage(const std::string& external_id, int minute = 0, std::uint64_t version = 1);
/// The standard Gmail-like labels the samples use: INBOX, UNREAD, STARRED, TRASH and one of the person's own.
std::vector<mail::Label> SampleLabels();
/// A commit under the account's own fence, without a lease.
mail::SyncCommit CommitFor(const connected_accounts::ConnectedAccount& account, std::int64_t epoch = 1);

}  // namespace latchkey::storage::testing
