#include "simulator/graph/mail_render.hpp"

#include <array>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "simulator/mime/date.hpp"
#include "simulator/mime/summary.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::graph {
namespace {

namespace json = boost::json;

constexpr std::size_t kPreviewBytes = 255;
/// Exchange counts what it keeps beside an attachment's bytes.
constexpr std::size_t kAttachmentOverhead = 158;

json::object Recipient(const mime::Address& address) {
  json::object email;
  email["name"] = address.name.empty() ? address.email : address.name;
  email["address"] = address.email;
  return {{"emailAddress", std::move(email)}};
}

json::array Recipients(const std::vector<mime::Address>& addresses) {
  json::array list;
  for (const mime::Address& address : addresses) list.push_back(Recipient(address));
  return list;
}

std::string_view FlagText(FlagStatus flag) {
  constexpr std::array<std::string_view, 3> kTexts = {"notFlagged", "flagged", "complete"};
  return kTexts[static_cast<std::size_t>(flag)];
}

std::string_view ImportanceText(Importance importance) {
  constexpr std::array<std::string_view, 3> kTexts = {"low", "normal", "high"};
  return kTexts[static_cast<std::size_t>(importance)];
}

json::object RenderBody(const mime::Summary& summary, const RenderOptions& options) {
  json::object body;
  if (options.text_body) {
    body["contentType"] = "text";
    body["content"] = summary.has_html && !summary.has_text ? mime::HtmlToText(summary.html, 1u << 20) : summary.text;
  } else if (summary.has_html) {
    body["contentType"] = "html";
    body["content"] = options.unsafe_html ? summary.html : OutlookHtml(summary.html);
  } else if (options.html_body) {
    body["contentType"] = "html";
    body["content"] = OutlookHtml(TextAsHtml(summary.text));
  } else {
    body["contentType"] = "text";
    body["content"] = summary.text;
  }
  return body;
}

/// At most `limit` bytes, cut between characters.
std::string Shorten(std::string text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  text.resize(limit);
  return text;
}

json::array Categories(const MailStore& store, const Item& item) {
  const std::vector<std::string>& names = store.Categories(item);
  return json::array(names.begin(), names.end());
}

}  // namespace

std::string FormatSeconds(std::int64_t milliseconds) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(std::chrono::milliseconds(milliseconds));
  return FormatInstant(Instant(seconds)).substr(0, 19) + "Z";
}

json::object RenderMessage(const MailStore& store, const Item& item, const RenderOptions& options) {
  const std::string raw = store.Raw(item);
  const mime::Message message = mime::Message::Parse(raw);
  const mime::Summary summary = mime::Summarise(message);
  const std::string id = store.Id(item, options.immutable_ids);
  const std::string change_key = store.ChangeKey(item);
  const std::string conversation = store.ConversationId(item);
  json::object out;
  out["@odata.etag"] = fmt::format("W/\"{}\"", change_key);
  out["id"] = id;
  out["createdDateTime"] = FormatSeconds(item.received);
  out["lastModifiedDateTime"] = FormatSeconds(item.modified);
  out["changeKey"] = change_key;
  out["categories"] = Categories(store, item);
  out["receivedDateTime"] = FormatSeconds(item.received);
  out["sentDateTime"] = FormatSeconds(summary.date ? *summary.date * 1000 : item.received);
  out["hasAttachments"] = item.attachments;
  out["internetMessageId"] = summary.message_id;
  out["subject"] = summary.subject;
  out["bodyPreview"] = Shorten(mime::PreviewText(message, kPreviewBytes), kPreviewBytes);
  out["importance"] = ImportanceText(item.importance);
  out["parentFolderId"] = store.FolderId(item.folder);
  out["conversationId"] = conversation;
  out["conversationIndex"] = Base64Encode(conversation.substr(conversation.size() - 22));
  if (item.draft) {
    out["isDeliveryReceiptRequested"] = false;
  } else {
    out["isDeliveryReceiptRequested"] = nullptr;
  }
  out["isReadReceiptRequested"] = message.root().header.Has("Disposition-Notification-To");
  out["isRead"] = item.read;
  out["isDraft"] = item.draft;
  out["webLink"] =
      fmt::format("https://outlook.live.com/owa/?ItemID={}&exvsurl=1&viewmodel=ReadMessageItem", PercentEncode(id));
  out["inferenceClassification"] = "focused";
  out["body"] = RenderBody(summary, options);
  if (!summary.from.empty()) {
    const std::vector<mime::Address> sender = mime::HeaderAddresses(message, "Sender");
    out["sender"] = Recipient(sender.empty() ? summary.from.front() : sender.front());
    out["from"] = Recipient(summary.from.front());
  }
  out["toRecipients"] = Recipients(summary.to);
  out["ccRecipients"] = Recipients(summary.cc);
  out["bccRecipients"] = Recipients(summary.bcc);
  out["replyTo"] = Recipients(mime::HeaderAddresses(message, "Reply-To"));
  out["flag"] = json::object{{"flagStatus", FlagText(item.flag)}};
  if (options.headers) {
    json::array headers;
    for (const mime::HeaderField& field : message.root().header.fields) {
      headers.push_back(json::object{{"name", field.name}, {"value", mime::DecodeText(field.raw)}});
    }
    out["internetMessageHeaders"] = std::move(headers);
  }
  if (options.unique_body) out["uniqueBody"] = RenderBody(summary, options);
  if (options.attachments) {
    json::array attachments;
    for (const MailAttachment& attachment : ReadAttachments(message)) {
      attachments.push_back(RenderAttachment(id, attachment, item, true));
    }
    out["attachments"] = std::move(attachments);
  }
  return out;
}

json::object RenderThinMessage(const MailStore& store, const Item& item, bool immutable_ids) {
  const std::string change_key = store.ChangeKey(item);
  json::object out;
  out["@odata.etag"] = fmt::format("W/\"{}\"", change_key);
  out["id"] = store.Id(item, immutable_ids);
  out["lastModifiedDateTime"] = FormatSeconds(item.modified);
  out["changeKey"] = change_key;
  out["categories"] = Categories(store, item);
  out["importance"] = ImportanceText(item.importance);
  out["isRead"] = item.read;
  out["flag"] = json::object{{"flagStatus", FlagText(item.flag)}};
  return out;
}

json::object RenderFolder(const MailStore& store, FolderIndex index) {
  const Folder& folder = store.folder(index);
  json::object out;
  out["id"] = store.FolderId(index);
  out["displayName"] = folder.name;
  // The root has nothing above it that anybody could ask for, so it names itself.
  out["parentFolderId"] = store.FolderId(folder.parent);
  out["childFolderCount"] = store.Children(index, true).size();
  out["unreadItemCount"] = folder.unread;
  out["totalItemCount"] = folder.total;
  out["sizeInBytes"] = folder.bytes;
  out["isHidden"] = folder.hidden;
  return out;
}

std::string AttachmentId(const std::string& message_id, const MailAttachment& attachment) {
  std::string stem = message_id;
  while (stem.ends_with('=')) stem.pop_back();
  return stem + "ARIAE" + Base64UrlEncode(attachment.id_tag);
}

json::object RenderAttachment(const std::string& message_id, const MailAttachment& attachment, const Item& item,
                              bool with_content) {
  json::object out;
  out["@odata.type"] = attachment.is_message ? "#microsoft.graph.itemAttachment" : "#microsoft.graph.fileAttachment";
  if (!attachment.is_message) out["@odata.mediaContentType"] = attachment.type;
  out["id"] = AttachmentId(message_id, attachment);
  out["lastModifiedDateTime"] = FormatSeconds(item.modified);
  out["name"] = attachment.name;
  if (attachment.is_message) {
    out["contentType"] = nullptr;
  } else {
    out["contentType"] = attachment.type;
  }
  out["size"] = attachment.bytes.size() + kAttachmentOverhead;
  out["isInline"] = attachment.is_inline;
  if (attachment.is_message) return out;
  if (attachment.content_id.empty()) {
    out["contentId"] = nullptr;
  } else {
    out["contentId"] = attachment.content_id;
  }
  out["contentLocation"] = nullptr;
  if (with_content) out["contentBytes"] = Base64Encode(attachment.bytes);
  return out;
}

std::optional<ODataValue> ReadProperty(const MailStore& store, const Item& item, std::string_view property) {
  const auto is = [&](std::string_view name) { return mime::EqualsNoCase(property, name); };
  const auto instant = [](std::int64_t milliseconds) {
    // Graph shows, and so compares, whole seconds.
    return ODataValue(ODataInstant{milliseconds / 1000 * 1'000'000});
  };
  if (is("receivedDateTime") || is("createdDateTime")) return instant(item.received);
  if (is("lastModifiedDateTime")) return instant(item.modified);
  if (is("isRead")) return ODataValue(item.read);
  if (is("isDraft")) return ODataValue(item.draft);
  if (is("hasAttachments")) return ODataValue(item.attachments);
  if (is("importance")) return ODataValue(std::string(ImportanceText(item.importance)));
  if (is("flag/flagStatus")) return ODataValue(std::string(FlagText(item.flag)));
  if (is("conversationId")) return ODataValue(store.ConversationId(item));
  if (is("parentFolderId")) return ODataValue(store.FolderId(item.folder));

  const std::string raw = store.Raw(item);
  const mime::HeaderBlock header = mime::ParseHeaderBlock(raw);
  if (is("subject")) return ODataValue(mime::DecodeText(header.Get("Subject")));
  if (is("internetMessageId")) return ODataValue(std::string(mime::Trim(mime::Unfold(header.Get("Message-ID")))));
  if (is("sentDateTime")) {
    const auto date = mime::ParseDate(mime::Unfold(header.Get("Date")));
    return instant(date ? *date * 1000 : item.received);
  }
  const bool name = property.ends_with("/name");
  if (is("from/emailAddress/address") || is("sender/emailAddress/address") || is("from/emailAddress/name") ||
      is("sender/emailAddress/name")) {
    const auto addresses = mime::ParseAddresses(mime::DecodeAddressText(header.Get("From")));
    if (addresses.empty()) return ODataValue();
    return ODataValue(name ? addresses.front().name : addresses.front().email);
  }
  return std::nullopt;
}

}  // namespace latchkey::simulator::graph
