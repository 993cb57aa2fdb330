#include "providers/google/gmail_sender.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/encoding.hpp"
#include "base/json_writer.hpp"
#include "base/random.hpp"
#include "mail/charset.hpp"
#include "mail/compose.hpp"
#include "mail/header_text.hpp"

namespace latchkey::google {
namespace {

using mail::SendOutcome;
using Element = simdjson::dom::element;

/// Units per call, as of May 2026 (Gmail API, "Usage limits").
constexpr std::int64_t kSendUnits = 100, kSettingsUnits = 1, kListUnits = 5, kGetUnits = 20;
/// Sent mails looked at for one of ours, newest first: what can have been sent beside it meanwhile.
constexpr int kMostLooked = 60;
/// Clocks differ, and Gmail dates a mail by its own.
constexpr std::chrono::minutes kSkew{10};
constexpr std::chrono::minutes kSendTimeout{3};

std::string Text(simdjson::simdjson_result<Element> element) {
  std::string_view text;
  return element.get_string().get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

struct SentCopy {
  std::string id, thread_id;
  std::optional<Instant> date;
  bool ours = false;
};

Result<std::vector<std::string>> ParseIds(const std::string& json) {
  simdjson::dom::parser parser;
  Element document;
  std::vector<std::string> ids;
  if (parser.parse(json).get(document) != simdjson::SUCCESS) return Fail(ErrorCode::kMalformedReply, "gmail list");
  simdjson::dom::array messages;
  if (document["messages"].get(messages) != simdjson::SUCCESS) return ids;
  for (const Element message : messages) ids.push_back(Text(message["id"]));
  return ids;
}

Result<SentCopy> ParseCopy(const std::string& json, const mail::OutboxEntry& entry) {
  simdjson::dom::parser parser;
  Element document;
  if (parser.parse(json).get(document) != simdjson::SUCCESS) return Fail(ErrorCode::kMalformedReply, "gmail message");
  SentCopy copy{.id = Text(document["id"]), .thread_id = Text(document["threadId"]), .date = {}};
  const std::string date = Text(document["internalDate"]);
  std::int64_t millis = 0;
  if (std::from_chars(date.data(), date.data() + date.size(), millis).ec == std::errc() && !date.empty()) {
    copy.date = FromMicros(millis * 1000);
  }
  simdjson::dom::array headers;
  if (document["payload"]["headers"].get(headers) != simdjson::SUCCESS) return copy;
  for (const Element header : headers) {
    const std::string name = Text(header["name"]), value = Text(header["value"]);
    if (mail::AsciiEqualsIgnoreCase(name, mail::kOutboxHeader) && mail::TrimAscii(value) == entry.id.text()) {
      copy.ours = true;
    }
    if (mail::AsciiEqualsIgnoreCase(name, "Message-ID") && mail::StripAngles(value) == entry.mail.message_id) {
      copy.ours = true;
    }
  }
  return copy;
}

Result<std::vector<mail::SendAddress>> ParseAddresses(const std::string& json) {
  simdjson::dom::parser parser;
  Element document;
  if (parser.parse(json).get(document) != simdjson::SUCCESS) return Fail(ErrorCode::kMalformedReply, "gmail sendAs");
  std::vector<mail::SendAddress> addresses;
  simdjson::dom::array list;
  if (document["sendAs"].get(list) != simdjson::SUCCESS) return addresses;
  for (const Element entry : list) {
    bool primary = false, chosen = false;
    (void)entry["isPrimary"].get(primary);
    (void)entry["isDefault"].get(chosen);
    // Only what its owner has confirmed; the primary address needs no confirmation and has no status.
    if (!primary && Text(entry["verificationStatus"]) != "accepted") continue;
    mail::SendAddress address{.address = Text(entry["sendAsEmail"]),
                              .name = mail::DecodeHeaderText(Text(entry["displayName"])),
                              .is_default = chosen};
    if (!address.address.empty()) addresses.push_back(std::move(address));
  }
  return addresses;
}

/// What the provider said itself means that it did not send. Everything else may have been the answer alone that was
/// lost.
bool IsRefusal(ErrorCode code) {
  switch (OwnerOf(code)) {
    case FaultOwner::kCaller:
    case FaultOwner::kAccount:
    case FaultOwner::kOperator:
      return true;
    default:
      return code == ErrorCode::kRateLimited || code == ErrorCode::kQuotaExceeded || code == ErrorCode::kGone;
  }
}

class GmailSender final : public mail::MailSender {
 public:
  GmailSender(const GoogleParts& parts, Semaphore& compositions, ConnectedAccountId account)
      : client_(parts, std::move(account)), compositions_(compositions) {}

  mail::SendLimits Limits() const override { return {.attachment_bytes = 25 << 20, .recipients = 500}; }

  Task<Result<std::vector<mail::SendAddress>>> ListAddresses() override {
    const GoogleRequest request{.call = GoogleCall::kSendAs, .path = "settings/sendAs", .units = kSettingsUnits};
    auto body = co_await client_.Get(request);
    if (!body) co_return Fail(std::move(body.error()));
    co_return ParseAddresses(*body);
  }

  Task<SendOutcome> Send(const mail::OutboxEntry& entry, mail::SendJournal& journal) override {
    const auto permit = co_await compositions_.Acquire();
    auto composed = co_await Compose(entry, journal);
    if (!composed) co_return SendOutcome::NotSent(std::move(composed.error()));
    bool may_have_left = false;
    GoogleRequest request{.method = "POST",
                          .api = GoogleApi::kGmailUpload,
                          .call = GoogleCall::kSend,
                          .path = "messages/send?uploadType=multipart&fields=id,threadId,labelIds",
                          .units = kSendUnits,
                          .timeout = kSendTimeout,
                          .once = true,
                          .may_have_left = &may_have_left};
    Wrap(request, entry, *composed);
    composed->clear();
    composed->shrink_to_fit();
    auto handed_over = co_await journal.HandOver();
    if (!handed_over) co_return SendOutcome::NotSent(std::move(handed_over.error()));
    auto answer = co_await client_.Send(request);
    if (answer) {
      simdjson::dom::parser parser;
      Element document;
      if (parser.parse(answer->body).get(document) == simdjson::SUCCESS) {
        std::string id = Text(document["id"]);
        if (!id.empty()) co_return SendOutcome::Sent(std::move(id), Text(document["threadId"]));
      }
      // Taken, but under which id? The list knows.
      co_return SendOutcome::Undecided({.code = ErrorCode::kMalformedReply, .detail = "gmail send", .retry_after = {}});
    }
    if (!may_have_left || IsRefusal(answer.error().code)) co_return SendOutcome::NotSent(std::move(answer.error()));
    co_return SendOutcome::Undecided(std::move(answer.error()));
  }

  Task<SendOutcome> Reconcile(const mail::OutboxEntry& entry) override {
    auto found = co_await Find(entry, "labelIds=SENT&maxResults=" + std::to_string(kMostLooked));
    if (!found) co_return SendOutcome::Undecided(std::move(found.error()));
    if (!*found) {
      // Filtered away or moved by the person meanwhile. This index lags, so its silence says nothing.
      const std::string query = "rfc822msgid:" + entry.mail.message_id;
      found = co_await Find(entry, "includeSpamTrash=true&maxResults=5&q=" + PercentEncode(query));
      if (!found) co_return SendOutcome::Undecided(std::move(found.error()));
    }
    if (*found) co_return SendOutcome::Sent((*found)->id, (*found)->thread_id);
    co_return SendOutcome::Undecided({.code = ErrorCode::kSendUnconfirmed, .detail = "not listed", .retry_after = {}});
  }

  Task<Result<void>> CleanUp(const mail::OutboxEntry&) override { co_return Result<void>(); }

 private:
  Task<Result<std::string>> Compose(const mail::OutboxEntry& entry, mail::SendJournal& journal) {
    std::vector<std::string> contents;
    for (const auto& attachment : entry.mail.attachments) {
      std::string bytes;
      bytes.reserve(static_cast<std::size_t>(attachment.size));
      const std::function<Task<bool>(std::string_view)> sink = [&bytes](std::string_view piece) -> Task<bool> {
        bytes.append(piece);
        co_return true;
      };
      auto read = co_await journal.ReadAttachment(attachment, sink);
      if (!read) co_return Fail(std::move(read.error()));
      contents.push_back(std::move(bytes));
    }
    const Instant now = client_.parts().clock.Now();
    auto write = [&] { return mail::ComposeMail(entry.mail, entry.id, now, contents); };
    co_return co_await client_.parts().pool.Run(write);
  }

  /// The conversation goes beside the mail: Gmail threads a reply by threadId, References and subject together.
  static void Wrap(GoogleRequest& request, const mail::OutboxEntry& entry, const std::string& raw) {
    const std::string boundary = "part-" + RandomToken(24);
    json::Writer metadata;
    metadata.BeginObject();
    if (!entry.mail.thread_id.empty()) metadata.Member("threadId", entry.mail.thread_id);
    metadata.EndObject();
    request.content_type = "multipart/related; boundary=\"" + boundary + "\"";
    request.body.reserve(raw.size() + 512);
    request.body.append("--").append(boundary).append("\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n");
    request.body.append(metadata.text()).append("\r\n--").append(boundary);
    request.body.append("\r\nContent-Type: message/rfc822\r\n\r\n").append(raw);
    request.body.append("\r\n--").append(boundary).append("--\r\n");
  }

  Task<Result<std::optional<SentCopy>>> Find(const mail::OutboxEntry& entry, std::string query) {
    GoogleRequest list{.call = GoogleCall::kList, .path = "messages?fields=messages/id&" + query, .units = kListUnits};
    auto body = co_await client_.Get(list);
    if (!body) co_return Fail(std::move(body.error()));
    auto ids = ParseIds(*body);
    if (!ids) co_return Fail(std::move(ids.error()));
    for (const std::string& id : *ids) {
      const GoogleRequest get{
          .call = GoogleCall::kMessage,
          .path = fmt::format("messages/{}?format=metadata&metadataHeaders={}&metadataHeaders=Message-ID&fields=id,"
                              "threadId,internalDate,payload/headers",
                              PercentEncode(id), mail::kOutboxHeader),
          .units = kGetUnits};
      auto message = co_await client_.Get(get);
      if (!message && message.error().code == ErrorCode::kGone) continue;
      if (!message) co_return Fail(std::move(message.error()));
      auto copy = ParseCopy(*message, entry);
      if (!copy) co_return Fail(std::move(copy.error()));
      if (copy->ours) co_return std::optional<SentCopy>(std::move(*copy));
      if (copy->date && entry.handed_over_at && *copy->date < *entry.handed_over_at - kSkew) break;
    }
    co_return std::optional<SentCopy>();
  }

  GoogleClient client_;
  Semaphore& compositions_;
};

}  // namespace

Result<std::shared_ptr<mail::MailSender>> GmailSenders::For(const ConnectedAccountId& account,
                                                            std::string_view provider) {
  if (provider != "google") return Fail(ErrorCode::kNotFound, "no sender for this provider");
  return std::make_shared<GmailSender>(parts_, compositions_, account);
}

}  // namespace latchkey::google
