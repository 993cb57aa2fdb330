#include "simulator/gmail/render.hpp"

#include <array>
#include <cstring>

#include "base/encoding.hpp"
#include "simulator/mailbox/threading.hpp"
#include "simulator/mime/charset.hpp"
#include "simulator/mime/summary.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator {
namespace {

/// Larger unnamed parts come as attachmentId.
constexpr std::size_t kInlineLimit = 1024 * 1024;

// --- Attachment ids
// --------------------------------------------------------------------------------------------------- Opaque, long and
// different at each read, as Gmail's: nonce, part number and a check value bound to the message, spread over 192 bytes.
// The client that stores one and uses it later still gets its bytes.

std::uint64_t Mix(std::uint64_t a, std::uint64_t b) {
  std::array<char, 16> bytes;
  std::memcpy(bytes.data(), &a, 8);
  std::memcpy(bytes.data() + 8, &b, 8);
  return HashText({bytes.data(), bytes.size()});
}

constexpr std::string_view kAttachmentPrefix = "ANGjdJ";
constexpr std::size_t kAttachmentWords = 24;

std::string MakeAttachmentId(std::uint64_t message_id, std::size_t part, std::uint64_t nonce) {
  std::array<std::uint64_t, kAttachmentWords> words;
  words[0] = nonce;
  words[1] = part ^ Mix(nonce, message_id);
  words[2] = Mix(words[1], message_id);
  for (std::size_t i = 3; i < words.size(); ++i) words[i] = Mix(words[i - 1], nonce);
  std::string out(kAttachmentPrefix);
  AppendBase64Url(out, {reinterpret_cast<const char*>(words.data()), sizeof words}, false);
  return out;
}

std::optional<std::size_t> ParseAttachmentId(std::string_view id, std::uint64_t message_id) {
  if (!id.starts_with(kAttachmentPrefix)) return std::nullopt;
  const std::optional<std::string> bytes = Base64UrlDecode(id.substr(kAttachmentPrefix.size()));
  std::array<std::uint64_t, kAttachmentWords> words;
  if (!bytes || bytes->size() != sizeof words) return std::nullopt;
  std::memcpy(words.data(), bytes->data(), sizeof words);
  if (words[2] != Mix(words[1], message_id)) return std::nullopt;
  return static_cast<std::size_t>(words[1] ^ Mix(words[0], message_id));
}

// --- Headers
// ----------------------------------------------------------------------------------------------------------

bool IsAddressHeader(std::string_view name) {
  for (const std::string_view known : {"From", "To", "Cc", "Bcc", "Reply-To", "Sender"}) {
    if (mime::EqualsNoCase(name, known)) return true;
  }
  return false;
}

void RenderHeaders(JsonWriter& json, const mime::Part& part, const std::vector<std::string_view>& wanted) {
  if (part.header.fields.empty()) return;  // Google leaves empty lists out.
  json.Key("headers").BeginArray();
  for (const mime::HeaderField& field : part.header.fields) {
    if (!wanted.empty()) {
      bool found = false;
      for (const std::string_view name : wanted) found = found || mime::EqualsNoCase(name, field.name);
      if (!found) continue;
    }
    json.BeginObject().Key("name").String(field.name).Key("value");
    const bool plain = field.raw.find('\n') == std::string_view::npos &&
                       field.raw.find("=?") == std::string_view::npos && mime::IsValidUtf8(field.raw);
    if (plain) {
      json.String(field.raw);
    } else {
      json.String(IsAddressHeader(field.name) ? mime::DecodeAddressText(field.raw) : mime::DecodeText(field.raw));
    }
    json.EndObject();
  }
  json.EndArray();
}

// --- Parts
// ------------------------------------------------------------------------------------------------------------

class PayloadRenderer {
 public:
  PayloadRenderer(JsonWriter& json, std::uint64_t message_id, std::uint64_t nonce)
      : json_(json), message_id_(message_id), nonce_(nonce) {}

  void Render(const mime::Part& part, const std::string& part_id) {
    const std::size_t number = next_part_++;
    json_.BeginObject().Key("partId").String(part_id).Key("mimeType").String(part.type);
    json_.Key("filename").String(part.filename);
    RenderHeaders(json_, part, {});
    json_.Key("body");
    RenderBody(part, number);
    if (!part.parts.empty()) {
      json_.Key("parts").BeginArray();
      for (std::size_t i = 0; i < part.parts.size(); ++i) {
        Render(part.parts[i], part_id.empty() ? std::to_string(i) : part_id + "." + std::to_string(i));
      }
      json_.EndArray();
    }
    json_.EndObject();
  }

 private:
  void RenderBody(const mime::Part& part, std::size_t number) {
    if (part.type.starts_with("multipart/")) {
      json_.BeginObject().Key("size").Number(0).EndObject();
      return;
    }
    std::string_view bytes = part.body;
    if (part.encoding != mime::TransferEncoding::kIdentity) {
      decoded_ = part.Decoded();
      bytes = decoded_;
    }
    const bool text = part.type.starts_with("text/") || part.type.starts_with("message/");
    const bool attachment =
        !part.filename.empty() || bytes.size() > kInlineLimit || !text || part.type == "message/rfc822";
    json_.BeginObject();
    if (attachment) json_.Key("attachmentId").String(MakeAttachmentId(message_id_, number, nonce_));
    json_.Key("size").Number(static_cast<std::int64_t>(bytes.size()));
    // Padding comes and goes in recordings; a message always looks the same.
    if (!attachment && !bytes.empty()) json_.Key("data").Base64Url(bytes, message_id_ % 2 == 0);
    json_.EndObject();
  }

  JsonWriter& json_;
  std::uint64_t message_id_;
  std::uint64_t nonce_;
  std::size_t next_part_ = 0;
  std::string decoded_;
};

const mime::Part* FindPart(const mime::Part& part, std::size_t& left) {
  if (left-- == 0) return &part;
  for (const mime::Part& child : part.parts) {
    if (const mime::Part* found = FindPart(child, left)) return found;
  }
  return nullptr;
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  for (char c : text) {
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
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

void RenderLabels(JsonWriter& json, const Mailbox& mailbox, const StoredMessage& message) {
  const LabelSet& labels = mailbox.labels().Set(message.labels);
  if (labels.empty()) return;  // Google leaves empty lists out.
  json.Key("labelIds").BeginArray();
  for (const LabelIndex label : labels) json.String(mailbox.labels().at(label).id);
  json.EndArray();
}

}  // namespace

std::optional<MessageFormat> ParseFormat(std::string_view text) {
  const std::string name = mime::Lower(text);
  if (name.empty() || name == "full") return MessageFormat::kFull;
  if (name == "metadata") return MessageFormat::kMetadata;
  if (name == "minimal") return MessageFormat::kMinimal;
  if (name == "raw") return MessageFormat::kRaw;
  return std::nullopt;
}

void RenderMessageIds(JsonWriter& json, const Mailbox& mailbox, const StoredMessage& message) {
  json.BeginObject().Key("id").String(FormatId(message.id));
  json.Key("threadId").String(FormatId(mailbox.ThreadId(message)));
  RenderLabels(json, mailbox, message);
  json.EndObject();
}

void RenderMessage(JsonWriter& json, const Mailbox& mailbox, const StoredMessage& message,
                   const RenderOptions& options) {
  const std::string raw = mailbox.Raw(message);
  const mime::Message parsed = mime::Message::Parse(raw);
  json.BeginObject().Key("id").String(FormatId(message.id));
  json.Key("threadId").String(FormatId(mailbox.ThreadId(message)));
  RenderLabels(json, mailbox, message);
  json.Key("snippet").String(EscapeHtml(mime::PreviewText(parsed)));
  switch (options.format) {
    case MessageFormat::kMinimal:
      if (options.payload_in_minimal) json.Key("payload").BeginObject().Key("partId").String("").EndObject();
      break;
    case MessageFormat::kMetadata:
      json.Key("payload").BeginObject().Key("mimeType").String(parsed.root().type);
      RenderHeaders(json, parsed.root(), options.metadata_headers);
      json.EndObject();
      break;
    case MessageFormat::kFull:
      json.Key("payload");
      PayloadRenderer(json, message.id, options.nonce).Render(parsed.root(), "");
      break;
    case MessageFormat::kRaw:
      break;
  }
  json.Key("sizeEstimate").Number(message.size);
  if (options.format == MessageFormat::kRaw) json.Key("raw").Base64Url(raw, message.id % 2 == 0);
  json.Key("historyId").QuotedNumber(message.history_id);
  json.Key("internalDate").QuotedNumber(message.internal_date);
  json.EndObject();
}

std::optional<std::string> ReadAttachment(const Mailbox& mailbox, const StoredMessage& message,
                                          std::string_view attachment_id) {
  std::optional<std::size_t> number = ParseAttachmentId(attachment_id, message.id);
  if (!number) return std::nullopt;
  const std::string raw = mailbox.Raw(message);
  const mime::Message parsed = mime::Message::Parse(raw);
  const mime::Part* part = FindPart(parsed.root(), *number);
  if (part == nullptr) return std::nullopt;
  return part->Decoded();
}

std::string Snippet(std::string_view raw) { return EscapeHtml(mime::PreviewText(mime::Message::Parse(raw))); }

}  // namespace latchkey::simulator
