#include "simulator/samples/builder.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <unicode/ucnv.h>

#include "base/encoding.hpp"
#include "simulator/mime/date.hpp"

namespace latchkey::simulator::samples {
namespace {

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string WithCrlf(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 40);
  for (char c : text) {
    if (c == '\n') out.push_back('\r');
    out.push_back(c);
  }
  return out;
}

std::string WrappedBase64(std::string_view bytes) {
  constexpr std::size_t kLine = 76;
  const std::string text = Base64Encode(bytes);
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += kLine) out += text.substr(i, kLine) + "\r\n";
  return out;
}

std::string QuotedPrintable(std::string_view bytes) {
  constexpr std::size_t kLine = 75;
  std::string out;
  std::size_t column = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\r' && i + 1 < bytes.size() && bytes[i + 1] == '\n') {
      out += "\r\n";
      ++i;
      column = 0;
      continue;
    }
    const bool end_of_line = i + 1 == bytes.size() || bytes[i + 1] == '\r';
    const bool plain = (c >= 33 && c <= 126 && c != '=') || ((c == ' ' || c == '\t') && !end_of_line);
    const std::string piece = plain ? std::string(1, c) : fmt::format("={:02X}", static_cast<unsigned char>(c));
    if (column + piece.size() > kLine) {
      out += "=\r\n";
      column = 0;
    }
    out += piece;
    column += piece.size();
  }
  return out;
}

/// RFC 2047, folded between words. Cuts at characters, so that each word can be decoded on its own.
std::string EncodedWords(std::string_view text, const std::string& charset) {
  if (IsAscii(text)) return std::string(text);
  constexpr std::size_t kMaxBytes = 36;
  std::string out;
  while (!text.empty()) {
    std::size_t end = std::min(kMaxBytes, text.size());
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    if (!out.empty()) out += "\r\n ";
    out += fmt::format("=?{}?B?{}?=", charset, Base64Encode(FromUtf8(text.substr(0, end), charset)));
    text.remove_prefix(end);
  }
  return out;
}

std::string Mailbox(const Person& person, const std::string& charset) {
  if (person.name.empty()) return person.email;
  if (!IsAscii(person.name)) return EncodedWords(person.name, charset) + " <" + person.email + ">";
  const bool quotes = person.name.find_first_of("()<>[]:;@\\,.\"") != std::string::npos;
  return quotes ? fmt::format("\"{}\" <{}>", person.name, person.email)
                : fmt::format("{} <{}>", person.name, person.email);
}

std::string MailboxList(const std::vector<Person>& people, const std::string& charset) {
  std::string out;
  for (const Person& person : people) {
    if (!out.empty()) out += ",\r\n ";
    out += Mailbox(person, charset);
  }
  return out;
}

/// A part with its fields: the body under `type`.
std::string TextPart(std::string_view text, std::string_view type, const MailDraft& draft) {
  const std::string bytes = FromUtf8(WithCrlf(text), draft.charset);
  std::string encoding = draft.encoding;
  if (encoding.empty()) {
    // Seven-bit charsets (ISO-2022-JP) and plain English go as they are; Latin scripts stay readable when quoted.
    const auto high = std::ranges::count_if(bytes, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    encoding = high == 0 ? "7bit" : static_cast<std::size_t>(high) * 5 < bytes.size() ? "quoted-printable" : "base64";
  }
  std::string body = bytes;
  if (encoding == "base64") body = WrappedBase64(bytes);
  if (encoding == "quoted-printable") body = QuotedPrintable(bytes);
  if (!body.ends_with("\n")) body += "\r\n";
  return fmt::format("Content-Type: {}; charset={}\r\nContent-Transfer-Encoding: {}\r\n\r\n{}", type, draft.charset,
                     encoding, body);
}

std::string FileParameters(const Attachment& file, const MailDraft& draft, std::string_view name) {
  if (IsAscii(file.name)) return fmt::format("; {}=\"{}\"", name, file.name);
  if (draft.rfc2231_names) {
    // Two segments, to be put together by the reader.
    const std::string encoded = PercentEncode(file.name);
    std::size_t cut = encoded.size() / 2;
    while (cut > 0 && (encoded[cut] != '%')) --cut;
    return fmt::format(";\r\n {0}*0*=utf-8''{1};\r\n {0}*1*={2}", name, encoded.substr(0, cut), encoded.substr(cut));
  }
  return fmt::format(";\r\n {}=\"{}\"", name, EncodedWords(file.name, draft.charset));
}

std::string AttachmentPart(const Attachment& file, const MailDraft& draft) {
  const bool is_inline = !file.content_id.empty();
  std::string out =
      fmt::format("Content-Type: {}{}{}\r\n", file.type, FileParameters(file, draft, "name"), file.extra_parameters);
  out += fmt::format("Content-Disposition: {}{}\r\n", is_inline ? "inline" : "attachment",
                     FileParameters(file, draft, "filename"));
  if (is_inline) out += fmt::format("Content-ID: <{}>\r\n", file.content_id);
  if (file.type == "message/rfc822") return out + "\r\n" + file.bytes;
  return out + "Content-Transfer-Encoding: base64\r\n\r\n" + WrappedBase64(file.bytes);
}

std::string Multipart(std::string_view subtype, const std::string& boundary, const std::vector<std::string>& parts) {
  std::string out = fmt::format("Content-Type: multipart/{}; boundary=\"{}\"\r\n\r\n", subtype, boundary);
  for (const std::string& part : parts) {
    out += "--" + boundary + "\r\n" + part;
    if (!out.ends_with("\n")) out += "\r\n";
  }
  return out + "--" + boundary + "--\r\n";
}

/// The MIME fields and body: alternative inside related inside mixed, as far as each is needed.
std::string Content(const MailDraft& draft) {
  const std::string boundary = fmt::format("=_{:012x}", ToMicros(draft.date));
  std::vector<std::string> inline_parts;
  std::vector<std::string> files;
  for (const Attachment& file : draft.attachments) {
    (file.content_id.empty() ? files : inline_parts).push_back(AttachmentPart(file, draft));
  }
  std::string html = draft.html.empty() ? "" : TextPart(draft.html, "text/html", draft);
  if (!html.empty() && !inline_parts.empty()) {
    inline_parts.insert(inline_parts.begin(), html);
    html = Multipart("related", boundary + "r", inline_parts);
  }
  std::string body = draft.text.empty() ? html : TextPart(draft.text, "text/plain", draft);
  if (!draft.text.empty() && !html.empty()) body = Multipart("alternative", boundary + "a", {body, html});
  if (files.empty()) return body;
  if (!body.empty()) files.insert(files.begin(), body);
  return Multipart("mixed", boundary + "m", files);
}

}  // namespace

std::string FromUtf8(std::string_view text, const std::string& charset) {
  if (charset == "utf-8" || charset == "us-ascii") return std::string(text);
  UErrorCode status = U_ZERO_ERROR;
  std::string out(text.size() * 4 + 64, '\0');
  const std::int32_t size = ucnv_convert(charset.c_str(), "utf-8", out.data(), static_cast<std::int32_t>(out.size()),
                                         text.data(), static_cast<std::int32_t>(text.size()), &status);
  if (U_FAILURE(status)) return std::string(text);
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::string SimpleHtml(std::string_view text, bool right_to_left) {
  std::string out = right_to_left ? "<div dir=\"rtl\">" : "<div dir=\"ltr\">";
  bool quote = false;
  while (!text.empty()) {
    const std::size_t eol = text.find('\n');
    std::string_view line = text.substr(0, eol);
    text = eol == std::string_view::npos ? std::string_view() : text.substr(eol + 1);
    const bool quoted = line.starts_with("> ") || line == ">";
    if (quoted != quote) {
      out += quoted ? "<blockquote style=\"margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex\">"
                    : "</blockquote>";
      quote = quoted;
    }
    if (quoted) line.remove_prefix(std::min<std::size_t>(2, line.size()));
    for (char c : line) {
      if (c == '&') {
        out += "&amp;";
      } else if (c == '<') {
        out += "&lt;";
      } else if (c == '>') {
        out += "&gt;";
      } else {
        out.push_back(c);
      }
    }
    out += "<br>\n";
  }
  if (quote) out += "</blockquote>";
  return out + "</div>\n";
}

std::string BuildMail(const MailDraft& draft) {
  const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(draft.date).time_since_epoch().count();
  std::string out;
  for (const auto& [name, value] : draft.extra_headers) out += fmt::format("{}: {}\r\n", name, value);
  out += "From: " + Mailbox(draft.from, draft.charset) + "\r\n";
  if (!draft.to.empty()) out += "To: " + MailboxList(draft.to, draft.charset) + "\r\n";
  if (!draft.cc.empty()) out += "Cc: " + MailboxList(draft.cc, draft.charset) + "\r\n";
  if (!draft.subject.empty()) out += "Subject: " + EncodedWords(draft.subject, draft.charset) + "\r\n";
  out += "Date: " + mime::FormatDate(seconds) + "\r\n";
  if (!draft.message_id.empty()) out += "Message-ID: " + draft.message_id + "\r\n";
  if (!draft.in_reply_to.empty()) out += "In-Reply-To: " + draft.in_reply_to + "\r\n";
  if (!draft.references.empty()) out += fmt::format("References: {}\r\n", fmt::join(draft.references, "\r\n "));
  out += "MIME-Version: 1.0\r\n";
  const std::string content = Content(draft);
  out += content.empty() ? "Content-Type: text/plain; charset=us-ascii\r\n\r\n" : content;
  return out;
}

}  // namespace latchkey::simulator::samples
