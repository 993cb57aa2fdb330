#pragma once

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "mail/folder_provider.hpp"

namespace latchkey::mail::testing {

/// A mailbox in folders, in memory, that behaves as the real one is allowed to: small pages, empty pages with a next
/// one, the same message twice, changed messages told of in part, removals without a word on why, links that expire,
/// trees that change under the reader, failures at any call. Seeded. What the changes do is exact, so that a sync which
/// has caught up must agree with `messages`.
class NastyFolders final : public FolderMailProvider {
 public:
  NastyFolders(const Clock& clock, unsigned seed) : clock_(clock), random_(seed) {}

  struct Item {
    std::string folder, subject;
    bool is_read = false, starred = false;
    std::int64_t change = 0;  ///< Number of the last change.
    Instant changed_at{};
  };
  std::map<std::string, Item> messages;
  std::map<std::string, std::string> folders;  ///< id, name

  void AddFolder(const std::string& id) {
    folders[id] = "Folder " + id;
    logs_[id];
  }
  /// With all that is in it.
  void DropFolder(const std::string& id);
  std::string Deliver(const std::string& folder);
  void Move(const std::string& id, const std::string& folder);
  void Delete(const std::string& id);
  void Touch(const std::string& id);
  /// One change of any kind.
  void Stir();
  /// All links of the folder are no longer good.
  void Expire(const std::string& folder) { ++generations_[folder]; }

  /// Of a hundred calls, how many fail.
  int failing_percent = 0;
  /// Of a hundred calls, before how many the mailbox changes.
  int stirring_percent = 0;
  /// Expire links now and then.
  bool expiring = false;
  int calls = 0;
  /// How often each folder's changes were asked for.
  std::map<std::string, int> asked;

  int MaxConcurrency() const override { return 4; }
  Task<Result<std::vector<Folder>>> ListFolders(Lane lane) override;
  Task<Result<Folder>> GetFolder(const std::string& folder_id, Lane lane) override;
  Task<Result<FolderPage>> Changes(const std::string& folder_id, const std::string& link, Lane lane) override;
  Task<Result<FolderPage>> Newest(const std::string& folder_id, int limit, Lane lane) override;
  Task<Result<std::vector<LocatedMessage>>> Locate(const std::vector<std::string>& external_ids, Lane lane) override;
  Task<Result<Message>> GetMessage(const std::string& external_id, Lane lane) override;
  Task<Result<Message>> GetMessageState(const std::string& external_id, Lane lane) override;
  Task<Result<void>> GetAttachment(const std::string&, const Attachment&,
                                   const std::function<Task<bool>(std::string_view)>&) override {
    co_return Fail(ErrorCode::kGone);
  }
  Task<Result<std::int64_t>> EstimateTotal() override { co_return static_cast<std::int64_t>(messages.size()); }
  Task<Result<IdPage>> ListIds(const std::string& page, Lane lane) override;

 private:
  Result<void> Call();
  int Roll(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  void Log(const std::string& id, const std::string& folder);
  Message MessageOf(const std::string& id) const;
  std::string AnyMessage();
  std::string AnyFolder();

  const Clock& clock_;
  std::mt19937 random_;
  std::int64_t changes_ = 0;
  int delivered_ = 0;
  /// Per folder, the number of the change that last concerned each message there.
  std::map<std::string, std::map<std::string, std::int64_t>> logs_;
  std::map<std::string, int> generations_;
};

}  // namespace latchkey::mail::testing
