#include "simulator/mime/summary.hpp"

#include "simulator/mime/date.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::mime {

bool IsBodyText(const Part& part) {
  return part.type.starts_with("text/") && part.filename.empty() && part.disposition != "attachment";
}

std::vector<Address> HeaderAddresses(const Message& message, std::string_view name) {
  std::vector<Address> all;
  for (const HeaderField& field : message.root().header.fields) {
    if (!EqualsNoCase(field.name, name)) continue;
    for (Address& address : ParseAddresses(DecodeAddressText(field.raw))) {
      if (all.size() < kMaxAddresses) all.push_back(std::move(address));
    }
  }
  return all;
}

Summary Summarise(const Message& message) {
  Summary summary;
  summary.subject = message.Header("Subject");
  summary.from = HeaderAddresses(message, "From");
  summary.to = HeaderAddresses(message, "To");
  summary.cc = HeaderAddresses(message, "Cc");
  summary.bcc = HeaderAddresses(message, "Bcc");
  summary.date = ParseDate(Unfold(message.root().header.Get("Date")));
  summary.message_id = message.Header("Message-ID");
  VisitParts(message.root(), [&](const Part& part) {
    if (!part.filename.empty()) {
      summary.attachments.push_back({.name = part.filename, .type = part.type, .size = part.Decoded().size()});
      return;
    }
    if (!IsBodyText(part)) return;
    const bool html = part.type == "text/html";
    if (!html && part.type != "text/plain") return;
    const std::string text = part.Text();
    if (Trim(text).empty()) return;
    std::string& body = html ? summary.html : summary.text;
    if (body.empty()) body = text;
    (html ? summary.has_html : summary.has_text) = true;
  });
  return summary;
}

}  // namespace latchkey::simulator::mime
