#include "mail/send_mail.hpp"

#include <algorithm>
#include <functional>
#include <optional>

#include "mail/charset.hpp"
#include "mail/header_text.hpp"
#include "mail/send_check.hpp"

namespace latchkey::mail {
namespace {

constexpr std::size_t kMaxSubject = 998;
constexpr std::size_t kMaxText = 2 << 20;
constexpr std::size_t kMaxFiles = 100;
constexpr std::size_t kMaxReferences = 30;
constexpr std::chrono::hours kAddressesKept{24};
constexpr std::size_t kMaxRemembered = 10'000;
constexpr std::chrono::seconds kLongestDelay{60};

Result<std::vector<Address>> CheckPeople(const std::vector<Address>& people) {
  std::vector<Address> checked;
  for (const Address& person : people) {
    auto one = CheckRecipient(person.name, person.address);
    if (!one) return Fail(std::move(one.error()));
    checked.push_back(std::move(*one));
  }
  return checked;
}

Result<OutgoingMail> CheckContent(const SendRequest& request, const SendLimits& limits) {
  OutgoingMail mail;
  const std::size_t count = request.to.size() + request.cc.size() + request.bcc.size();
  if (count == 0) return Fail(ErrorCode::kInvalidArgument, "nobody to send it to");
  if (count > limits.recipients) return Fail(ErrorCode::kInvalidArgument, "too many recipients");
  for (const auto& [asked, target] :
       {std::pair{&request.to, &mail.to}, std::pair{&request.cc, &mail.cc}, std::pair{&request.bcc, &mail.bcc}}) {
    auto people = CheckPeople(*asked);
    if (!people) return Fail(std::move(people.error()));
    *target = std::move(*people);
  }
  auto subject = CheckLine(request.subject, kMaxSubject);
  if (!subject) return Fail(std::move(subject.error()));
  mail.subject = std::move(*subject);
  auto text = CheckBody(request.text, kMaxText);
  if (!text) return Fail(std::move(text.error()));
  mail.text = std::move(*text);
  auto html = CheckBody(request.html, kMaxText);
  if (!html) return Fail(std::move(html.error()));
  mail.html = std::move(*html);
  return mail;
}

const SendAddress* FindAddress(const std::vector<SendAddress>& addresses, std::string_view wanted) {
  const auto found = std::ranges::find_if(
      addresses, [&](const SendAddress& one) { return AsciiEqualsIgnoreCase(one.address, wanted); });
  return found == addresses.end() ? nullptr : &*found;
}

}  // namespace

Task<Result<AccountStatus::Account>> SendMail::FindSender(const UserId& user, const ConnectedAccountId& account) {
  auto found = co_await parts_.accounts.Find(account);
  if (!found) co_return Fail(std::move(found.error()));
  if (found->user_id != user || found->disconnecting) co_return Fail(ErrorCode::kNotFound, "no such account");
  if (!found->can_send_mail) co_return Fail(ErrorCode::kSendScopeMissing, "sending was not granted");
  co_return found;
}

Task<Result<std::vector<SendAddress>>> SendMail::Addresses(const UserId& user, const ConnectedAccountId& account) {
  auto found = co_await FindSender(user, account);
  if (!found) co_return Fail(std::move(found.error()));
  const Instant now = parts_.clock.Now();
  if (const auto known = addresses_.find(account);
      known != addresses_.end() && now - known->second.read_at < kAddressesKept) {
    co_return known->second.addresses;
  }
  const SendAddress own{.address = found->email, .name = {}, .is_default = true};
  auto sender = parts_.senders.For(account, found->provider);
  if (!sender) co_return Fail(std::move(sender.error()));
  auto listed = co_await (*sender)->ListAddresses();
  // A grant for sending alone does not tell of aliases: then there is the account's own address.
  const bool untold =
      !listed && (listed.error().code == ErrorCode::kMissingScope ||
                  listed.error().code == ErrorCode::kSendScopeMissing || listed.error().code == ErrorCode::kForbidden);
  if (!listed && !untold) co_return Fail(std::move(listed.error()));
  std::vector<SendAddress> addresses;
  if (listed) addresses = std::move(*listed);
  if (addresses.empty()) addresses.push_back(own);
  const auto chosen = std::ranges::find_if(addresses, &SendAddress::is_default);
  if (chosen != addresses.end()) std::rotate(addresses.begin(), chosen, chosen + 1);
  if (addresses_.size() >= kMaxRemembered) addresses_.clear();
  addresses_[account] = {.addresses = addresses, .read_at = now};
  co_return addresses;
}

Task<Result<Address>> SendMail::ChooseFrom(const UserId& user, const SendRequest& request,
                                           const AccountStatus::Account& account) {
  const bool own = request.from.empty() || AsciiEqualsIgnoreCase(request.from, account.email);
  if (own) {
    // It needs no permission, so nothing is asked for it: its name is there when the aliases were.
    const auto known = addresses_.find(request.account);
    const SendAddress* found =
        known == addresses_.end() ? nullptr : FindAddress(known->second.addresses, account.email);
    co_return Address{.name = found ? found->name : std::string(), .address = account.email};
  }
  auto addresses = co_await Addresses(user, request.account);
  if (!addresses) co_return Fail(std::move(addresses.error()));
  const SendAddress* found = FindAddress(*addresses, request.from);
  if (!found) co_return Fail(ErrorCode::kSenderNotAllowed, "not an address of this account");
  co_return Address{.name = found->name, .address = found->address};
}

Task<Result<void>> SendMail::Relate(const UserId& user, const SendRequest& request, OutgoingMail& mail) {
  if (!request.reply_to.empty() && !request.forward_of.empty()) {
    co_return Fail(ErrorCode::kInvalidArgument, "a mail answers or passes on, not both");
  }
  const MessageId& related = request.reply_to.empty() ? request.forward_of : request.reply_to;
  if (related.empty()) co_return Result<void>();
  auto stored = co_await parts_.messages.Get(user, related);
  if (!stored) co_return Fail(std::move(stored.error()));
  if (stored->account_id != request.account) {
    co_return Fail(ErrorCode::kInvalidArgument, "the mail answered belongs to another account");
  }
  const Message& original = stored->message;
  const bool reply = !request.reply_to.empty();
  mail.relation = reply ? OutgoingMail::Relation::kReply : OutgoingMail::Relation::kForward;
  mail.related_external_id = original.external_id;
  const std::string id = CleanMessageId(original.rfc822_message_id);
  if (reply) mail.in_reply_to = id;
  // RFC 5322 section 3.6.4: what it referred to, and then itself; the newest are the ones that matter.
  for (const auto& reference : original.references) {
    if (auto clean = CleanMessageId(reference); !clean.empty()) mail.references.push_back(std::move(clean));
  }
  if (!id.empty()) mail.references.push_back(id);
  if (mail.references.size() > kMaxReferences) {
    mail.references.erase(mail.references.begin(), mail.references.end() - static_cast<std::ptrdiff_t>(kMaxReferences));
  }
  // A conversation is one subject: with another, the provider would put the mail elsewhere whatever we asked for.
  if (reply && BaseSubject(mail.subject) == BaseSubject(original.subject)) mail.thread_id = original.thread_id;
  co_return Result<void>();
}

Task<Result<UploadId>> SendMail::Keep(const UserId& user, const SendRequest::File& file) {
  const std::string name = SafeFileName(file.name);
  const std::string type = CheckMediaType(file.mime_type);
  auto upload = co_await parts_.outbox.BeginUpload(user, name, type);
  if (!upload) co_return Fail(std::move(upload.error()));
  const std::string_view content = file.content;
  std::int64_t position = 0;
  for (std::size_t at = 0; at < content.size(); at += OutboxStore::kChunkBytes) {
    const auto piece = content.substr(at, OutboxStore::kChunkBytes);
    auto appended = co_await parts_.outbox.AppendUpload(user, upload->id, position++, piece);
    if (!appended) co_return Fail(std::move(appended.error()));
  }
  auto finished = co_await parts_.outbox.FinishUpload(user, upload->id);
  if (!finished) co_return Fail(std::move(finished.error()));
  co_return std::move(finished->id);
}

Task<Result<void>> SendMail::AddFiles(const UserId& user, const SendRequest& request, const SendLimits& limits,
                                      OutgoingMail& mail) {
  if (request.files.size() > kMaxFiles) co_return Fail(ErrorCode::kInvalidArgument, "too many attachments");
  std::int64_t total = 0;
  for (const SendRequest::File& file : request.files) total += static_cast<std::int64_t>(file.content.size());
  if (total > limits.attachment_bytes) co_return Fail(ErrorCode::kAttachmentTooLarge, "more than the provider takes");
  for (const SendRequest::File& file : request.files) {
    UploadId id = file.upload;
    if (id.empty()) {
      auto kept = co_await Keep(user, file);
      if (!kept) co_return Fail(std::move(kept.error()));
      id = std::move(*kept);
    }
    auto upload = co_await parts_.outbox.GetUpload(user, id);
    if (!upload) co_return Fail(std::move(upload.error()));
    if (!upload->complete) co_return Fail(ErrorCode::kConflict, "the upload is incomplete");
    if (!file.upload.empty()) total += upload->size;
    if (total > limits.attachment_bytes) co_return Fail(ErrorCode::kAttachmentTooLarge, "more than the provider takes");
    const std::string content_id = CleanMessageId(file.content_id);
    mail.attachments.push_back({.upload = std::move(id),
                                .name = upload->name,
                                .mime_type = upload->mime_type,
                                .content_id = content_id,
                                .size = upload->size,
                                .is_inline = file.is_inline && !content_id.empty()});
  }
  co_return Result<void>();
}

/// What the original carries goes along when it is passed on: fetched from its provider piece by piece.
Task<Result<void>> SendMail::CarryFiles(const UserId& user, const SendRequest& request, std::string_view provider,
                                        const SendLimits& limits, OutgoingMail& mail) {
  auto stored = co_await parts_.messages.Get(user, request.forward_of);
  if (!stored) co_return Fail(std::move(stored.error()));
  auto mailbox = parts_.mailboxes.For(request.account, provider);
  if (!mailbox) co_return Fail(std::move(mailbox.error()));
  std::int64_t total = 0;
  for (const auto& attachment : mail.attachments) total += attachment.size;
  for (const auto& [id, original] : stored->attachments) {
    auto upload =
        co_await parts_.outbox.BeginUpload(user, SafeFileName(original.name), CheckMediaType(original.mime_type));
    if (!upload) co_return Fail(std::move(upload.error()));
    std::string piece;
    std::int64_t position = 0;
    std::optional<Error> failure;
    const auto flush = [&]() -> Task<bool> {
      auto appended = co_await parts_.outbox.AppendUpload(user, upload->id, position++, piece);
      if (!appended) failure = std::move(appended.error());
      piece.clear();
      co_return !failure.has_value();
    };
    const std::function<Task<bool>(std::string_view)> sink = [&](std::string_view bytes) -> Task<bool> {
      total += static_cast<std::int64_t>(bytes.size());
      if (total > limits.attachment_bytes) {
        failure = Error{.code = ErrorCode::kAttachmentTooLarge, .detail = "more than the provider takes"};
        co_return false;
      }
      while (!bytes.empty()) {
        const std::size_t take = std::min(bytes.size(), OutboxStore::kChunkBytes - piece.size());
        piece.append(bytes.substr(0, take));
        bytes.remove_prefix(take);
        if (piece.size() < OutboxStore::kChunkBytes) break;
        const bool stored_piece = co_await flush();
        if (!stored_piece) co_return false;
      }
      co_return true;
    };
    auto fetched = co_await (*mailbox)->GetAttachment(stored->message.external_id, original, sink);
    if (fetched && !failure && !piece.empty()) co_await flush();
    if (failure) co_return Fail(std::move(*failure));
    if (!fetched) co_return Fail(std::move(fetched.error()));
    auto finished = co_await parts_.outbox.FinishUpload(user, upload->id);
    if (!finished) co_return Fail(std::move(finished.error()));
    const std::string content_id = CleanMessageId(original.content_id);
    mail.attachments.push_back({.upload = finished->id,
                                .name = finished->name,
                                .mime_type = finished->mime_type,
                                .content_id = content_id,
                                .size = finished->size,
                                .is_inline = original.is_inline && !content_id.empty()});
  }
  co_return Result<void>();
}

Task<Result<OutboxEntry>> SendMail::Accept(const UserId& user, const SendRequest& request, std::string_view key,
                                           std::string_view request_hash) {
  // A repeated request is answered before anything is asked or stored again.
  auto earlier = co_await parts_.outbox.FindByKey(user, key, request_hash);
  if (earlier || earlier.error().code != ErrorCode::kNotFound) co_return earlier;
  auto account = co_await FindSender(user, request.account);
  if (!account) co_return Fail(std::move(account.error()));
  auto sender = parts_.senders.For(request.account, account->provider);
  if (!sender) co_return Fail(std::move(sender.error()));
  const SendLimits limits = (*sender)->Limits();
  auto mail = CheckContent(request, limits);
  if (!mail) co_return Fail(std::move(mail.error()));
  if (request.delay < std::chrono::seconds(0) || request.delay > kLongestDelay) {
    co_return Fail(ErrorCode::kInvalidArgument, "a mail waits for at most a minute");
  }
  auto from = co_await ChooseFrom(user, request, *account);
  if (!from) co_return Fail(std::move(from.error()));
  mail->from = std::move(*from);
  if (auto related = co_await Relate(user, request, *mail); !related) co_return Fail(std::move(related.error()));
  if (auto added = co_await AddFiles(user, request, limits, *mail); !added) co_return Fail(std::move(added.error()));
  if (!request.forward_of.empty() && !limits.forwards_files) {
    auto carried = co_await CarryFiles(user, request, account->provider, limits, *mail);
    if (!carried) co_return Fail(std::move(carried.error()));
  }

  const Instant now = parts_.clock.Now();
  OutboxStore::NewEntry entry;
  entry.entry.id = OutboxId::New(now);
  entry.entry.user_id = user;
  entry.entry.account_id = request.account;
  entry.entry.send_at = now + request.delay;
  mail->message_id = entry.entry.id.text() + '@' + parts_.domain;
  entry.entry.mail = std::move(*mail);
  entry.idempotency_key = key;
  entry.request_hash = request_hash;
  auto accepted = co_await parts_.outbox.Enqueue(entry);
  if (!accepted) co_return Fail(std::move(accepted.error()));
  co_return std::move(accepted->entry);
}

}  // namespace latchkey::mail
