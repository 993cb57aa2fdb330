#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "mail/message.hpp"

namespace latchkey::google {

/// What one message may cost us; beyond it `truncated` is set (and nothing else changes).
inline constexpr std::size_t kMaxBodyBytes = 1 << 20;
inline constexpr std::size_t kMaxParts = 1000;
inline constexpr std::size_t kMaxPartDepth = 128;
inline constexpr std::size_t kMaxAttachments = 500;

/// A text part whose bytes Gmail keeps apart (body.attachmentId): to be fetched and handed to AddBodyText.
struct DeferredText {
  std::string attachment_id;
  std::string charset;
  std::int64_t size = 0;
  bool html = false;
};

struct ParsedMessage {
  mail::Message message;
  std::vector<DeferredText> deferred;
};

/// Reads a message resource of the Gmail API (users.messages.get, any format but raw). `json` is used as working space.
/// kMalformedReply when it is no JSON object with an id. Pure CPU work: call it on a worker thread for large batches.
Result<ParsedMessage> ParseGmailMessage(std::string& json);

/// Decodes the bytes of a deferred text part and adds them to the body.
void AddBodyText(mail::Message& message, const DeferredText& part, std::string_view bytes);

/// Fills in what is derived from the rest (preview). Called by ParseGmailMessage when nothing is deferred.
void CompleteMessage(mail::Message& message);

/// What a message resource says about one part's bytes: either the id under which they are kept apart, or themselves.
struct PartBody {
  std::string attachment_id;
  std::string bytes;
};
/// kGone when the message has no such part.
Result<PartBody> FindPartBody(std::string& json, std::string_view part_id);

}  // namespace latchkey::google
