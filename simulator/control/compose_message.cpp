#include "simulator/control/compose_message.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "simulator/json_fields.hpp"

namespace latchkey::simulator {
namespace {

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// RFC 2047 encoded words of at most 75 characters, cut between UTF-8 characters.
std::string EncodeWords(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t size = std::min<std::size_t>(text.size(), 42);
    while (size > 1 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + Base64Encode(text.substr(0, size)) + "?=";
    text.remove_prefix(size);
  }
  return out;
}

std::string OneLine(std::string_view text) {
  std::string line(text);
  std::ranges::replace(line, '\r', ' ');
  std::ranges::replace(line, '\n', ' ');
  return line;
}

std::string EncodeText(std::string_view text) { return IsAscii(text) ? OneLine(text) : EncodeWords(OneLine(text)); }

/// "Ада <ada@example.com>, b@example.org": only the names are encoded. Commas inside quoted names stay together.
std::string EncodeAddresses(std::string_view list) {
  if (IsAscii(list)) return OneLine(list);
  std::string out;
  while (!list.empty()) {
    std::size_t end = 0;
    for (bool quoted = false; end < list.size() && (quoted || list[end] != ','); ++end) {
      if (list[end] == '"') quoted = !quoted;
    }
    std::string_view one = list.substr(0, end);
    list.remove_prefix(std::min(list.size(), end + 1));
    while (one.starts_with(' ')) one.remove_prefix(1);
    const std::size_t angle = one.rfind('<');
    if (!out.empty()) out += ",\r\n ";
    if (angle == std::string_view::npos) {
      out += one;
      continue;
    }
    std::string_view name = one.substr(0, angle);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (name.size() > 1 && name.starts_with('"') && name.ends_with('"')) name = name.substr(1, name.size() - 2);
    out += EncodeText(name) + " " + std::string(one.substr(angle));
  }
  return out;
}

std::string Base64Lines(std::string_view bytes) {
  const std::string encoded = Base64Encode(bytes);
  std::string out;
  for (std::size_t at = 0; at < encoded.size(); at += 76) out += encoded.substr(at, 76) + "\r\n";
  return out;
}

std::string TextPart(std::string_view subtype, std::string_view text) {
  return fmt::format("Content-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", subtype,
                     Base64Lines(text));
}

std::string Multipart(std::string_view subtype, const std::vector<std::string>& parts) {
  const std::string boundary = "=_" + RandomToken(18);
  std::string out = fmt::format("Content-Type: multipart/{}; boundary=\"{}\"\r\n\r\n", subtype, boundary);
  for (const std::string& part : parts) out += fmt::format("--{}\r\n{}\r\n", boundary, part);
  return out + "--" + boundary + "--\r\n";
}

std::string AttachmentPart(const boost::json::value& value, JsonFields& outer) {
  if (!value.is_object()) {
    outer.Complain("\"attachments\" must be a list of objects");
    return {};
  }
  JsonFields fields(value.as_object());
  const std::string name = fields.Text("filename").value_or("");
  const std::string type = fields.Text("mime_type").value_or("application/octet-stream");
  const auto text = fields.Text("text");
  const auto base64 = fields.Text("base64");
  std::optional<std::string> bytes = text;
  if (base64) bytes = Base64Decode(*base64);
  if (auto complaint = fields.Finish()) outer.Complain("attachment: " + *complaint);
  if (name.empty() || !bytes || text.has_value() == base64.has_value()) {
    outer.Complain("an attachment needs \"filename\" and either \"text\" or valid \"base64\"");
    return {};
  }
  // RFC 2231 where the name needs it, else a plain quoted string.
  const bool plain = IsAscii(name) && !name.contains('"') && !name.contains('\\');
  const std::string parameter =
      plain ? fmt::format("filename=\"{}\"", OneLine(name)) : fmt::format("filename*=UTF-8''{}", PercentEncode(name));
  return fmt::format(
      "Content-Type: {}\r\nContent-Disposition: attachment; {}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
      OneLine(type), parameter, Base64Lines(*bytes));
}

/// "Fri, 20 Nov 2026 12:31:05 +0000".
std::string MailDate(Instant instant) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(instant);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(seconds - day);
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} +0000", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
                     time.seconds().count());
}

std::string ComposeParts(JsonFields& fields, Instant date) {
  const auto from = fields.Text("from");
  const auto to = fields.Text("to");
  if (!from || !to) fields.Complain("give \"eml\", \"raw\", or the parts with at least \"from\" and \"to\"");
  std::string head =
      fmt::format("From: {}\r\nTo: {}\r\n", EncodeAddresses(from.value_or("")), EncodeAddresses(to.value_or("")));
  if (const auto cc = fields.Text("cc")) head += fmt::format("Cc: {}\r\n", EncodeAddresses(*cc));
  head += fmt::format("Subject: {}\r\n", EncodeText(fields.Text("subject").value_or("")));
  head += fmt::format("Date: {}\r\n", MailDate(date));
  const std::string id = fields.Text("message_id").value_or(fmt::format("<{}@simulator.example>", RandomToken(12)));
  head += fmt::format("Message-ID: {}\r\n", OneLine(id));
  if (const auto parent = fields.Text("in_reply_to")) {
    head += fmt::format("In-Reply-To: {0}\r\nReferences: {0}\r\n", OneLine(*parent));
  }
  if (const boost::json::object* headers = fields.Object("headers")) {
    for (const auto& member : *headers) {
      const auto* text = member.value().if_string();
      if (!text) fields.Complain("\"headers\" must map names to strings");
      if (text) head += fmt::format("{}: {}\r\n", OneLine(std::string_view(member.key())), EncodeText(*text));
    }
  }
  head += "MIME-Version: 1.0\r\n";

  const auto text = fields.Text("text");
  const auto html = fields.Text("html");
  std::string body = text && html ? Multipart("alternative", {TextPart("plain", *text), TextPart("html", *html)})
                     : html       ? TextPart("html", *html)
                                  : TextPart("plain", text.value_or(""));
  if (const boost::json::array* attachments = fields.Array("attachments")) {
    std::vector<std::string> parts = {std::move(body)};
    for (const boost::json::value& attachment : *attachments) parts.push_back(AttachmentPart(attachment, fields));
    body = Multipart("mixed", parts);
  }
  return head + body;
}

}  // namespace

std::expected<IncomingMessage, std::string> ComposeMessage(const boost::json::object& description, Instant now) {
  JsonFields fields(description);
  IncomingMessage message;
  message.label_ids = fields.Texts("label_ids").value_or(std::vector<std::string>());
  message.folder = fields.Text("folder").value_or("");
  message.thread_id = fields.Text("thread_id").value_or("");
  if (const auto date = fields.Text("date")) {
    message.internal_date = ParseInstant(*date);
    if (!message.internal_date) fields.Complain("\"date\" must be like 2026-11-20T12:00:00Z");
  }
  const auto eml = fields.Text("eml");
  const auto raw = fields.Text("raw");
  if (eml) {
    message.raw = *eml;
  } else if (raw) {
    const auto bytes = Base64UrlDecode(*raw);
    if (!bytes) fields.Complain("\"raw\" must be base64url");
    message.raw = bytes.value_or("");
  } else {
    message.raw = ComposeParts(fields, message.internal_date.value_or(now));
  }
  if (auto complaint = fields.Finish()) return std::unexpected(std::move(*complaint));
  return message;
}

}  // namespace latchkey::simulator
