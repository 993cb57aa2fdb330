#include "simulator/graph/mail_draft.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "simulator/mime/date.hpp"
#include "simulator/mime/summary.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::graph {
namespace {

/// RFC 2047 section 2: at most 75 characters for an encoded word, so 45 bytes of text.
constexpr std::size_t kWordBytes = 45;
constexpr std::size_t kMaxCustomHeaders = 5;

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; });
}

std::string EncodeText(std::string_view text) {
  if (IsAscii(text) && !text.contains("=?")) return std::string(text);
  std::string out;
  while (!text.empty()) {
    std::size_t size = std::min(kWordBytes, text.size());
    while (size < text.size() && size > 1 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
    if (!out.empty()) out += "\r\n ";
    out += "=?utf-8?B?" + Base64Encode(text.substr(0, size)) + "?=";
    text.remove_prefix(size);
  }
  return out;
}

std::string Quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c != '\r' && c != '\n') out += c;
  }
  return out + "\"";
}

std::string FormatAddress(const mime::Address& address) {
  if (address.name.empty()) return address.email;
  return (IsAscii(address.name) ? Quote(address.name) : EncodeText(address.name)) + " <" + address.email + ">";
}

std::string FormatAddresses(const std::vector<mime::Address>& addresses) {
  std::string out;
  for (const mime::Address& address : addresses) out += (out.empty() ? "" : ",\r\n ") + FormatAddress(address);
  return out;
}

std::string Base64Lines(std::string_view bytes) {
  const std::string text = Base64Encode(bytes);
  std::string out;
  out.reserve(text.size() + text.size() / 38 + 2);
  for (std::size_t at = 0; at < text.size(); at += 76) out.append(text, at, 76).append("\r\n");
  return out;
}

std::string FileParameter(std::string_view name, std::string_view value) {
  if (IsAscii(value)) return fmt::format("; {}={}", name, Quote(value));
  return fmt::format("; {}*=utf-8''{}", name, PercentEncode(value));
}

std::string AttachmentPart(const MailAttachment& attachment) {
  std::string part = fmt::format("Content-Type: {}{}\r\nContent-Disposition: {}{}\r\n", attachment.type,
                                 FileParameter("name", attachment.name), attachment.is_inline ? "inline" : "attachment",
                                 FileParameter("filename", attachment.name));
  if (!attachment.content_id.empty()) part += "Content-ID: <" + attachment.content_id + ">\r\n";
  // An attached message may not be encoded (RFC 2046 section 5.2.1).
  if (attachment.is_message) return part + "\r\n" + attachment.bytes + "\r\n";
  return part + "Content-Transfer-Encoding: base64\r\n\r\n" + Base64Lines(attachment.bytes);
}

std::string Wrap(std::string_view type, std::string_view boundary, const std::vector<std::string>& parts) {
  std::string out = fmt::format("Content-Type: {}; boundary=\"{}\"\r\n\r\n", type, boundary);
  for (const std::string& part : parts) out += fmt::format("--{}\r\n{}\r\n", boundary, part);
  return out + fmt::format("--{}--\r\n", boundary);
}

std::optional<mime::Address> ReadRecipient(const boost::json::value& value) {
  const auto* object = value.if_object();
  const auto* inner = object ? object->if_contains("emailAddress") : nullptr;
  if (!inner || !inner->is_object()) return std::nullopt;
  const auto text = [&](std::string_view name) {
    const auto* found = inner->as_object().if_contains(name);
    return found && found->is_string() ? std::string(found->as_string()) : std::string();
  };
  mime::Address address{text("name"), text("address")};
  // What a header field could not carry.
  if (address.email.find_first_of("\r\n<>,; ") != std::string::npos) return std::nullopt;
  return address;
}

}  // namespace

std::string NewMessageId() { return "<" + HexEncode(RandomBytes(20)) + "@simulator.example>"; }

std::vector<MailAttachment> ReadAttachments(const mime::Message& message) {
  std::vector<MailAttachment> attachments;
  mime::VisitParts(message.root(), [&](const mime::Part& part) {
    const bool is_message = part.type == "message/rfc822";
    if (!part.parts.empty() && !is_message) return;
    const std::string_view content_id = mime::Trim(part.header.Get("Content-ID"));
    const bool text = part.type.starts_with("text/");
    if (part.disposition != "attachment" && part.filename.empty() && !is_message && (text || content_id.empty()))
      return;
    MailAttachment attachment;
    attachment.name = part.filename.empty() ? (is_message ? "message.eml" : "attachment") : part.filename;
    attachment.type = part.type;
    attachment.is_message = is_message;
    attachment.bytes = part.Decoded();
    attachment.content_id = content_id;
    if (attachment.content_id.starts_with('<')) attachment.content_id.erase(0, 1);
    if (attachment.content_id.ends_with('>')) attachment.content_id.pop_back();
    attachment.is_inline = part.disposition == "inline" || (part.disposition.empty() && !content_id.empty());
    std::uint64_t hash = 14695981039346656037ULL;
    for (const std::string* text_part : {&attachment.name, &attachment.bytes}) {
      for (const char c : *text_part) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    }
    attachment.id_tag = fmt::format("{:x}.{}", hash, attachments.size());
    attachments.push_back(std::move(attachment));
  });
  return attachments;
}

bool HasAttachments(const mime::Message& message) {
  std::string html;
  mime::VisitParts(message.root(), [&](const mime::Part& part) {
    if (part.type == "text/html" && mime::IsBodyText(part)) html += part.Decoded();
  });
  return std::ranges::any_of(ReadAttachments(message), [&](const MailAttachment& attachment) {
    return !attachment.is_inline || attachment.content_id.empty() ||
           html.find("cid:" + attachment.content_id) == std::string::npos;
  });
}

MailDraft MailDraft::FromRaw(std::string_view raw) {
  const mime::Message message = mime::Message::Parse(raw);
  const mime::Summary summary = mime::Summarise(message);
  MailDraft draft;
  draft.subject = summary.subject;
  draft.html = summary.has_html;
  draft.body = summary.has_html ? summary.html : summary.text;
  if (!summary.from.empty()) draft.from = summary.from.front();
  draft.to = summary.to;
  draft.cc = summary.cc;
  draft.bcc = summary.bcc;
  draft.reply_to = mime::HeaderAddresses(message, "Reply-To");
  draft.message_id = summary.message_id;
  draft.in_reply_to = message.Header("In-Reply-To");
  draft.references = message.Header("References");
  draft.date = message.Header("Date");
  const std::string importance = mime::Lower(message.Header("Importance"));
  if (importance == "high" || importance == "low") draft.importance = importance;
  for (const mime::HeaderField& field : message.root().header.fields) {
    if (mime::StartsWithNoCase(field.name, "x-")) {
      draft.headers.emplace_back(std::string(field.name), mime::DecodeText(field.raw));
    }
  }
  draft.read_receipt = message.root().header.Has("Disposition-Notification-To");
  draft.attachments = ReadAttachments(message);
  return draft;
}

std::string MailDraft::ToRaw() const {
  std::string out;
  const auto field = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) out += fmt::format("{}: {}\r\n", name, value);
  };
  if (from) field("From", FormatAddress(*from));
  field("To", FormatAddresses(to));
  field("Cc", FormatAddresses(cc));
  field("Bcc", FormatAddresses(bcc));
  field("Reply-To", FormatAddresses(reply_to));
  field("Subject", EncodeText(subject));
  field("Date", date);
  field("Message-ID", message_id);
  field("In-Reply-To", in_reply_to);
  field("References", references);
  if (importance != "normal") field("Importance", importance);
  if (read_receipt && from) field("Disposition-Notification-To", from->email);
  for (const auto& [name, value] : headers) field(name, EncodeText(value));
  out += "MIME-Version: 1.0\r\n";

  std::string content =
      fmt::format("Content-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
                  html ? "html" : "plain", Base64Lines(body));
  if (attachments.empty()) return out + content;
  const std::string boundary = "_000_" + HexEncode(RandomBytes(12)) + "_";
  std::vector<std::string> inner{std::move(content)};
  std::vector<std::string> files;
  for (const MailAttachment& attachment : attachments) {
    (attachment.is_inline ? inner : files).push_back(AttachmentPart(attachment));
  }
  std::string first = inner.size() > 1 ? Wrap("multipart/related", "r" + boundary, inner) : std::move(inner.front());
  if (files.empty()) return out + first;
  files.insert(files.begin(), std::move(first));
  return out + Wrap("multipart/mixed", "m" + boundary, files);
}

std::vector<std::string> MailDraft::Recipients() const {
  std::set<std::string> recipients;
  for (const auto* list : {&to, &cc, &bcc}) {
    for (const mime::Address& address : *list) recipients.insert(mime::Lower(address.email));
  }
  return {recipients.begin(), recipients.end()};
}

std::expected<void, Response> MailDraft::Apply(const boost::json::object& message, Instant now) {
  const auto bad = [&](std::string_view sentence) {
    return std::unexpected(BadRequest(sentence, now, "RequestBodyRead"));
  };
  const auto text = [&](std::string_view name, std::string& target) {
    const auto* value = message.if_contains(name);
    if (!value) return true;
    if (value->is_string()) target = value->as_string();
    if (value->is_null()) target.clear();
    return value->is_string() || value->is_null();
  };
  if (!text("subject", subject) || !text("internetMessageId", message_id)) {
    return bad("Cannot convert a value to target type 'Edm.String'.");
  }
  // Line ends in a field would start another one.
  std::ranges::replace_if(subject, [](char c) { return c == '\r' || c == '\n'; }, ' ');
  std::erase_if(message_id, [](char c) { return c == '\r' || c == '\n'; });
  if (const auto* value = message.if_contains("body"); value && value->is_object()) {
    const auto& object = value->as_object();
    if (const auto* type = object.if_contains("contentType"); type && type->is_string()) {
      html = mime::EqualsNoCase(std::string_view(type->as_string()), "html");
    }
    if (const auto* content = object.if_contains("content")) {
      body = content->is_string() ? std::string(content->as_string()) : std::string();
    }
  }
  const std::pair<std::string_view, std::vector<mime::Address>*> lists[] = {
      {"toRecipients", &to}, {"ccRecipients", &cc}, {"bccRecipients", &bcc}, {"replyTo", &reply_to}};
  for (const auto& [name, target] : lists) {
    const auto* value = message.if_contains(name);
    if (!value) continue;
    if (!value->is_array())
      return bad(fmt::format("Property {} in payload has a value that does not match schema.", name));
    target->clear();
    for (const boost::json::value& entry : value->as_array()) {
      auto address = ReadRecipient(entry);
      if (!address) return bad(fmt::format("Property {} in payload has a value that does not match schema.", name));
      target->push_back(std::move(*address));
    }
  }
  for (const char* name : {"sender", "from"}) {
    if (const auto* value = message.if_contains(name); value && value->is_object()) {
      auto address = ReadRecipient(*value);
      if (!address) return bad("Property from in payload has a value that does not match schema.");
      from = std::move(*address);
    }
  }
  if (const auto* value = message.if_contains("importance"); value && value->is_string()) {
    importance = mime::Lower(std::string_view(value->as_string()));
  }
  if (const auto* value = message.if_contains("isReadReceiptRequested"); value && value->is_bool()) {
    read_receipt = value->as_bool();
  }
  if (const auto* value = message.if_contains("internetMessageHeaders"); value && value->is_array()) {
    headers.clear();
    for (const boost::json::value& entry : value->as_array()) {
      const auto* object = entry.if_object();
      const auto* name = object ? object->if_contains("name") : nullptr;
      const auto* content = object ? object->if_contains("value") : nullptr;
      if (!name || !content || !name->is_string() || !content->is_string()) {
        return bad("Property internetMessageHeaders in payload has a value that does not match schema.");
      }
      std::string field(name->as_string());
      if (!mime::StartsWithNoCase(field, "x-") || field.find_first_of(": \r\n") != std::string::npos) {
        return std::unexpected(
            BadRequest(fmt::format("The internet message header name '{}' should start with 'x-' or 'X-'.", field), now,
                       "InvalidInternetMessageHeader"));
      }
      std::string given(content->as_string());
      std::ranges::replace_if(given, [](char c) { return c == '\r' || c == '\n'; }, ' ');
      headers.emplace_back(std::move(field), std::move(given));
    }
    if (headers.size() > kMaxCustomHeaders) {
      return std::unexpected(BadRequest("Maximum number of headers in one message should be less than or equal to 5.",
                                        now, "InvalidInternetMessageHeaderCollection"));
    }
  }
  if (const auto* value = message.if_contains("attachments"); value && value->is_array()) {
    for (const boost::json::value& entry : value->as_array()) {
      if (!entry.is_object()) return bad("Property attachments in payload has a value that does not match schema.");
      auto attachment = ParseAttachment(entry.as_object(), now);
      if (!attachment) return std::unexpected(std::move(attachment.error()));
      attachments.push_back(std::move(*attachment));
    }
  }
  return {};
}

std::expected<MailAttachment, Response> ParseAttachment(const boost::json::object& resource, Instant now) {
  const auto text = [&](std::string_view name) {
    const auto* value = resource.if_contains(name);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
  };
  const std::string type = text("@odata.type");
  if (!type.ends_with("fileAttachment")) {
    return std::unexpected(BadRequest("Only attachments of the type #microsoft.graph.fileAttachment can be added here.",
                                      now, "ErrorInvalidRequest"));
  }
  MailAttachment attachment;
  attachment.name = text("name");
  if (attachment.name.empty()) {
    return std::unexpected(BadRequest("Required property 'Name' is missing.", now, "ErrorInvalidRequest"));
  }
  if (const std::string given = text("contentType"); !given.empty()) attachment.type = mime::Lower(given);
  if (attachment.type.find_first_of("\r\n\"") != std::string::npos) attachment.type = "application/octet-stream";
  attachment.content_id = text("contentId");
  std::erase_if(attachment.content_id, [](char c) { return c == '\r' || c == '\n' || c == '<' || c == '>'; });
  const auto* is_inline = resource.if_contains("isInline");
  attachment.is_inline = is_inline && is_inline->is_bool() && is_inline->as_bool();
  const auto bytes = Base64Decode(text("contentBytes"));
  if (!bytes) {
    return std::unexpected(BadRequest("Cannot convert the literal of 'contentBytes' to the expected type 'Edm.Binary'.",
                                      now, "RequestBodyRead"));
  }
  attachment.bytes = *bytes;
  return attachment;
}

std::string SanitiseHtml(std::string_view html) {
  // Elements that go with all they contain.
  constexpr std::string_view kGone[] = {"script", "iframe", "object", "embed", "applet"};
  std::string out;
  out.reserve(html.size());
  while (!html.empty()) {
    const std::size_t open = html.find('<');
    out.append(html.substr(0, open));
    if (open == std::string_view::npos) break;
    html.remove_prefix(open);
    const auto gone = std::ranges::find_if(kGone, [&](std::string_view name) {
      return mime::StartsWithNoCase(html.substr(1), name) && html.size() > name.size() + 1 &&
             (mime::IsSpace(html[name.size() + 1]) || html[name.size() + 1] == '>' || html[name.size() + 1] == '/');
    });
    if (gone == std::end(kGone)) {
      out += '<';
      html.remove_prefix(1);
      continue;
    }
    // To the end tag; without one, to the end of the text.
    const std::string lower = mime::Lower(html);
    const std::size_t end = lower.find("</" + std::string(*gone));
    const std::size_t close = end == std::string::npos ? end : lower.find('>', end);
    html = close == std::string::npos ? std::string_view() : html.substr(close + 1);
  }
  return out;
}

std::string OutlookHtml(std::string_view html) {
  constexpr std::string_view kMeta = "\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">";
  std::string clean = SanitiseHtml(html);
  const std::string lower = mime::Lower(clean);
  const std::size_t head = lower.find("<head");
  const std::size_t close = head == std::string::npos ? head : clean.find('>', head);
  if (close != std::string::npos) {
    if (!lower.contains("charset=")) clean.insert(close + 1, kMeta);
    return clean;
  }
  if (lower.contains("<body")) return fmt::format("<html><head>{}</head>{}</html>", kMeta, clean);
  return fmt::format("<html><head>{}</head><body>{}</body></html>", kMeta, clean);
}

std::string TextAsHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\n':
        out += "<br>\r\n";
        break;
      case '\r':
        break;
      default:
        out += c;
    }
  }
  return "<div class=\"PlainText\">" + out + "</div>";
}

}  // namespace latchkey::simulator::graph
