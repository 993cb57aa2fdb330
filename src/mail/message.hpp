#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"

namespace latchkey::mail {

struct Address {
  std::string name;     ///< Display name, UTF-8, may be empty.
  std::string address;  ///< addr-spec as written, local part's case kept, domain in lower case.
};

struct Attachment {
  std::string
      provider_id;      ///< How to ask the provider for the bytes; may change between reads (Gmail), so part_id leads.
  std::string part_id;  ///< Stable within the message.
  std::string name;
  std::string mime_type;
  std::string content_id;  ///< Without angle brackets.
  std::int64_t size = 0;   ///< Bytes after decoding, as the provider says.
  bool is_inline = false;
};

/// A message as a provider delivered it, normalised: valid UTF-8 without NUL everywhere.
struct Message {
  /// The provider's own id: with the account it is the message's identity.
  std::string external_id;
  std::string thread_id;
  /// The provider's version of the message; for Gmail the historyId that last changed it, as unsigned 64 bit. A write
  /// never replaces a newer version by an older one.
  std::uint64_t version = 0;
  std::string rfc822_message_id;  ///< Without angle brackets; empty when there is none.
  std::string in_reply_to;
  std::vector<std::string> references;
  std::string subject;
  std::vector<Address> from, to, cc, bcc, reply_to;
  std::optional<Instant> sent_at;  ///< The Date header, when readable.
  Instant received_at{};           ///< The provider's own date; what lists sort by.
  std::string snippet;             ///< Plain text.
  std::string text;
  std::string html;
  std::vector<Attachment> attachments;
  std::vector<std::string> label_ids;  ///< Provider label/folder ids, sorted.
  bool is_read = true;
  bool is_starred = false;
  bool is_draft = false;
  std::int64_t size_estimate = 0;
  bool truncated = false;  ///< A documented limit cut something off.
};

/// A label (Gmail) or folder (Graph).
struct Label {
  std::string external_id;
  std::string name;
  enum class Role { kNone, kInbox, kSent, kDrafts, kTrash, kSpam, kStarred, kImportant, kUnread, kCategory, kArchive };
  Role role = Role::kNone;
  bool visible = true;
};

/// What the live lane learned about one message's labels, in the provider's order.
struct LabelChange {
  std::string external_id;
  std::uint64_t version =
      0;  ///< Of the change itself (Gmail: history record id). Applied only to rows with a lower version.
  std::vector<std::string> added;
  std::vector<std::string> removed;
};

}  // namespace latchkey::mail
