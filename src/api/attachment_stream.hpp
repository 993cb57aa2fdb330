#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/call.hpp"
#include "api/downloads.hpp"
#include "mail/message_store.hpp"

namespace latchkey::api {

/// An attachment that begins to arrive.
struct OpenedAttachment {
  std::shared_ptr<Pipe> pipe;
  mail::Attachment attachment;
};

/// Begins to fetch an attachment of a message of this user. kNotFound for anything that is not theirs; otherwise as
/// Downloads::Begin says.
Task<Result<OpenedAttachment>> OpenAttachment(const Services& services, const UserId& user, const MessageId& message,
                                              std::string_view attachment_id);

/// Hands on `head` and then all that comes out of the pipe; throws when the rest breaks off, because a broken download
/// must look broken, not short.
Task<void> StreamAttachment(http::BodyWriter& body, std::shared_ptr<Pipe> pipe, std::string head);

}  // namespace latchkey::api
