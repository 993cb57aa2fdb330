#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/error.hpp"
#include "mail/message.hpp"

namespace latchkey::mail {

/// Changes since a cursor, in the provider's order. Messages are named, not carried: the sync decides which to fetch.
struct ChangePage {
  std::vector<std::string> added;
  std::vector<LabelChange> label_changes;
  std::vector<std::string> deleted;
  /// To be stored with this page's data; the same as before when the page ended in the middle of a run.
  std::string next_cursor;
  bool more = false;
};

/// One page of the mailbox's id list, newest first.
struct IdPage {
  std::vector<std::string> ids;
  std::string next_page;  ///< Empty on the last page.
  std::int64_t estimated_total = 0;
};

/// Priority of a call against the provider's quota: live work may use all of it, backfill leaves a reserve.
enum class Lane { kLive, kBackfill };

/// One connected mailbox at its provider, as far as all kinds of mailbox agree. Calls carry deadlines of their own,
/// refresh the access token when needed, respect the account's quota and translate every vendor error into an
/// ErrorCode. Loop thread only.
class Mailbox {
 public:
  virtual ~Mailbox() = default;
  /// kGone: deleted meanwhile.
  virtual Task<Result<Message>> GetMessage(const std::string& external_id, Lane lane) = 0;
  /// Labels and version only (what can change); cheaper to read for messages whose content is stored.
  virtual Task<Result<Message>> GetMessageState(const std::string& external_id, Lane lane) = 0;
  /// Streams the decoded bytes; `sink` returning false stops. kGone when the message or part is no more.
  virtual Task<Result<void>> GetAttachment(const std::string& external_id, const Attachment& attachment,
                                           const std::function<Task<bool>(std::string_view)>& sink) = 0;
  /// The mailbox's number of messages as the provider estimates it.
  virtual Task<Result<std::int64_t>> EstimateTotal() = 0;
  /// A page of the ids of all messages there are, in any order; `page` is empty for the first. kCursorExpired: the page
  /// token is no longer valid, list from the start.
  virtual Task<Result<IdPage>> ListIds(const std::string& page, Lane lane) = 0;
  /// How many message fetches may be in flight for one mailbox.
  virtual int MaxConcurrency() const = 0;
};

/// A mailbox with one history of changes over all of it (Gmail). Its ListIds is newest first.
class MailProvider : public Mailbox {
 public:
  /// The present position for the live lane, taken before a full read begins.
  virtual Task<Result<std::string>> CurrentCursor() = 0;
  virtual Task<Result<std::vector<Label>>> ListLabels() = 0;
  /// kCursorExpired means: start a new epoch.
  virtual Task<Result<ChangePage>> Changes(const std::string& cursor, Lane lane) = 0;
};

class FolderMailProvider;

/// Makes the adapter for an account by its provider's name. kNotFound when the provider has none of that kind.
class MailProviders {
 public:
  virtual ~MailProviders() = default;
  virtual Result<std::shared_ptr<MailProvider>> For(const ConnectedAccountId& account, std::string_view provider) = 0;
  /// For a mailbox kept in folders with a history each (folder_provider.hpp).
  virtual Result<std::shared_ptr<FolderMailProvider>> FoldersFor(const ConnectedAccountId& account,
                                                                 std::string_view provider) {
    static_cast<void>(account);
    static_cast<void>(provider);
    return Fail(ErrorCode::kNotFound, "no folders at this provider");
  }
  /// Whichever of the two there is.
  Result<std::shared_ptr<Mailbox>> MailboxFor(const ConnectedAccountId& account, std::string_view provider);
};

}  // namespace latchkey::mail
