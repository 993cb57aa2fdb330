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
constexpr std::int64_t kSendUnits = 100, kSettingsUnits = 1, kListUnits = 5, kGetUnits = 20, kDraftUnits = 10;
/// Sent mails looked at for one of ours, newest first: what can have been sent beside it meanwhile.
constexpr int kMostLooked = 60;
/// Clocks differ, and Gmail dates a mail by its own.
constexpr std::chrono::minutes kSkew{10};
constexpr std::chrono::minutes kSendTimeout{3};
/// Gmail deletes the draft that it sends. One that is still there this long after the call was not sent by it.
constexpr std::chrono::minutes kSettled{1};
/// Drafts looked at for one of ours whose id never reached us.
constexpr int kMostDrafts = 20;
/// How long an account that may not write drafts is believed to stay like that.
constexpr std::chrono::hours kAskAgain{1};
constexpr std::size_t kMaxRemembered = 10'000;

std::string Text(simdjson::simdjson_result<Element> element) {
  std::string_view text;
  return element.get_string().get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

struct SentCopy {
  std::string id, thread_id;
  std::optional<Instant> date;
  bool ours = false;
};

Result<std::vector<std::string>> ParseIds(const std::string& json, std::string_view member) {
  simdjson::dom::parser parser;
  Element document;
  std::vector<std::string> ids;
  if (parser.parse(json).get(document) != simdjson::SUCCESS) return Fail(ErrorCode::kMalformedReply, "gmail list");
  simdjson::dom::array messages;
  if (document[member].get(messages) != simdjson::SUCCESS) return ids;
  for (const Element message : messages) ids.push_back(Text(message["id"]));
  return ids;
}

SentCopy CopyOf(const Element& document, const mail::OutboxEntry& entry) {
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

Result<SentCopy> ParseCopy(const std::string& json, const mail::OutboxEntry& entry) {
  simdjson::dom::parser parser;
  Element document;
  if (parser.parse(json).get(document) != simdjson::SUCCESS) return Fail(ErrorCode::kMalformedReply, "gmail message");
  return CopyOf(document, entry);
}

/// The member `id`; empty when it cannot be read.
std::string ParseId(const std::string& json) {
  simdjson::dom::parser parser;
  Element document;
  return parser.parse(json).get(document) == simdjson::SUCCESS ? Text(document["id"]) : std::string();
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

bool IsScopeMissing(ErrorCode code) { return code == ErrorCode::kMissingScope || code == ErrorCode::kSendScopeMissing; }

class GmailSender final : public mail::MailSender {
 public:
  GmailSender(GmailSenders& all, const GoogleParts& parts, Semaphore& compositions, ConnectedAccountId account)
      : all_(all), client_(parts, std::move(account)), compositions_(compositions) {}

  mail::SendLimits Limits() const override { return {.attachment_bytes = 25 << 20, .recipients = 500}; }

  Task<Result<std::vector<mail::SendAddress>>> ListAddresses() override {
    const GoogleRequest request{.call = GoogleCall::kSendAs, .path = "settings/sendAs", .units = kSettingsUnits};
    auto body = co_await client_.Get(request);
    if (!body) co_return Fail(std::move(body.error()));
    co_return ParseAddresses(*body);
  }

  Task<SendOutcome> Send(const mail::OutboxEntry& entry, mail::SendJournal& journal) override {
    if (!entry.draft_id.empty()) {
      auto left = co_await HasDraft(entry.draft_id);
      if (!left) co_return SendOutcome::NotSent(std::move(left.error()));
      if (*left) co_return co_await SendDraft(entry, entry.draft_id, journal);
      if (!entry.resend) {
        // Gone: an earlier call arrived after all, or the person threw it away. Only they may say that it goes out
        // anew.
        auto noted = co_await journal.HandOver();
        if (!noted) co_return SendOutcome::NotSent(std::move(noted.error()));
        co_return co_await FindSent(entry);
      }
    }
    if (!all_.MayDraft(client_.account())) co_return co_await SendAtOnce(entry, journal);
    auto draft = co_await CreateDraft(entry, journal);
    if (!draft && IsScopeMissing(draft.error().code)) {
      all_.NoteNoDrafts(client_.account());
      co_return co_await SendAtOnce(entry, journal);
    }
    if (!draft) co_return SendOutcome::NotSent(std::move(draft.error()));
    if (auto noted = co_await journal.NoteDraft(*draft); !noted) {
      co_return SendOutcome::NotSent(std::move(noted.error()));
    }
    co_return co_await SendDraft(entry, *draft, journal);
  }

  Task<SendOutcome> Reconcile(const mail::OutboxEntry& entry) override {
    SendOutcome found = co_await FindSent(entry);
    if (found.kind == SendOutcome::Kind::kSent || entry.draft_id.empty()) co_return found;
    const bool settled = !entry.handed_over_at || client_.parts().clock.Now() - *entry.handed_over_at >= kSettled;
    if (!settled) co_return found;
    auto left = co_await HasDraft(entry.draft_id);
    if (!left) co_return SendOutcome::Undecided(std::move(left.error()));
    if (!*left) co_return found;
    // Should the call be at work yet, the next one sends this same draft and finds it gone.
    co_return SendOutcome::NotSent(
        {.code = ErrorCode::kProviderUnavailable, .detail = "still a draft", .retry_after = {}});
  }

  Task<Result<void>> CleanUp(const mail::OutboxEntry& entry, mail::Leftovers which) override {
    if (which == mail::Leftovers::kAll && !entry.draft_id.empty()) {
      if (auto deleted = co_await DeleteIfOurs(entry, entry.draft_id); !deleted) co_return deleted;
    }
    if (!all_.MayDraft(client_.account())) co_return Result<void>();
    // Drafts of this mail whose ids never reached us: the answers that named them were lost.
    const GoogleRequest list{.call = GoogleCall::kList,
                             .path = "drafts?fields=drafts/id&maxResults=" + std::to_string(kMostDrafts),
                             .units = kListUnits};
    auto body = co_await client_.Get(list);
    if (!body && IsScopeMissing(body.error().code)) co_return Result<void>();
    if (!body) co_return Fail(std::move(body.error()));
    auto ids = ParseIds(*body, "drafts");
    if (!ids) co_return Fail(std::move(ids.error()));
    for (const std::string& id : *ids) {
      if (id == entry.draft_id) continue;
      if (auto deleted = co_await DeleteIfOurs(entry, id); !deleted) co_return deleted;
    }
    co_return Result<void>();
  }

 private:
  /// For who granted sending alone: one call, whose fate nobody but the list of SENT tells.
  Task<SendOutcome> SendAtOnce(const mail::OutboxEntry& entry, mail::SendJournal& journal) {
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
    Wrap(request, ThreadOf(entry), *composed);
    composed->clear();
    composed->shrink_to_fit();
    auto handed_over = co_await journal.HandOver();
    if (!handed_over) co_return SendOutcome::NotSent(std::move(handed_over.error()));
    auto answer = co_await client_.Send(request);
    co_return Judge(answer, may_have_left);
  }

  Task<SendOutcome> SendDraft(const mail::OutboxEntry& entry, const std::string& draft, mail::SendJournal& journal) {
    auto handed_over = co_await journal.HandOver();
    if (!handed_over) co_return SendOutcome::NotSent(std::move(handed_over.error()));
    bool may_have_left = false;
    json::Writer body;
    body.BeginObject().Member("id", draft).EndObject();
    const GoogleRequest request{.method = "POST",
                                .call = GoogleCall::kDraft,
                                .path = "drafts/send?fields=id,threadId,labelIds",
                                .body = body.Take(),
                                .units = kSendUnits,
                                .timeout = kSendTimeout,
                                .once = true,
                                .may_have_left = &may_have_left};
    auto answer = co_await client_.Send(request);
    // No such draft any more: an earlier call arrived after all.
    if (!answer && answer.error().code == ErrorCode::kGone) co_return co_await FindSent(entry);
    co_return Judge(answer, may_have_left);
  }

  static SendOutcome Judge(Result<http_client::HttpResponse>& answer, bool may_have_left) {
    if (answer) {
      simdjson::dom::parser parser;
      Element document;
      if (parser.parse(answer->body).get(document) == simdjson::SUCCESS) {
        std::string id = Text(document["id"]);
        if (!id.empty()) return SendOutcome::Sent(std::move(id), Text(document["threadId"]));
      }
      // Taken, but under which id? The list knows.
      return SendOutcome::Undecided({.code = ErrorCode::kMalformedReply, .detail = "gmail send", .retry_after = {}});
    }
    if (!may_have_left || IsRefusal(answer.error().code)) return SendOutcome::NotSent(std::move(answer.error()));
    return SendOutcome::Undecided(std::move(answer.error()));
  }

  /// The new draft's id.
  Task<Result<std::string>> CreateDraft(const mail::OutboxEntry& entry, mail::SendJournal& journal) {
    const auto permit = co_await compositions_.Acquire();
    auto composed = co_await Compose(entry, journal);
    if (!composed) co_return Fail(std::move(composed.error()));
    GoogleRequest request{.method = "POST",
                          .api = GoogleApi::kGmailUpload,
                          .call = GoogleCall::kSend,
                          .path = "drafts?uploadType=multipart&fields=id",
                          .units = kDraftUnits,
                          .timeout = kSendTimeout,
                          .once = true};
    Wrap(request, "{\"message\":" + ThreadOf(entry) + "}", *composed);
    auto answer = co_await client_.Get(request);
    if (!answer) co_return Fail(std::move(answer.error()));
    std::string id = ParseId(*answer);
    if (id.empty()) co_return Fail(ErrorCode::kMalformedReply, "gmail draft");
    co_return id;
  }

  Task<Result<bool>> HasDraft(const std::string& id) {
    const GoogleRequest request{.call = GoogleCall::kDraft,
                                .path = "drafts/" + PercentEncode(id) + "?format=minimal&fields=id",
                                .units = kGetUnits};
    auto body = co_await client_.Get(request);
    if (!body && body.error().code == ErrorCode::kGone) co_return false;
    if (!body) co_return Fail(std::move(body.error()));
    co_return true;
  }

  Task<Result<bool>> IsOurDraft(const mail::OutboxEntry& entry, const std::string& id) {
    const GoogleRequest request{
        .call = GoogleCall::kDraft,
        .path = "drafts/" + PercentEncode(id) + "?format=metadata&fields=id,message/payload/headers",
        .units = kGetUnits};
    auto body = co_await client_.Get(request);
    if (!body && body.error().code == ErrorCode::kGone) co_return false;
    if (!body) co_return Fail(std::move(body.error()));
    simdjson::dom::parser parser;
    Element document, message;
    if (parser.parse(*body).get(document) != simdjson::SUCCESS)
      co_return Fail(ErrorCode::kMalformedReply, "gmail draft");
    co_return document["message"].get(message) == simdjson::SUCCESS&& CopyOf(message, entry).ours;
  }

  /// Gmail deletes for good. A draft without our headers was written anew by the person: it is theirs.
  Task<Result<void>> DeleteIfOurs(const mail::OutboxEntry& entry, const std::string& id) {
    auto ours = co_await IsOurDraft(entry, id);
    if (!ours) co_return Fail(std::move(ours.error()));
    if (!*ours) co_return Result<void>();
    const GoogleRequest request{
        .method = "DELETE", .call = GoogleCall::kDraft, .path = "drafts/" + PercentEncode(id), .units = kDraftUnits};
    auto answer = co_await client_.Send(request);
    if (!answer && answer.error().code != ErrorCode::kGone) co_return Fail(std::move(answer.error()));
    co_return Result<void>();
  }

  Task<SendOutcome> FindSent(const mail::OutboxEntry& entry) {
    auto found = co_await Find(entry, "labelIds=SENT&maxResults=" + std::to_string(kMostLooked));
    if (!found) co_return SendOutcome::Undecided(std::move(found.error()));
    if (!*found) {
      // Filtered away or moved by the person meanwhile. This index lags, so its silence says nothing.
      const std::string query = "-in:draft rfc822msgid:" + entry.mail.message_id;
      found = co_await Find(entry, "includeSpamTrash=true&maxResults=5&q=" + PercentEncode(query));
      if (!found) co_return SendOutcome::Undecided(std::move(found.error()));
    }
    if (*found) co_return SendOutcome::Sent((*found)->id, (*found)->thread_id);
    co_return SendOutcome::Undecided({.code = ErrorCode::kSendUnconfirmed, .detail = "not listed", .retry_after = {}});
  }

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
  static std::string ThreadOf(const mail::OutboxEntry& entry) {
    json::Writer metadata;
    metadata.BeginObject();
    if (!entry.mail.thread_id.empty()) metadata.Member("threadId", entry.mail.thread_id);
    metadata.EndObject();
    return metadata.Take();
  }

  static void Wrap(GoogleRequest& request, const std::string& metadata, const std::string& raw) {
    const std::string boundary = "part-" + RandomToken(24);
    request.content_type = "multipart/related; boundary=\"" + boundary + "\"";
    request.body.reserve(raw.size() + 512);
    request.body.append("--").append(boundary).append("\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n");
    request.body.append(metadata).append("\r\n--").append(boundary);
    request.body.append("\r\nContent-Type: message/rfc822\r\n\r\n").append(raw);
    request.body.append("\r\n--").append(boundary).append("--\r\n");
  }

  Task<Result<std::optional<SentCopy>>> Find(const mail::OutboxEntry& entry, std::string query) {
    GoogleRequest list{.call = GoogleCall::kList, .path = "messages?fields=messages/id&" + query, .units = kListUnits};
    auto body = co_await client_.Get(list);
    if (!body) co_return Fail(std::move(body.error()));
    auto ids = ParseIds(*body, "messages");
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

  GmailSenders& all_;
  GoogleClient client_;
  Semaphore& compositions_;
};

}  // namespace

Result<std::shared_ptr<mail::MailSender>> GmailSenders::For(const ConnectedAccountId& account,
                                                            std::string_view provider) {
  if (provider != "google") return Fail(ErrorCode::kNotFound, "no sender for this provider");
  return std::make_shared<GmailSender>(*this, parts_, compositions_, account);
}

bool GmailSenders::MayDraft(const ConnectedAccountId& account) {
  const auto found = no_drafts_.find(account);
  if (found == no_drafts_.end()) return true;
  if (parts_.clock.Now() - found->second < kAskAgain) return false;
  no_drafts_.erase(found);
  return true;
}

void GmailSenders::NoteNoDrafts(const ConnectedAccountId& account) {
  if (no_drafts_.size() >= kMaxRemembered) no_drafts_.clear();
  no_drafts_[account] = parts_.clock.Now();
}

}  // namespace latchkey::google
