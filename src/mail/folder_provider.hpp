#pragma once

#include "mail/mail_provider.hpp"

namespace latchkey::mail {

/// A folder as the provider lists it.
struct Folder {
  Label label;
  std::string parent_id;
  std::int64_t total = 0;  ///< Messages in it, as the provider counts them; may lag.
};

/// What changed in one folder since a link, or a page of all that is in it.
struct FolderPage {
  /// Whole messages that are in the folder.
  std::vector<Message> messages;
  /// In the folder too, but told of in part only: to be read by id.
  std::vector<std::string> incomplete;
  /// No longer in the folder: moved or deleted, the page does not say which.
  std::vector<std::string> removed;
  /// To be stored with this page's data.
  std::string link;
  /// The link leads to the next page of this run; otherwise to what changes from now on.
  bool more = false;
  /// When the page was asked for. Says nothing of what came later.
  Instant asked_at{};
};

/// Where a message is and how it is marked, without its content.
struct LocatedMessage {
  std::string external_id;
  /// kGone: deleted. The message holds external_id, version, label_ids, is_read, is_starred and is_draft.
  Result<Message> state;
};

/// Labels that are made of a message's categories: this and the category's name. The store names them itself.
inline constexpr std::string_view kCategoryPrefix = "category:";
/// The label of flagged messages, with the role kStarred.
inline constexpr std::string_view kFlaggedLabel = "flagged";

/// A mailbox kept in folders with a history of changes each (Outlook). A message is in exactly one folder, keeps its id
/// when it is moved, and has the folder, its categories and its flag as labels. A message's version grows with its
/// last change at the provider, and among answers of the same change with the time they were asked for.
class FolderMailProvider : public Mailbox {
 public:
  /// All folders, hidden and nested ones too, with their roles; the inbox first.
  virtual Task<Result<std::vector<Folder>>> ListFolders(Lane lane) = 0;
  /// kGone: there is no such folder.
  virtual Task<Result<Folder>> GetFolder(const std::string& folder_id, Lane lane) = 0;
  /// The page behind `link`; an empty one begins a full read, newest first. kCursorExpired: the link is no longer good,
  /// begin again. kGone: the folder is no more.
  virtual Task<Result<FolderPage>> Changes(const std::string& folder_id, const std::string& link, Lane lane) = 0;
  /// The newest messages of a folder, whole, at most `limit`.
  virtual Task<Result<FolderPage>> Newest(const std::string& folder_id, int limit, Lane lane) = 0;
  /// Where these messages are now, in the order asked. The outer error is the account's or the provider's.
  virtual Task<Result<std::vector<LocatedMessage>>> Locate(const std::vector<std::string>& external_ids, Lane lane) = 0;
};

}  // namespace latchkey::mail
