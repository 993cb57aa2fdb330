#include "providers/microsoft/graph_sender.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include <simdjson.h>

#include "base/encoding.hpp"
#include "base/json_writer.hpp"
#include "mail/charset.hpp"
#include "mail/compose.hpp"
#include "providers/microsoft/graph_upload.hpp"

namespace latchkey::microsoft {
namespace {

using mail::OutgoingMail;
using mail::SendOutcome;
using Element = simdjson::dom::element;

constexpr std::chrono::minutes kSendTimeout{2};
/// Sent mails and drafts looked at for one of ours, newest first.
constexpr int kMostLooked = 50;
/// An attempt has finished its draft by then.
constexpr std::chrono::minutes kMaking{2};

std::string Text(simdjson::simdjson_result<Element> element) {
  std::string_view text;
  return element.get_string().get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

bool Flag(simdjson::simdjson_result<Element> element) {
  bool flag = false;
  return element.get_bool().get(flag) == simdjson::SUCCESS && flag;
}

/// What is asked about a message of ours.
struct Copy {
  std::string id, conversation;
  bool is_draft = false;
  std::size_t attachments = 0;
  bool ours = false;
  /// Made a while before it was last written to, by whoever; also when Graph does not tell.
  bool touched = true;
};

Copy CopyOf(const Element& message, const mail::OutboxEntry& entry) {
  Copy copy{.id = Text(message["id"]), .conversation = Text(message["conversationId"])};
  copy.is_draft = Flag(message["isDraft"]);
  const auto made = ParseInstant(Text(message["createdDateTime"]));
  const auto written = ParseInstant(Text(message["lastModifiedDateTime"]));
  copy.touched = !made || !written || *written - *made > kMaking;
  simdjson::dom::array list;
  if (message["attachments"].get(list) == simdjson::SUCCESS) copy.attachments = list.size();
  if (message["internetMessageHeaders"].get(list) == simdjson::SUCCESS) {
    for (const Element header : list) {
      const bool name = mail::AsciiEqualsIgnoreCase(Text(header["name"]), mail::kOutboxHeader);
      if (name && mail::TrimAscii(Text(header["value"])) == entry.id.text()) copy.ours = true;
    }
  }
  return copy;
}

void WritePerson(json::Writer& out, const mail::Address& person) {
  out.BeginObject().Key("emailAddress").BeginObject();
  if (!person.name.empty()) out.Member("name", person.name);
  out.Member("address", person.address).EndObject().EndObject();
}

void WritePeople(json::Writer& out, std::string_view name, const std::vector<mail::Address>& people) {
  out.Key(name).BeginArray();
  for (const auto& person : people) WritePerson(out, person);
  out.EndArray();
}

void WriteOwnHeader(json::Writer& out, const mail::OutboxId& id) {
  // Only names that begin with x- are taken.
  out.Key("internetMessageHeaders").BeginArray().BeginObject();
  out.Member("name", mail::AsciiLower(mail::kOutboxHeader)).Member("value", id.text());
  out.EndObject().EndArray();
}

/// The members of a message that a person writes.
void WriteContent(json::Writer& out, const OutgoingMail& mail) {
  out.Member("subject", mail.subject).Key("body").BeginObject();
  // One body only: the richer one, from which Outlook makes the other.
  out.Member("contentType", mail.html.empty() ? "text" : "html");
  out.Member("content", mail.html.empty() ? mail.text : mail.html).EndObject();
  out.Key("from");
  WritePerson(out, mail.from);
  WritePeople(out, "toRecipients", mail.to);
  WritePeople(out, "ccRecipients", mail.cc);
  WritePeople(out, "bccRecipients", mail.bcc);
}

class GraphSender final : public mail::MailSender {
 public:
  explicit GraphSender(std::shared_ptr<GraphClient> client) : client_(std::move(client)) {}

  mail::SendLimits Limits() const override {
    return {.attachment_bytes = 25 << 20, .recipients = 500, .forwards_files = true};
  }

  Task<Result<std::vector<mail::SendAddress>>> ListAddresses() override {
    const GraphRequest request{.call = GraphCall::kList,
                               .path = "me?$select=displayName,mail,userPrincipalName,proxyAddresses"};
    auto answer = co_await client_->Send(request);
    if (!answer) co_return Fail(std::move(answer.error()));
    simdjson::dom::parser parser;
    Element document;
    if (parser.parse(answer->body).get(document) != simdjson::SUCCESS) {
      co_return Fail(ErrorCode::kMalformedReply, "graph me");
    }
    co_return AddressesOf(document);
  }

  Task<SendOutcome> Send(const mail::OutboxEntry& entry, mail::SendJournal& journal) override {
    auto draft = co_await PrepareDraft(entry, journal);
    if (!draft) co_return SendOutcome::NotSent(std::move(draft.error()));
    auto handed_over = co_await journal.HandOver();
    if (!handed_over) co_return SendOutcome::NotSent(std::move(handed_over.error()));
    // An earlier call for this draft arrived after all.
    if (!draft->is_draft) co_return SendOutcome::Sent(draft->id, draft->conversation);
    bool unclear = false;
    const GraphRequest request{.call = GraphCall::kSend,
                               .method = "POST",
                               .path = "me/messages/" + PercentEncode(draft->id) + "/send",
                               .timeout = kSendTimeout,
                               .once = true,
                               .unclear = &unclear};
    auto answer = co_await client_->Send(request);
    if (answer) co_return SendOutcome::Sent(draft->id, draft->conversation);
    if (unclear) co_return SendOutcome::Undecided(std::move(answer.error()));
    Error error = Clear(std::move(answer.error()));
    if (error.code != ErrorCode::kSendRejected && error.code != ErrorCode::kGone) {
      co_return SendOutcome::NotSent(std::move(error));
    }
    // Refused, or no longer a draft because an earlier call arrived after all: its own state tells.
    auto copy = co_await Find(entry, draft->id);
    if (!copy || !*copy) co_return SendOutcome::Undecided(std::move(error));
    if ((*copy)->is_draft) co_return SendOutcome::NotSent(std::move(error));
    co_return SendOutcome::Sent(draft->id, draft->conversation);
  }

  Task<SendOutcome> Reconcile(const mail::OutboxEntry& entry) override {
    auto copy = co_await Find(entry, entry.draft_id);
    if (!copy) co_return SendOutcome::Undecided(std::move(copy.error()));
    if (*copy && !(*copy)->is_draft) co_return SendOutcome::Sent((*copy)->id, (*copy)->conversation);
    if (*copy) {
      // Still a draft. Should the first call be at work yet, the next one sends this same draft and finds it gone.
      const Error error{.code = ErrorCode::kProviderUnavailable, .detail = "still a draft", .retry_after = {}};
      co_return SendOutcome::NotSent(error);
    }
    // Neither draft nor sent: the copy in Sent Items comes after the dispatch.
    auto sent = co_await FindOurs(entry, "sentitems");
    if (!sent) co_return SendOutcome::Undecided(std::move(sent.error()));
    if (*sent) co_return SendOutcome::Sent((*sent)->id, (*sent)->conversation);
    co_return SendOutcome::Undecided({.code = ErrorCode::kSendUnconfirmed, .detail = "not there", .retry_after = {}});
  }

  Task<Result<void>> CleanUp(const mail::OutboxEntry& entry, mail::Leftovers which) override {
    if (which == mail::Leftovers::kAll) {
      auto copy = co_await Find(entry, entry.draft_id);
      if (!copy) co_return Fail(std::move(copy.error()));
      // Never what is sent.
      if (*copy && (*copy)->is_draft) {
        if (auto deleted = co_await Delete(**copy); !deleted) co_return deleted;
      }
    }
    co_return co_await DeleteOrphans(entry);
  }

 private:
  static std::vector<mail::SendAddress> AddressesOf(const Element& document) {
    std::vector<mail::SendAddress> addresses;
    const std::string name = Text(document["displayName"]);
    std::string own = Text(document["mail"]);
    if (own.empty()) own = Text(document["userPrincipalName"]);
    if (!own.empty()) addresses.push_back({.address = own, .name = name, .is_default = true});
    simdjson::dom::array list;
    if (document["proxyAddresses"].get(list) != simdjson::SUCCESS) return addresses;
    for (const Element entry : list) {
      std::string_view address;
      if (entry.get(address) != simdjson::SUCCESS || address.size() < 6) continue;
      // "SMTP:" the primary one, "smtp:" an alias; others are no mail.
      if (!mail::AsciiEqualsIgnoreCase(address.substr(0, 5), "smtp:")) continue;
      address.remove_prefix(5);
      // The documents write a blank behind the colon.
      address = mail::TrimAscii(address);
      const bool known = std::ranges::any_of(
          addresses, [&](const auto& one) { return mail::AsciiEqualsIgnoreCase(one.address, address); });
      if (!known) addresses.push_back({.address = std::string(address), .name = name});
    }
    return addresses;
  }

  /// An answer below 500 was a refusal; names that belong to a call that read something do not fit a send.
  static Error Clear(Error error) {
    if (error.code == ErrorCode::kInvalidArgument || error.code == ErrorCode::kForbidden ||
        error.code == ErrorCode::kConflict || error.code == ErrorCode::kNotFound) {
      error.code = ErrorCode::kSendRejected;
    }
    return error;
  }

  /// nullopt: there is none of that id.
  Task<Result<std::optional<Copy>>> Find(const mail::OutboxEntry& entry, const std::string& id) {
    if (id.empty()) co_return std::optional<Copy>();
    const GraphRequest request{.call = GraphCall::kMessage,
                               .path = "me/messages/" + PercentEncode(id) +
                                       "?$select=id,isDraft,conversationId,createdDateTime,lastModifiedDateTime"
                                       "&$expand=attachments($select=id)"};
    auto answer = co_await client_->Send(request);
    if (!answer && answer.error().code == ErrorCode::kGone) co_return std::optional<Copy>();
    if (!answer) co_return Fail(std::move(answer.error()));
    simdjson::dom::parser parser;
    Element document;
    if (parser.parse(answer->body).get(document) != simdjson::SUCCESS) {
      co_return Fail(ErrorCode::kMalformedReply, "graph message");
    }
    co_return std::optional<Copy>(CopyOf(document, entry));
  }

  /// The newest messages of a folder, for one that carries our header and has another id than `beside`.
  Task<Result<std::optional<Copy>>> FindOurs(const mail::OutboxEntry& entry, std::string_view folder,
                                             std::string_view beside = {}) {
    const GraphRequest request{
        .call = GraphCall::kList,
        .path =
            "me/mailFolders/" + std::string(folder) + "/messages?$select=id,isDraft,conversationId," +
            "createdDateTime,lastModifiedDateTime,internetMessageHeaders&$orderby=lastModifiedDateTime%20desc&$top=" +
            std::to_string(kMostLooked)};
    auto answer = co_await client_->Send(request);
    if (!answer) co_return Fail(std::move(answer.error()));
    simdjson::dom::parser parser;
    Element document;
    if (parser.parse(answer->body).get(document) != simdjson::SUCCESS) {
      co_return Fail(ErrorCode::kMalformedReply, "graph messages");
    }
    simdjson::dom::array list;
    if (document["value"].get(list) != simdjson::SUCCESS) co_return Fail(ErrorCode::kMalformedReply, "graph messages");
    for (const Element message : list) {
      Copy copy = CopyOf(message, entry);
      if (copy.ours && (beside.empty() || copy.id != beside)) co_return std::optional<Copy>(std::move(copy));
    }
    co_return std::optional<Copy>();
  }

  Task<Result<void>> Delete(const Copy& draft) {
    const std::string path = "me/messages/" + PercentEncode(draft.id);
    // A plain DELETE moves it to Deleted Items, where the person wonders what it is. So what only we have written goes
    // for good; what they may have worked on stays within their reach.
    if (!draft.touched) {
      const GraphRequest purge{.call = GraphCall::kPurge, .method = "POST", .path = path + "/permanentDelete"};
      auto purged = co_await client_->Send(purge);
      if (purged) co_return Result<void>();
      // National clouds do not know the action, and how they say so is not documented: DELETE tells the rest.
      const ErrorCode code = purged.error().code;
      const bool passing = OwnerOf(code) == FaultOwner::kProvider && code != ErrorCode::kGone;
      if (passing) co_return Fail(std::move(purged.error()));
    }
    const GraphRequest request{.call = GraphCall::kMessage, .method = "DELETE", .path = path};
    auto answer = co_await client_->Send(request);
    if (!answer && answer.error().code != ErrorCode::kGone) co_return Fail(std::move(answer.error()));
    co_return Result<void>();
  }

  /// Drafts of this mail whose ids never reached us: the answers that named them were lost. The one that is written
  /// down is not among them.
  Task<Result<void>> DeleteOrphans(const mail::OutboxEntry& entry) {
    for (int found = 0; found < kMostLooked; ++found) {
      auto orphan = co_await FindOurs(entry, "drafts", entry.draft_id);
      if (!orphan) co_return Fail(std::move(orphan.error()));
      if (!*orphan || !(*orphan)->is_draft) break;
      if (auto deleted = co_await Delete(**orphan); !deleted) co_return deleted;
    }
    co_return Result<void>();
  }

  /// A complete draft whose id is written down: the one an earlier attempt left, or a new one; or, no draft any more,
  /// the sent mail that became of the earlier one meanwhile.
  Task<Result<Copy>> PrepareDraft(const mail::OutboxEntry& entry, mail::SendJournal& journal) {
    auto left = co_await Find(entry, entry.draft_id);
    if (!left) co_return Fail(std::move(left.error()));
    if (!*left && !entry.draft_id.empty()) left = co_await FindOurs(entry, "sentitems");
    if (!left) co_return Fail(std::move(left.error()));
    if (*left && !(*left)->is_draft) co_return std::move(**left);
    if (*left && (*left)->is_draft) {
      // What was forwarded brought attachments of its own, so its number says nothing.
      const bool counted = entry.mail.relation != OutgoingMail::Relation::kForward &&
                           (*left)->attachments == entry.mail.attachments.size();
      if (counted || entry.mail.attachments.empty()) {
        if (auto written = co_await Patch(entry, (*left)->id); !written) co_return Fail(std::move(written.error()));
        co_return std::move(**left);
      }
      if (auto deleted = co_await Delete(**left); !deleted) co_return Fail(std::move(deleted.error()));
    }
    auto draft = co_await CreateDraft(entry);
    if (!draft) co_return Fail(std::move(draft.error()));
    if (auto noted = co_await journal.NoteDraft(draft->id); !noted) co_return Fail(std::move(noted.error()));
    if (entry.mail.relation != OutgoingMail::Relation::kNew) {
      if (auto written = co_await Patch(entry, draft->id); !written) co_return Fail(std::move(written.error()));
    }
    for (const auto& attachment : entry.mail.attachments) {
      auto attached = co_await AttachFile(*client_, draft->id, attachment, journal);
      if (!attached) co_return Fail(Clear(std::move(attached.error())));
    }
    co_return std::move(*draft);
  }

  Task<Result<Copy>> CreateDraft(const mail::OutboxEntry& entry) {
    if (auto tidied = co_await DeleteOrphans(entry); !tidied) co_return Fail(std::move(tidied.error()));
    json::Writer out(entry.mail.text.size() + entry.mail.html.size() + 1024);
    std::string path = "me/messages";
    if (entry.mail.relation == OutgoingMail::Relation::kNew) {
      out.BeginObject();
      WriteContent(out, entry.mail);
      WriteOwnHeader(out, entry.id);
      out.EndObject();
    } else {
      // Only what is made from the original stays in its conversation.
      const bool reply = entry.mail.relation == OutgoingMail::Relation::kReply;
      path += "/" + PercentEncode(entry.mail.related_external_id) + (reply ? "/createReply" : "/createForward");
      out.BeginObject().Key("message").BeginObject();
      WriteOwnHeader(out, entry.id);
      out.EndObject().EndObject();
    }
    const GraphRequest request{
        .call = GraphCall::kSend, .method = "POST", .path = path, .body = out.Take(), .once = true};
    auto answer = co_await client_->Send(request);
    if (!answer) co_return Fail(Clear(std::move(answer.error())));
    simdjson::dom::parser parser;
    Element document;
    if (parser.parse(answer->body).get(document) != simdjson::SUCCESS) {
      co_return Fail(ErrorCode::kMalformedReply, "graph draft");
    }
    Copy draft = CopyOf(document, entry);
    if (draft.id.empty()) co_return Fail(ErrorCode::kMalformedReply, "graph draft without id");
    co_return draft;
  }

  Task<Result<void>> Patch(const mail::OutboxEntry& entry, const std::string& id) {
    json::Writer out(entry.mail.text.size() + entry.mail.html.size() + 1024);
    out.BeginObject();
    WriteContent(out, entry.mail);
    out.EndObject();
    const GraphRequest request{
        .call = GraphCall::kSend, .method = "PATCH", .path = "me/messages/" + PercentEncode(id), .body = out.Take()};
    auto answer = co_await client_->Send(request);
    if (!answer) co_return Fail(Clear(std::move(answer.error())));
    co_return Result<void>();
  }

  std::shared_ptr<GraphClient> client_;
};

}  // namespace

Result<std::shared_ptr<mail::MailSender>> GraphSenders::For(const ConnectedAccountId& account,
                                                            std::string_view provider) {
  if (provider != "microsoft") return Fail(ErrorCode::kNotFound, "no sender for this provider");
  return std::make_shared<GraphSender>(clients_.For(account));
}

}  // namespace latchkey::microsoft
