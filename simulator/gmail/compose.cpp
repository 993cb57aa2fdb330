#include "simulator/gmail/compose.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "simulator/gmail/errors.hpp"
#include "simulator/gmail/json_writer.hpp"
#include "simulator/mime/date.hpp"
#include "simulator/mime/summary.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator {
namespace {

using mime::EqualsNoCase;

/// "<CAPvkvP...@mail.gmail.com>"
std::string MakeMessageId(std::uint64_t nonce) {
  std::string bytes(reinterpret_cast<const char*>(&nonce), sizeof nonce);
  for (int i = 0; i < 3; ++i) {
    nonce = nonce * 6364136223846793005ULL + 1442695040888963407ULL;
    bytes.append(reinterpret_cast<const char*>(&nonce), sizeof nonce);
  }
  std::string text;
  AppendBase64Url(text, bytes, false);
  return "<CAPvkvP" + text + "@mail.gmail.com>";
}

/// Writes the header anew: fields in their order, some replaced, some left out, missing ones behind.
std::string Rewrite(std::string_view raw, const Account& sender, Instant now, std::uint64_t nonce, bool keep_bcc,
                    bool received) {
  const mime::HeaderBlock header = mime::ParseHeaderBlock(raw);
  const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  std::string out;
  out.reserve(raw.size() + 400);
  if (received) {
    out += fmt::format("Received: from 123456789012 named unknown by gmailapi.google.com with HTTPREST; {}\r\n",
                       mime::FormatDate(seconds));
  }
  bool has_from = false;
  for (const mime::HeaderField& field : header.fields) {
    if (!keep_bcc && EqualsNoCase(field.name, "Bcc")) continue;
    std::string value(field.raw);
    if (EqualsNoCase(field.name, "From")) {
      if (has_from) continue;
      has_from = true;
      const std::vector<mime::Address> addresses = mime::ParseAddresses(mime::DecodeAddressText(field.raw));
      const bool own = addresses.size() == 1 && sender.MaySendAs(addresses[0].email);
      if (!own) value = sender.email;
    }
    out.append(field.name).append(": ").append(value).append("\r\n");
  }
  if (!has_from) out += "From: " + sender.email + "\r\n";
  if (!header.Has("Date")) out += "Date: " + mime::FormatDate(seconds) + "\r\n";
  if (!header.Has("Message-ID")) out += "Message-Id: " + MakeMessageId(nonce) + "\r\n";
  out += "\r\n";
  out.append(raw.substr(header.body_offset));
  return out;
}

bool LooksLikeAddress(std::string_view email) {
  const std::size_t at = email.rfind('@');
  return at != std::string_view::npos && at > 0 && at + 1 < email.size();
}

}  // namespace

std::expected<OutgoingMessage, Response> PrepareOutgoing(std::string_view raw, const Account& sender, Instant now,
                                                         std::uint64_t nonce) {
  const mime::Message parsed = mime::Message::Parse(raw);
  OutgoingMessage outgoing;
  std::set<std::string> recipients;
  for (const char* name : {"To", "Cc", "Bcc"}) {
    const std::vector<mime::Address> addresses = mime::HeaderAddresses(parsed, name);
    if (addresses.empty() && !mime::Trim(parsed.root().header.Get(name)).empty()) {
      return std::unexpected(InvalidArgument(fmt::format("Invalid {} header", name)));
    }
    for (const mime::Address& address : addresses) {
      if (!LooksLikeAddress(address.email)) {
        return std::unexpected(InvalidArgument(fmt::format("Invalid {} header", name)));
      }
      recipients.insert(mime::Lower(address.email));
    }
  }
  if (recipients.empty()) return std::unexpected(InvalidArgument("Recipient address required"));
  outgoing.recipients.assign(recipients.begin(), recipients.end());
  outgoing.sent = Rewrite(raw, sender, now, nonce, true, true);
  outgoing.delivered = Rewrite(raw, sender, now, nonce, false, true);
  return outgoing;
}

std::string PrepareDraft(std::string_view raw, const Account& owner, Instant now, std::uint64_t nonce) {
  return Rewrite(raw, owner, now, nonce, true, true);
}

}  // namespace latchkey::simulator
