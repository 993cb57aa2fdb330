#include "simulator/mailbox/describe_content.hpp"

#include <openssl/sha.h>
#include <boost/json/array.hpp>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "simulator/mime/message.hpp"
#include "simulator/mime/summary.hpp"

namespace latchkey::simulator {
namespace {

namespace json = boost::json;

std::string Sha256Hex(std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return HexEncode(digest);
}

json::array DescribeAddresses(const std::vector<mime::Address>& addresses) {
  json::array out;
  for (const mime::Address& address : addresses) {
    out.push_back(json::object{{"name", address.name}, {"email", address.email}});
  }
  return out;
}

}  // namespace

void DescribeContent(std::string_view raw, bool with_text, json::object& out) {
  const mime::Message parsed = mime::Message::Parse(raw);
  const mime::Summary summary = mime::Summarise(parsed);
  out["subject"] = summary.subject;
  out["from"] = DescribeAddresses(summary.from);
  out["to"] = DescribeAddresses(summary.to);
  out["cc"] = DescribeAddresses(summary.cc);
  out["bcc"] = DescribeAddresses(summary.bcc);
  out["messageId"] = summary.message_id;
  if (summary.date) {
    out["date"] = FormatInstant(Instant(std::chrono::seconds(*summary.date)));
  } else {
    out["date"] = nullptr;
  }
  out["hasText"] = summary.has_text;
  out["hasHtml"] = summary.has_html;
  out["textHash"] = Sha256Hex(summary.text);
  out["htmlHash"] = Sha256Hex(summary.html);
  if (with_text) {
    out["text"] = summary.text;
    out["html"] = summary.html;
  }
  json::array attachments;
  for (const mime::NamedPart& part : summary.attachments) {
    attachments.push_back(
        json::object{{"filename", part.name}, {"mimeType", part.type}, {"size", static_cast<std::int64_t>(part.size)}});
  }
  out["attachments"] = std::move(attachments);
}

}  // namespace latchkey::simulator
