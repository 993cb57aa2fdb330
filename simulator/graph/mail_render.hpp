#pragma once

#include <boost/json/object.hpp>

#include "simulator/graph/mail_draft.hpp"
#include "simulator/graph/mail_store.hpp"
#include "simulator/graph/odata.hpp"

namespace latchkey::simulator::graph {

/// What shapes a rendered message beside the message itself.
struct RenderOptions {
  bool immutable_ids = false;
  bool text_body = false;
  bool html_body = false;  ///< `outlook.body-content-type="html"` was asked for.
  bool unsafe_html = false;
  bool headers = false;      ///< internetMessageHeaders: only with $select.
  bool unique_body = false;  ///< The same.
  bool attachments = false;  ///< $expand=attachments.
};

/// The message resource, with @odata.etag and without @odata.context.
boost::json::object RenderMessage(const MailStore& store, const Item& item, const RenderOptions& options);
/// The members that may change without the content: what a thin delta answer carries.
boost::json::object RenderThinMessage(const MailStore& store, const Item& item, bool immutable_ids);
boost::json::object RenderFolder(const MailStore& store, FolderIndex index);
/// `message_id` is the message's id in the form asked for. Without `with_content` contentBytes is left out.
boost::json::object RenderAttachment(const std::string& message_id, const MailAttachment& attachment, const Item& item,
                                     bool with_content);
std::string AttachmentId(const std::string& message_id, const MailAttachment& attachment);

/// A property of a message for $filter and $orderby; reads the message's header only when it must.
std::optional<ODataValue> ReadProperty(const MailStore& store, const Item& item, std::string_view property);

/// "2026-05-04T08:32:45Z"
std::string FormatSeconds(std::int64_t milliseconds);

}  // namespace latchkey::simulator::graph
