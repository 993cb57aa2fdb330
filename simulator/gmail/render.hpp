#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/gmail/json_writer.hpp"
#include "simulator/mailbox/mailbox.hpp"

namespace latchkey::simulator {

enum class MessageFormat { kMinimal, kFull, kRaw, kMetadata };

/// "full", "metadata", "minimal", "raw" in any case; empty is full.
std::optional<MessageFormat> ParseFormat(std::string_view text);

struct RenderOptions {
  MessageFormat format = MessageFormat::kFull;
  std::vector<std::string_view> metadata_headers;  ///< Empty: all.
  std::uint64_t nonce = 0;                         ///< Goes into attachment ids, which differ from read to read.
  bool payload_in_minimal = true;                  ///< {"partId":""}, as recorded from messages.get and threads.get.
};

/// Appends the Message resource (GD schema Message).
///
/// Header values are decoded to UTF-8 text as Gmail does (encoded words gone, folds taken out, names that would break
/// an address list put in quotes). Bodies are delivered with the transfer encoding undone, but in the charset of the
/// Content-Type header that stands beside them: the client decodes it. Parts with a file name, and unnamed parts that
/// are large or no text, have an attachmentId instead of data. Attached messages (message/rfc822) show their own
/// structure below.
void RenderMessage(JsonWriter& json, const Mailbox& mailbox, const StoredMessage& message,
                   const RenderOptions& options);

/// Only id, threadId and labelIds: what send, insert and trash answer.
void RenderMessageIds(JsonWriter& json, const Mailbox& mailbox, const StoredMessage& message);

/// The decoded bytes of the part that an attachment id of this message names; nullopt when it is none.
std::optional<std::string> ReadAttachment(const Mailbox& mailbox, const StoredMessage& message,
                                          std::string_view attachment_id);

/// The snippet: one line of text, HTML-escaped.
std::string Snippet(std::string_view raw);

}  // namespace latchkey::simulator
