#include "providers/google/gmail_message.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "mail/address_parser.hpp"
#include "mail/charset.hpp"
#include "mail/header_text.hpp"
#include "mail/html_text.hpp"
#include "mail/mail_date.hpp"
#include "providers/google/gmail_json.hpp"

namespace latchkey::google {
namespace {

namespace ondemand = simdjson::ondemand;
using mail::Attachment;
using mail::Message;

constexpr std::size_t kMaxHeaders = 5000;
constexpr std::size_t kMaxSubjectBytes = 8 << 10;
constexpr std::size_t kMaxReferences = 100;
constexpr std::size_t kMaxLabels = 500;

/// A node of the MIME tree as Gmail delivers it. Views point into the answer.
struct Part {
  std::string_view part_id, mime_type, filename, data, attachment_id;
  std::string_view content_type, disposition, content_id;
  std::uint64_t size = 0;
  int parent = -1;
  bool has_children = false;
  bool in_attached_message = false;
};

/// Top-level headers the product keeps.
struct Headers {
  std::string from, to, cc, bcc, reply_to, subject, date, message_id, in_reply_to, references;
};

bool Is(std::string_view name, std::string_view lower) { return mail::AsciiEqualsIgnoreCase(name, lower); }

class Reader {
 public:
  Result<ParsedMessage> Read(std::string& json) {
    if (auto read = ReadDocument(json); !read) return std::unexpected(std::move(read.error()));
    ReadHeaders();
    ReadParts();
    if (parsed_.deferred.empty()) CompleteMessage(message_);
    parsed_.message = std::move(message_);
    return std::move(parsed_);
  }

  Result<PartBody> FindPart(std::string& json, std::string_view part_id) {
    if (auto read = ReadDocument(json); !read) return std::unexpected(std::move(read.error()));
    for (const Part& part : parts_) {
      if (part.part_id != part_id) continue;
      if (!part.attachment_id.empty()) return PartBody{.attachment_id = std::string(part.attachment_id), .bytes = {}};
      std::string_view data = part.data;
      while (data.ends_with('=')) data.remove_suffix(1);
      auto bytes = Base64UrlDecode(data);
      if (!bytes) return Malformed("part data");
      return PartBody{.attachment_id = {}, .bytes = std::move(*bytes)};
    }
    return Fail(ErrorCode::kGone, "gmail message: no such part");
  }

 private:
  Result<void> ReadDocument(std::string& json) {
    ondemand::document document;
    if (ThreadParser().iterate(Padded(json)).get(document) != simdjson::SUCCESS) return Malformed("not JSON");
    ondemand::object object;
    if (document.get_object().get(object) != simdjson::SUCCESS) return Malformed("not an object");
    for (auto entry : object) {
      ondemand::field field;
      if (std::move(entry).get(field) != simdjson::SUCCESS) return Malformed("broken object");
      if (!ReadField(field)) return Malformed("broken member");
    }
    if (message_.external_id.empty()) return Malformed("no id");
    return {};
  }

  static std::unexpected<Error> Malformed(std::string_view why) {
    return Fail(ErrorCode::kMalformedReply, "gmail message: " + std::string(why));
  }

  bool ReadField(ondemand::field& field) {
    std::string_view key;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
    ondemand::value value = field.value();
    if (key == "id") {
      message_.external_id = mail::CleanUtf8(std::string(strings_.Read(value).value_or("")));
    } else if (key == "threadId") {
      message_.thread_id = mail::CleanUtf8(std::string(strings_.Read(value).value_or("")));
    } else if (key == "labelIds") {
      return ReadLabels(value);
    } else if (key == "snippet") {
      message_.snippet = mail::UnescapeHtml(strings_.Read(value).value_or(""));
    } else if (key == "sizeEstimate") {
      message_.size_estimate = static_cast<std::int64_t>(strings_.ReadUnsigned(value).value_or(0) & INT64_MAX);
    } else if (key == "historyId") {
      message_.version = strings_.ReadUnsigned(value).value_or(0);
    } else if (key == "internalDate") {
      ReadInternalDate(value);
    } else if (key == "payload") {
      return ReadPart(value, -1, 0);
    }
    return true;
  }

  void ReadInternalDate(ondemand::value value) {
    // Milliseconds of the Unix epoch; a date of the far future or past would not fit the microseconds we keep.
    std::string_view text = strings_.Read(value).value_or("");
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    std::int64_t millis = 0;
    for (const char c : text.substr(0, 15)) {
      if (c < '0' || c > '9') return;
      millis = millis * 10 + (c - '0');
    }
    constexpr std::int64_t kYear9999 = 253'370'764'800'000;
    message_.received_at = FromMicros(std::clamp(negative ? -millis : millis, -kYear9999 / 8, kYear9999) * 1000);
  }

  bool ReadLabels(ondemand::value value) {
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return true;
    message_.is_read = true;
    for (auto entry : array) {
      ondemand::value item;
      if (entry.get(item) != simdjson::SUCCESS) return false;
      const auto label = strings_.Read(item);
      if (!label || label->empty()) continue;
      if (message_.label_ids.size() >= kMaxLabels) {
        message_.truncated = true;
        continue;
      }
      if (*label == "UNREAD") message_.is_read = false;
      if (*label == "STARRED") message_.is_starred = true;
      if (*label == "DRAFT") message_.is_draft = true;
      message_.label_ids.push_back(mail::CleanUtf8(std::string(*label)));
    }
    std::sort(message_.label_ids.begin(), message_.label_ids.end());
    const auto same = std::unique(message_.label_ids.begin(), message_.label_ids.end());
    message_.label_ids.erase(same, message_.label_ids.end());
    return true;
  }

  bool ReadPart(ondemand::value value, int parent, std::size_t depth) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return true;
    if (depth > kMaxPartDepth || parts_.size() >= kMaxParts) {
      message_.truncated = true;
      return true;
    }
    const std::size_t index = parts_.size();
    parts_.emplace_back().parent = parent;
    for (auto entry : object) {
      ondemand::field field;
      std::string_view key;
      if (std::move(entry).get(field) != simdjson::SUCCESS || field.unescaped_key().get(key) != simdjson::SUCCESS)
        return false;
      ondemand::value member = field.value();
      if (key == "partId") {
        parts_[index].part_id = strings_.Read(member).value_or("");
      } else if (key == "mimeType") {
        parts_[index].mime_type = strings_.Read(member).value_or("");
      } else if (key == "filename") {
        parts_[index].filename = strings_.Read(member).value_or("");
      } else if (key == "headers") {
        if (!ReadPartHeaders(member, index)) return false;
      } else if (key == "body") {
        if (!ReadBody(member, parts_[index])) return false;
      } else if (key == "parts") {
        ondemand::array children;
        if (member.get_array().get(children) != simdjson::SUCCESS) continue;
        for (auto child : children) {
          ondemand::value part;
          if (child.get(part) != simdjson::SUCCESS) return false;
          parts_[index].has_children = true;
          if (!ReadPart(part, static_cast<int>(index), depth + 1)) return false;
        }
      }
    }
    return true;
  }

  bool ReadPartHeaders(ondemand::value value, std::size_t index) {
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return true;
    for (auto entry : array) {
      ondemand::value item;
      ondemand::object header;
      if (entry.get(item) != simdjson::SUCCESS || item.get_object().get(header) != simdjson::SUCCESS) return false;
      std::string_view name, text;
      for (auto member : header) {
        ondemand::field field;
        std::string_view key;
        if (std::move(member).get(field) != simdjson::SUCCESS || field.unescaped_key().get(key) != simdjson::SUCCESS)
          return false;
        if (key == "name") {
          name = strings_.Read(field.value()).value_or("");
        } else if (key == "value") {
          text = strings_.Read(field.value()).value_or("");
        }
      }
      if (++header_count_ > kMaxHeaders) {
        message_.truncated = true;
        continue;
      }
      Part& part = parts_[index];
      if (Is(name, "content-type")) {
        if (part.content_type.empty()) part.content_type = text;
      } else if (Is(name, "content-disposition")) {
        if (part.disposition.empty()) part.disposition = text;
      } else if (Is(name, "content-id")) {
        if (part.content_id.empty()) part.content_id = text;
      } else if (index == 0) {
        KeepHeader(name, text);
      }
    }
    return true;
  }

  void KeepHeader(std::string_view name, std::string_view value) {
    const auto join = [&](std::string& header) {
      // A second To: line is against the standard and common; its people are recipients all the same.
      if (!header.empty()) header += ", ";
      header += value;
    };
    const auto first = [&](std::string& header) {
      if (header.empty()) header = value;
    };
    switch (name.empty() ? '\0' : static_cast<char>(name[0] | 0x20)) {
      case 'f':
        if (Is(name, "from")) join(headers_.from);
        break;
      case 't':
        if (Is(name, "to")) join(headers_.to);
        break;
      case 'c':
        if (Is(name, "cc")) join(headers_.cc);
        break;
      case 'b':
        if (Is(name, "bcc")) join(headers_.bcc);
        break;
      case 's':
        if (Is(name, "subject")) first(headers_.subject);
        break;
      case 'd':
        if (Is(name, "date")) first(headers_.date);
        break;
      case 'm':
        if (Is(name, "message-id")) first(headers_.message_id);
        break;
      case 'i':
        if (Is(name, "in-reply-to")) first(headers_.in_reply_to);
        break;
      case 'r':
        if (Is(name, "references")) first(headers_.references);
        if (Is(name, "reply-to")) join(headers_.reply_to);
        break;
      default:
        break;
    }
  }

  bool ReadBody(ondemand::value value, Part& part) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return true;
    for (auto member : object) {
      ondemand::field field;
      std::string_view key;
      if (std::move(member).get(field) != simdjson::SUCCESS || field.unescaped_key().get(key) != simdjson::SUCCESS)
        return false;
      if (key == "size") {
        part.size = strings_.ReadUnsigned(field.value()).value_or(0);
      } else if (key == "data") {
        part.data = strings_.Read(field.value()).value_or("");
      } else if (key == "attachmentId") {
        part.attachment_id = strings_.Read(field.value()).value_or("");
      }
    }
    return true;
  }

  void ReadHeaders() {
    message_.subject = mail::DecodeHeaderText(headers_.subject);
    if (mail::TruncateUtf8(message_.subject, kMaxSubjectBytes)) message_.truncated = true;
    Addresses(headers_.from, message_.from);
    Addresses(headers_.to, message_.to);
    Addresses(headers_.cc, message_.cc);
    Addresses(headers_.bcc, message_.bcc);
    Addresses(headers_.reply_to, message_.reply_to);
    message_.sent_at = mail::ParseMailDate(headers_.date);
    message_.rfc822_message_id = mail::StripAngles(headers_.message_id);
    message_.in_reply_to = mail::StripAngles(headers_.in_reply_to);
    std::string_view rest = headers_.references;
    while (message_.references.size() < kMaxReferences) {
      const std::size_t open = rest.find('<');
      const std::size_t close = open == std::string_view::npos ? open : rest.find('>', open);
      if (close == std::string_view::npos) break;
      std::string id = mail::StripAngles(rest.substr(open, close - open + 1));
      if (!id.empty()) message_.references.push_back(std::move(id));
      rest.remove_prefix(close + 1);
    }
  }

  void Addresses(std::string_view header, std::vector<mail::Address>& out) {
    if (header.empty()) return;
    mail::AddressList list = mail::ParseAddressList(header);
    message_.truncated = message_.truncated || list.truncated;
    out = std::move(list.addresses);
  }

  void ReadParts() {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      Part& part = parts_[i];
      const Part* parent = part.parent < 0 ? nullptr : &parts_[static_cast<std::size_t>(part.parent)];
      if (parent != nullptr) {
        part.in_attached_message = parent->in_attached_message || IsMessage(*parent);
      }
      // What an attached message holds belongs to that message.
      if (part.in_attached_message) continue;
      if (part.has_children && !IsMessage(part)) continue;
      if (Is(part.mime_type.substr(0, 10), "multipart/")) continue;
      ReadLeaf(part);
    }
  }

  static bool IsMessage(const Part& part) { return Is(part.mime_type.substr(0, 8), "message/"); }

  void ReadLeaf(const Part& part) {
    const auto type = mail::ParseParameterised(part.content_type);
    const auto disposition = mail::ParseParameterised(part.disposition);
    const std::string mime = mail::AsciiLower(part.mime_type.empty() ? std::string_view(type.value) : part.mime_type);
    std::string name = part.filename.empty() ? std::string() : mail::DecodeHeaderText(part.filename);
    if (name.empty()) name = mail::FindParameter(disposition.parameters, "filename").value_or("");
    if (name.empty()) name = mail::FindParameter(type.parameters, "name").value_or("");
    name = mail::SafeFileName(name);
    const bool is_text = mime == "text/plain" || mime == "text/html" || mime.empty();
    if (is_text && name.empty() && disposition.value != "attachment") {
      ReadText(part, mime == "text/html", mail::FindParameter(type.parameters, "charset").value_or(""));
      return;
    }
    if (name.empty() && part.size == 0 && part.attachment_id.empty() && part.data.empty()) return;
    if (message_.attachments.size() >= kMaxAttachments) {
      message_.truncated = true;
      return;
    }
    Attachment attachment;
    attachment.provider_id = mail::CleanUtf8(std::string(part.attachment_id));
    attachment.part_id = mail::CleanUtf8(std::string(part.part_id));
    attachment.name = std::move(name);
    attachment.mime_type = mail::CleanUtf8(mime.substr(0, 127));
    attachment.content_id = mail::StripAngles(part.content_id);
    attachment.size = static_cast<std::int64_t>(part.size & INT64_MAX);
    attachment.is_inline =
        disposition.value == "inline" || (disposition.value.empty() && !attachment.content_id.empty());
    message_.attachments.push_back(std::move(attachment));
  }

  void ReadText(const Part& part, bool html, std::string charset) {
    if (part.data.empty() && !part.attachment_id.empty()) {
      parsed_.deferred.push_back({.attachment_id = std::string(part.attachment_id),
                                  .charset = std::move(charset),
                                  .size = static_cast<std::int64_t>(part.size & INT64_MAX),
                                  .html = html});
      return;
    }
    // Four characters of base64 are three bytes; what would be cut anyway is not decoded.
    std::string_view data = part.data;
    while (!data.empty() && data.back() == '=') data.remove_suffix(1);
    constexpr std::size_t kMaxEncoded = (kMaxBodyBytes + 3) / 3 * 4;
    if (data.size() > kMaxEncoded) {
      data = data.substr(0, kMaxEncoded);
      message_.truncated = true;
    }
    const auto bytes = Base64UrlDecode(data);
    if (!bytes) {
      message_.truncated = true;
      return;
    }
    AddBodyText(message_, {.attachment_id = {}, .charset = std::move(charset), .size = 0, .html = html}, *bytes);
  }

  JsonStrings strings_;
  ParsedMessage parsed_;
  Message message_;
  Headers headers_;
  std::vector<Part> parts_;
  std::size_t header_count_ = 0;
};

}  // namespace

void AddBodyText(Message& message, const DeferredText& part, std::string_view bytes) {
  if (bytes.size() > kMaxBodyBytes) {
    bytes = bytes.substr(0, kMaxBodyBytes);
    message.truncated = true;
  }
  std::string charset = part.charset;
  if (part.html && charset.empty()) charset = mail::SniffHtmlCharset(bytes);
  std::string text = mail::ToUtf8(bytes, charset);
  std::string& body = part.html ? message.html : message.text;
  if (body.empty()) {
    body = std::move(text);
  } else if (!text.empty()) {
    // Several text parts of one message (a mailing list's footer, for example) are read one after the other.
    if (!body.ends_with('\n')) body += '\n';
    body += text;
  }
  if (mail::TruncateUtf8(body, kMaxBodyBytes)) message.truncated = true;
}

void CompleteMessage(Message& message) {
  if (!message.snippet.empty()) return;
  constexpr std::size_t kPreview = 200;
  std::string text =
      message.text.empty() ? mail::HtmlToText(message.html, 4 * kPreview) : message.text.substr(0, 4 * kPreview);
  std::string preview;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\t';
    if (blank && (preview.empty() || preview.back() == ' ')) continue;
    preview += blank ? ' ' : c;
  }
  mail::TruncateUtf8(preview, kPreview);
  message.snippet = mail::CleanUtf8(std::move(preview));
}

Result<ParsedMessage> ParseGmailMessage(std::string& json) {
  Reader reader;
  return reader.Read(json);
}

Result<PartBody> FindPartBody(std::string& json, std::string_view part_id) {
  Reader reader;
  return reader.FindPart(json, part_id);
}

}  // namespace latchkey::google
