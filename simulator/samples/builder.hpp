#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace latchkey::simulator::samples {

struct Person {
  std::string name;
  std::string email;
};

struct Attachment {
  std::string name;
  std::string type;
  std::string bytes;
  std::string content_id;        ///< Set: an inline image of the HTML part ("cid:...").
  std::string extra_parameters;  ///< Appended to Content-Type, with its semicolon.
};

/// What one sample message consists of; BuildMail writes it as RFC 5322 text.
struct MailDraft {
  Person from;
  std::vector<Person> to;
  std::vector<Person> cc;
  std::string subject;
  std::string message_id;  ///< With angle brackets.
  std::string in_reply_to;
  std::vector<std::string> references;
  Instant date;
  std::vector<std::pair<std::string, std::string>> extra_headers;
  std::string text;  ///< UTF-8, LF; empty: no text part.
  std::string html;
  std::vector<Attachment> attachments;
  std::string charset = "utf-8";  ///< Of text, HTML and encoded words.
  std::string encoding;           ///< "quoted-printable", "base64", "8bit"; empty: what fits.
  bool rfc2231_names = false;     ///< File names as RFC 2231 instead of encoded words.
};

std::string BuildMail(const MailDraft& draft);

/// UTF-8 text in another charset (ICU's name for it).
std::string FromUtf8(std::string_view text, const std::string& charset);

/// Paragraphs of plain text as simple HTML, "dir" set for right-to-left scripts.
std::string SimpleHtml(std::string_view text, bool right_to_left);

}  // namespace latchkey::simulator::samples
