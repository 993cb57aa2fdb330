#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

#include "simulator/graph/errors.hpp"
#include "simulator/mime/address.hpp"
#include "simulator/mime/message.hpp"

namespace latchkey::simulator::graph {

/// An attachment as Graph shows and takes it.
struct MailAttachment {
  std::string id_tag;  ///< Tells the attachments of one message apart; stable while the message does not change.
  std::string name;
  std::string type = "application/octet-stream";
  std::string content_id;  ///< Without angle brackets.
  bool is_inline = false;
  bool is_message = false;  ///< itemAttachment: an attached message.
  std::string bytes;
};

/// What a draft is made of, between Graph's JSON and the MIME text the store keeps.
struct MailDraft {
  std::string subject;
  bool html = false;
  std::string body;
  std::optional<mime::Address> from;
  std::vector<mime::Address> to, cc, bcc, reply_to;
  std::string importance = "normal";
  std::string message_id;   ///< With angle brackets.
  std::string in_reply_to;  ///< The same.
  std::string references;
  std::string date;                                          ///< As the field's value.
  std::vector<std::pair<std::string, std::string>> headers;  ///< Custom ones, "x-…".
  std::vector<MailAttachment> attachments;
  bool read_receipt = false;

  static MailDraft FromRaw(std::string_view raw);
  std::string ToRaw() const;
  /// Takes the writable members of a message resource. The error is Graph's refusal.
  std::expected<void, Response> Apply(const boost::json::object& message, Instant now);
  std::vector<std::string> Recipients() const;  ///< To, Cc and Bcc, lower case, without doubles.
};

/// The attachments of a message in its order.
std::vector<MailAttachment> ReadAttachments(const mime::Message& message);

/// What `hasAttachments` tells: some attachment beside those that the body shows in its place. Of those the property's
/// description says that the body's `cid:` references prove them, so a part that no reference names is not one of them,
/// whatever its Content-Disposition says.
bool HasAttachments(const mime::Message& message);

/// A fileAttachment or itemAttachment resource as somebody posts it.
std::expected<MailAttachment, Response> ParseAttachment(const boost::json::object& resource, Instant now);

/// "<B6F0…@simulator.example>"
std::string NewMessageId();

/// The body as Graph shows it: HTML sanitised and with the head Outlook writes.
std::string OutlookHtml(std::string_view html);
std::string TextAsHtml(std::string_view text);
/// Scripts and their like are out.
std::string SanitiseHtml(std::string_view html);

}  // namespace latchkey::simulator::graph
