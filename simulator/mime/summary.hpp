#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "simulator/mime/address.hpp"
#include "simulator/mime/message.hpp"

namespace latchkey::simulator::mime {

struct NamedPart {
  std::string name;
  std::string type;
  std::size_t size = 0;  ///< After decoding.
};

/// What a reader of the message sees.
struct Summary {
  std::string subject;
  std::vector<Address> from;
  std::vector<Address> to;
  std::vector<Address> cc;
  std::vector<Address> bcc;
  std::optional<std::int64_t> date;  ///< Seconds since 1970, from the Date field.
  std::string message_id;            ///< With its angle brackets; empty when absent.
  std::string text;                  ///< Of the first text/plain body part, UTF-8.
  std::string html;
  bool has_text = false;  ///< A text/plain body part with more than blanks exists.
  bool has_html = false;
  std::vector<NamedPart> attachments;  ///< Parts with a file name, in the order of the message.
};

Summary Summarise(const Message& message);

/// The addresses of one header field.
std::vector<Address> HeaderAddresses(const Message& message, std::string_view name);

/// True for the parts that are the message's own text: text/*, without a file name, not marked as attachment.
bool IsBodyText(const Part& part);

/// Visits every part in the order of the message, without descending into attached messages.
template <class Visitor>
void VisitParts(const Part& part, const Visitor& visit) {
  visit(part);
  if (part.type == "message/rfc822") return;
  for (const Part& child : part.parts) VisitParts(child, visit);
}

/// The first `limit` or so characters a reader would see, on one line: Gmail's snippet before its HTML escaping.
std::string PreviewText(const Message& message, std::size_t limit = 200);

/// Text of an HTML body: tags, styles and scripts out, the common entities resolved, blanks squeezed. Linear; stops
/// after `limit` bytes of output.
std::string HtmlToText(std::string_view html, std::size_t limit);

}  // namespace latchkey::simulator::mime
