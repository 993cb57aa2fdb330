#include "mail/compose.hpp"

#include <gmime/gmime.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>

#include "base/encoding.hpp"

namespace latchkey::mail {
namespace {

struct Unref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

struct FreeOptions {
  void operator()(GMimeFormatOptions* options) const { g_mime_format_options_free(options); }
};

void InitLibrary() {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
}

bool IsClean(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool IsClean(const std::vector<Address>& people) {
  return std::ranges::all_of(people, [](const Address& one) { return IsClean(one.name) && IsClean(one.address); });
}

/// "type/subtype" with nothing else in it.
bool IsType(std::string_view type) {
  const auto token = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$&-^_.+").find(c) != std::string_view::npos;
  };
  const std::size_t slash = type.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == type.size()) return false;
  return std::ranges::all_of(type.substr(0, slash), token) && std::ranges::all_of(type.substr(slash + 1), token);
}

void AddPeople(GMimeMessage* message, GMimeAddressType type, const std::vector<Address>& people) {
  InternetAddressList* list = g_mime_message_get_addresses(message, type);
  for (const Address& person : people) {
    const Owned<InternetAddress> address(
        internet_address_mailbox_new(person.name.empty() ? nullptr : person.name.c_str(), person.address.c_str()));
    internet_address_set_charset(address.get(), "utf-8");
    internet_address_list_add(list, address.get());
  }
}

Owned<GMimeObject> TextPart(const char* subtype, std::string_view text) {
  // Bare line feeds inside: the writer makes CRLF of them.
  std::string lines;
  lines.reserve(text.size() + 1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool before_feed = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (!before_feed) lines += text[i] == '\r' ? '\n' : text[i];
  }
  if (lines.empty() || lines.back() != '\n') lines += '\n';
  GMimeTextPart* part = g_mime_text_part_new_with_subtype(subtype);
  g_mime_text_part_set_charset(part, "utf-8");
  const Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(lines.data(), lines.size()));
  const Owned<GMimeDataWrapper> content(
      g_mime_data_wrapper_new_with_stream(stream.get(), GMIME_CONTENT_ENCODING_DEFAULT));
  g_mime_part_set_content(GMIME_PART(part), content.get());
  g_mime_part_set_content_encoding(GMIME_PART(part), GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
  return Owned<GMimeObject>(GMIME_OBJECT(part));
}

Owned<GMimeObject> FilePart(const OutgoingAttachment& file, const std::string& bytes) {
  // What a stranger's program must not take for a message or a multipart of ours travels as plain bytes.
  const bool plain =
      !IsType(file.mime_type) || file.mime_type.starts_with("multipart/") || file.mime_type.starts_with("message/");
  const std::string type = plain ? "application/octet-stream" : file.mime_type;
  const std::size_t slash = type.find('/');
  GMimePart* part = g_mime_part_new_with_type(type.substr(0, slash).c_str(), type.substr(slash + 1).c_str());
  GMimeObject* object = GMIME_OBJECT(part);
  g_mime_object_set_disposition(object, file.is_inline ? "inline" : "attachment");
  g_mime_part_set_filename(part, file.name.c_str());
  if (!file.content_id.empty()) g_mime_object_set_content_id(object, file.content_id.c_str());
  const Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
  const Owned<GMimeDataWrapper> content(
      g_mime_data_wrapper_new_with_stream(stream.get(), GMIME_CONTENT_ENCODING_DEFAULT));
  g_mime_part_set_content(part, content.get());
  g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_BASE64);
  return Owned<GMimeObject>(object);
}

Owned<GMimeObject> Wrap(const char* subtype, std::vector<Owned<GMimeObject>> parts) {
  GMimeMultipart* multipart = g_mime_multipart_new_with_subtype(subtype);
  for (auto& part : parts) g_mime_multipart_add(multipart, part.get());
  return Owned<GMimeObject>(GMIME_OBJECT(multipart));
}

Owned<GMimeObject> Body(const OutgoingMail& mail, const std::vector<std::string>& contents) {
  std::vector<Owned<GMimeObject>> related, attached;
  for (std::size_t i = 0; i < mail.attachments.size(); ++i) {
    const bool shown = mail.attachments[i].is_inline && !mail.html.empty();
    (shown ? related : attached).push_back(FilePart(mail.attachments[i], contents[i]));
  }
  Owned<GMimeObject> body = TextPart("plain", mail.text);
  if (!mail.html.empty()) {
    Owned<GMimeObject> html = TextPart("html", mail.html);
    if (!related.empty()) {
      related.insert(related.begin(), std::move(html));
      html = Wrap("related", std::move(related));
    }
    std::vector<Owned<GMimeObject>> both;
    both.push_back(std::move(body));
    both.push_back(std::move(html));
    body = Wrap("alternative", std::move(both));
  }
  if (attached.empty()) return body;
  attached.insert(attached.begin(), std::move(body));
  return Wrap("mixed", std::move(attached));
}

/// RFC 2047, whole characters to a word. GMime's own encoder puts a blank between a word and a text that looks like the
/// beginning of one.
std::string EncodedText(const std::string& text) {
  const bool plain = std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (plain && text.find("=?") == std::string::npos) return text;
  constexpr std::size_t kMaxWord = 42;  // 75 characters to a word at most, with "=?UTF-8?B?" and "?=".
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(at + kMaxWord, text.size());
    while (end < text.size() && end > at + 1 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    if (!out.empty()) out += ' ';
    out.append("=?UTF-8?B?").append(Base64Encode(std::string_view(text).substr(at, end - at))).append("?=");
    at = end;
  }
  return out;
}

std::string Angled(std::string_view id) { return "<" + std::string(id) + ">"; }

}  // namespace

Result<std::string> ComposeMail(const OutgoingMail& mail, const OutboxId& id, Instant date,
                                const std::vector<std::string>& contents) {
  if (contents.size() != mail.attachments.size()) return Fail(ErrorCode::kInternal, "attachments without content");
  bool clean = IsClean({mail.from}) && IsClean(mail.to) && IsClean(mail.cc) && IsClean(mail.bcc) &&
               IsClean(mail.subject) && IsClean(mail.message_id) && IsClean(mail.in_reply_to);
  for (const auto& reference : mail.references) clean = clean && IsClean(reference);
  for (const auto& file : mail.attachments) clean = clean && IsClean(file.name) && IsClean(file.content_id);
  if (!clean) return Fail(ErrorCode::kInvalidArgument, "a header value with control characters");
  InitLibrary();

  const Owned<GMimeMessage> message(g_mime_message_new(TRUE));
  AddPeople(message.get(), GMIME_ADDRESS_TYPE_FROM, {mail.from});
  AddPeople(message.get(), GMIME_ADDRESS_TYPE_TO, mail.to);
  AddPeople(message.get(), GMIME_ADDRESS_TYPE_CC, mail.cc);
  AddPeople(message.get(), GMIME_ADDRESS_TYPE_BCC, mail.bcc);
  g_mime_object_set_header(GMIME_OBJECT(message.get()), "Subject", EncodedText(mail.subject).c_str(), nullptr);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(date.time_since_epoch()).count();
  if (GDateTime* when = g_date_time_new_from_unix_utc(seconds)) {
    g_mime_message_set_date(message.get(), when);
    g_date_time_unref(when);
  }
  g_mime_message_set_message_id(message.get(), mail.message_id.c_str());
  GMimeObject* const object = GMIME_OBJECT(message.get());
  if (!mail.in_reply_to.empty()) {
    g_mime_object_set_header(object, "In-Reply-To", Angled(mail.in_reply_to).c_str(), nullptr);
  }
  if (!mail.references.empty()) {
    std::string references;
    for (const auto& reference : mail.references) {
      references.append(references.empty() ? "" : " ").append(Angled(reference));
    }
    g_mime_object_set_header(object, "References", references.c_str(), nullptr);
  }
  g_mime_object_set_header(object, std::string(kOutboxHeader).c_str(), id.text().c_str(), nullptr);
  const Owned<GMimeObject> body = Body(mail, contents);
  g_mime_message_set_mime_part(message.get(), body.get());

  const std::unique_ptr<GMimeFormatOptions, FreeOptions> options(g_mime_format_options_new());
  g_mime_format_options_set_newline_format(options.get(), GMIME_NEWLINE_FORMAT_DOS);
  const Owned<GMimeStream> out(g_mime_stream_mem_new());
  if (g_mime_object_write_to_stream(object, options.get(), out.get()) < 0) {
    return Fail(ErrorCode::kInternal, "the mail could not be written");
  }
  const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out.get()));
  return std::string(reinterpret_cast<const char*>(bytes->data), bytes->len);
}

}  // namespace latchkey::mail
