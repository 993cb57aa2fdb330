#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "mail/folder_provider.hpp"

namespace latchkey::microsoft {

/// What one message may cost us; beyond it `truncated` is set (and nothing else changes).
inline constexpr std::size_t kMaxBodyBytes = 1 << 20;
inline constexpr std::size_t kMaxAttachments = 500;

/// What is asked for of a message, and what is enough to know where it is.
inline constexpr std::string_view kMessageSelect =
    "$select=id,createdDateTime,lastModifiedDateTime,receivedDateTime,sentDateTime,hasAttachments,internetMessageId,"
    "subject,bodyPreview,parentFolderId,conversationId,isRead,isDraft,body,from,sender,toRecipients,ccRecipients,"
    "bccRecipients,replyTo,flag,categories,internetMessageHeaders";
inline constexpr std::string_view kStateSelect =
    "$select=id,lastModifiedDateTime,parentFolderId,isRead,isDraft,flag,categories";
inline constexpr std::string_view kAttachmentSelect =
    "$select=id,name,contentType,size,isInline,microsoft.graph.fileAttachment/contentId";

struct ParsedGraphMessage {
  mail::Message message;
  /// Everything was there that a whole message has; delta may tell of the changed properties only.
  bool whole = false;
  /// Where it is and how it is marked was there.
  bool located = false;
  /// There are attachments to be listed, or parts that the body shows.
  bool has_attachments = false;
};

/// A page of messages, of a list or of delta.
struct GraphMessagePage {
  std::vector<ParsedGraphMessage> messages;
  std::vector<std::string> removed;
  std::string next_link;   ///< As it came; empty on the last page.
  std::string delta_link;  ///< As it came.
};

/// Our order of a message's states: its last change at the provider, which knows seconds, and within that the time the
/// answer was asked for. 63 bits.
std::uint64_t GraphVersion(Instant last_modified, Instant asked_at);

/// Reads a message resource. `json` is used as working space. kMalformedReply when it is no JSON object with an id.
/// Pure CPU work: call it on a worker thread for pages.
Result<ParsedGraphMessage> ParseGraphMessage(std::string& json, Instant asked_at);
Result<GraphMessagePage> ParseGraphMessagePage(std::string& json, Instant asked_at);

struct GraphAttachmentPage {
  std::vector<mail::Attachment> attachments;
  std::string next_link;
};
Result<GraphAttachmentPage> ParseGraphAttachments(std::string& json);

struct GraphFolder {
  mail::Folder folder;
  std::int64_t child_count = 0;
  bool search = false;  ///< A saved search: its messages are elsewhere.
};
struct GraphFolderPage {
  std::vector<GraphFolder> folders;
  std::string next_link;
};
Result<GraphFolderPage> ParseGraphFolders(std::string& json);
Result<GraphFolder> ParseGraphFolder(std::string& json);

}  // namespace latchkey::microsoft
