#include "simulator/sent/sent_log.hpp"

#include <openssl/sha.h>
#include <boost/json/array.hpp>

#include "base/encoding.hpp"
#include "simulator/mime/summary.hpp"
#include "simulator/mime/text.hpp"
#include "simulator/mime/transfer.hpp"

namespace latchkey::simulator {
namespace {

namespace json = boost::json;

std::string Hash(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return HexEncode(digest);
}

json::array People(const std::vector<mime::Address>& addresses) {
  json::array out;
  for (const mime::Address& address : addresses) out.push_back({{"name", address.name}, {"email", address.email}});
  return out;
}

}  // namespace

void SentLog::Add(const Account& account, std::string_view id, std::string_view raw,
                  const std::vector<std::string>& recipients, Instant now, bool duplicate) {
  const mime::Message message = mime::Message::Parse(raw);
  const mime::Summary summary = mime::Summarise(message);
  json::object headers;
  for (const mime::HeaderField& field : message.root().header.fields) {
    if (mime::StartsWithNoCase(field.name, "X-")) headers[field.name] = mime::Trim(field.raw);
  }
  json::array attachments;
  mime::VisitParts(message.root(), [&](const mime::Part& part) {
    if (part.filename.empty()) return;
    const std::string bytes = part.Decoded();
    attachments.push_back(
        {{"name", part.filename}, {"type", part.type}, {"size", bytes.size()}, {"hash", Hash(bytes)}});
  });
  Entries& entries = entries_[account.sub];
  ++entries.total;
  ++entries.by_message_id[summary.message_id];
  json::object entry = {{"id", id},
                        {"at", FormatInstant(now)},
                        {"message_id", summary.message_id},
                        {"in_reply_to", mime::Trim(message.root().header.Get("In-Reply-To"))},
                        {"references", mime::Trim(message.root().header.Get("References"))},
                        {"from", People(summary.from)},
                        {"to", People(summary.to)},
                        {"cc", People(summary.cc)},
                        {"bcc", People(summary.bcc)},
                        {"recipients", json::array(recipients.begin(), recipients.end())},
                        {"subject", summary.subject},
                        {"headers", std::move(headers)},
                        {"text", summary.text},
                        {"html", summary.html},
                        {"text_hash", Hash(summary.text)},
                        {"html_hash", Hash(summary.html)},
                        {"size", raw.size()},
                        {"duplicate", duplicate},
                        {"attachments", std::move(attachments)}};
  entries.messages.push_back(std::move(entry));
  if (entries.messages.size() > kMaxEntries) entries.messages.pop_front();
}

json::object SentLog::Describe(const Account& account) const {
  const auto found = entries_.find(account.sub);
  const Entries none;
  const Entries& entries = found == entries_.end() ? none : found->second;
  json::object counts;
  for (const auto& [message_id, count] : entries.by_message_id) counts[message_id] = count;
  json::array messages;
  for (const json::object& message : entries.messages) messages.push_back(message);
  return {{"total", entries.total}, {"by_message_id", std::move(counts)}, {"messages", std::move(messages)}};
}

}  // namespace latchkey::simulator
