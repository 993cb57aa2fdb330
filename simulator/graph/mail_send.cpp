// Drafts, replies and what leaves.
#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "simulator/graph/mail_state.hpp"
#include "simulator/mime/date.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::graph {
namespace {

std::string DateField(Instant now) {
  return mime::FormatDate(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
}

bool IsMime(const Request& request) {
  return mime::StartsWithNoCase(request.headers.Get("Content-Type"), "text/plain");
}

/// The MIME text of a text/plain body, standard base64.
std::expected<std::string, Response> ReadMime(const MailCall& mail) {
  std::string text = mail.call.request.body;
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
  auto raw = Base64Decode(text);
  if (!raw || raw->empty()) {
    return std::unexpected(
        BadRequest("Invalid base64 string for MIME content.", mail.now(), "ErrorMimeContentInvalidBase64String"));
  }
  return std::move(*raw);
}

/// A draft of what a JSON message says.
std::expected<MailDraft, Response> ReadDraft(const MailCall& mail, const boost::json::object& message) {
  MailDraft draft;
  draft.message_id = NewMessageId();
  draft.date = DateField(mail.now());
  if (auto applied = draft.Apply(message, mail.now()); !applied) return std::unexpected(std::move(applied.error()));
  return draft;
}

std::uint32_t Store(const MailCall& mail, const std::string& raw, FolderIndex folder,
                    std::optional<std::uint32_t> conversation, const std::vector<std::string>& categories = {}) {
  MailStore::Addition addition;
  addition.raw = raw;
  addition.folder = folder;
  addition.received = mail.now_milliseconds();
  addition.modified = addition.received;
  addition.read = true;
  addition.draft = true;
  addition.conversation = conversation;
  addition.categories = categories;
  return mail.store().Add(addition);
}

bool LooksLikeAddress(std::string_view email) {
  const std::size_t at = email.rfind('@');
  return at != std::string_view::npos && at > 0 && at + 1 < email.size();
}

/// Sends the draft that a message is: it leaves its folder, goes to its recipients and arrives in Sent Items, each when
/// the plan says so. nullopt: accepted.
std::optional<Response> Dispatch(const MailCall& mail, std::uint32_t slot, bool save) {
  MailState& state = mail.state;
  const Account& sender = mail.call.account;
  MailDraft draft = MailDraft::FromRaw(mail.store().Raw(mail.store().at(slot)));
  const std::vector<std::string> recipients = draft.Recipients();
  if (recipients.empty() || !std::ranges::all_of(recipients, LooksLikeAddress)) {
    return BadRequest("At least one recipient is not valid.", mail.now(), "ErrorInvalidRecipients");
  }
  if (draft.from && !sender.MaySendAs(draft.from->email)) {
    return *MakePayload("graph.error.ErrorSendAsDenied.403", mail.now());
  }
  draft.from = mime::Address{sender.name, draft.from ? draft.from->email : sender.email};
  draft.date = DateField(mail.now());
  if (draft.message_id.empty()) draft.message_id = NewMessageId();
  const SendPlan plan = state.plan(sender);
  std::string kept = draft.ToRaw();
  draft.bcc.clear();
  OutgoingMail outgoing{sender, recipients, draft.ToRaw(), false};

  mail.store().Depart(slot);
  Box& box = mail.box;
  auto deliver = [&state, outgoing = std::move(outgoing), times = plan.deliveries]() mutable {
    for (std::size_t i = 0; i < times; ++i) {
      outgoing.duplicate = i > 0;
      state.deliver(outgoing);
    }
  };
  auto keep = [&state, &box, slot, kept = std::move(kept), copies = save ? plan.sent_copies : 0] {
    if (copies == 0) {
      box.store.Delete(slot);
    } else {
      box.store.Arrive(slot, kept, state.NowMilliseconds());
    }
    for (std::size_t i = 1; i < copies; ++i) {
      MailStore::Addition again;
      again.raw = kept;
      again.folder = MailStore::kSent;
      again.received = state.NowMilliseconds();
      again.modified = again.received;
      again.read = true;
      box.store.Add(again);
    }
  };
  const auto copy_delay = plan.delay + std::chrono::milliseconds(state.settings.graph_sent_copy_milliseconds);
  if (plan.delay.count() > 0) {
    state.schedule.At(mail.now() + plan.delay, std::move(deliver));
  } else {
    deliver();
  }
  if (copy_delay.count() > 0) {
    state.schedule.At(mail.now() + copy_delay, std::move(keep));
  } else {
    keep();
  }
  return std::nullopt;
}

Response Accepted() {
  Response response;
  response.status = 202;
  return response;
}

std::string Quoted(const MailDraft& original, const std::string& comment) {
  const auto line = [](std::string_view name, std::string_view value) {
    return value.empty() ? std::string() : fmt::format("<b>{}:</b> {}<br>", name, value);
  };
  std::string from = original.from ? (original.from->name.empty() ? original.from->email : original.from->name) : "";
  std::string to;
  for (const mime::Address& address : original.to) to += (to.empty() ? "" : "; ") + address.email;
  return fmt::format(
      "<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body>{}<hr "
      "tabindex=\"-1\" style=\"display:inline-block; width:98%\"><div id=\"divRplyFwdMsg\" dir=\"ltr\">{}{}{}{}</div>"
      "<div>{}</div></body></html>",
      comment.empty() ? "" : TextAsHtml(comment), line("From", TextAsHtml(from)), line("Sent", original.date),
      line("To", TextAsHtml(to)), line("Subject", TextAsHtml(original.subject)),
      original.html ? SanitiseHtml(original.body) : TextAsHtml(original.body));
}

MailDraft Answering(const MailDraft& original, ReplyKind kind, const Account& self, const std::string& comment,
                    Instant now) {
  MailDraft draft;
  draft.message_id = NewMessageId();
  draft.date = DateField(now);
  const bool forward = kind == ReplyKind::kForward;
  const std::string_view prefix = forward ? "FW: " : "RE: ";
  draft.subject =
      mime::StartsWithNoCase(original.subject, prefix) ? original.subject : std::string(prefix) + original.subject;
  draft.html = true;
  draft.body = Quoted(original, comment);
  draft.in_reply_to = original.message_id;
  draft.references =
      original.references.empty() ? original.message_id : original.references + " " + original.message_id;
  if (forward) {
    draft.attachments = original.attachments;
    return draft;
  }
  std::erase_if(draft.attachments, [](const MailAttachment& attachment) { return !attachment.is_inline; });
  const bool own = original.from && mime::EqualsNoCase(original.from->email, self.email);
  draft.to = own                          ? original.to
             : !original.reply_to.empty() ? original.reply_to
             : original.from              ? std::vector<mime::Address>{*original.from}
                                          : std::vector<mime::Address>();
  if (kind == ReplyKind::kReplyAll) {
    const auto others = [&](const std::vector<mime::Address>& from, std::vector<mime::Address>& into) {
      for (const mime::Address& address : from) {
        const auto same = [&](const mime::Address& known) { return mime::EqualsNoCase(known.email, address.email); };
        if (mime::EqualsNoCase(address.email, self.email) || std::ranges::any_of(draft.to, same)) continue;
        into.push_back(address);
      }
    };
    others(original.to, draft.to);
    others(original.cc, draft.cc);
  }
  return draft;
}

}  // namespace

Response CreateDraft(const MailCall& mail, FolderIndex folder) {
  if (auto refused = RefuseLargeBody(mail)) return std::move(*refused);
  std::string raw;
  std::vector<std::string> categories;
  if (IsMime(mail.call.request)) {
    auto given = ReadMime(mail);
    if (!given) return given.error();
    raw = std::move(*given);
  } else {
    const auto body = mail.call.Body();
    if (!body) return body.error();
    const auto draft = ReadDraft(mail, *body);
    if (!draft) return draft.error();
    raw = draft->ToRaw();
    if (const auto* names = body->if_contains("categories"); names && names->is_array()) {
      for (const auto& name : names->as_array()) {
        if (name.is_string()) categories.emplace_back(name.as_string());
      }
    }
  }
  const std::uint32_t slot = Store(mail, raw, folder, std::nullopt, categories);
  Response response = MessageAnswer(mail, slot, 201);
  const std::string id = mail.store().Id(mail.store().at(slot), mail.call.immutable_ids());
  response.headers.Add("Location",
                       fmt::format("{}/users('{}')/messages('{}')", mail.call.base(), mail.call.account.email, id));
  return response;
}

Response Reply(const MailCall& mail, const std::string& id, ReplyKind kind, bool send) {
  if (auto refused = RefuseLargeBody(mail)) return std::move(*refused);
  const auto found = FindMessage(mail, id);
  if (!found) return found.error();
  const Item& item = mail.store().at(*found);
  const std::uint32_t conversation = item.conversation;
  const MailDraft original = MailDraft::FromRaw(mail.store().Raw(item));
  const auto body = mail.call.Body();
  if (!body) return body.error();
  const auto* comment = body->if_contains("comment");
  if (!comment) comment = body->if_contains("Comment");
  const auto* message = body->if_contains("message");
  if (!message) message = body->if_contains("Message");
  if (comment && comment->is_string() && message && message->is_object() && message->as_object().contains("body")) {
    return BadRequest("Specify either the comment or the body property of the message parameter, not both.", mail.now(),
                      "ErrorInvalidRequest");
  }
  MailDraft draft =
      Answering(original, kind, mail.call.account,
                comment && comment->is_string() ? std::string(comment->as_string()) : std::string(), mail.now());
  boost::json::object changes = message && message->is_object() ? message->as_object() : boost::json::object();
  for (const char* name : {"toRecipients", "ToRecipients"}) {
    if (const auto* to = body->if_contains(name)) changes["toRecipients"] = *to;
  }
  if (auto applied = draft.Apply(changes, mail.now()); !applied) return std::move(applied.error());
  const std::uint32_t slot = Store(mail, draft.ToRaw(), MailStore::kDrafts, conversation);
  if (!send) return MessageAnswer(mail, slot, 201);
  if (auto refused = Dispatch(mail, slot, true)) {
    mail.store().Delete(slot);
    return std::move(*refused);
  }
  return Accepted();
}

Response SendDraft(const MailCall& mail, const std::string& id) {
  const auto slot = FindMessage(mail, id);
  if (!slot) return slot.error();
  if (!mail.store().at(*slot).draft) {
    return BadRequest("The operation is only supported on a draft message.", mail.now(), "ErrorInvalidRequest");
  }
  if (auto refused = Dispatch(mail, *slot, true)) return std::move(*refused);
  return Accepted();
}

Response SendMail(const MailCall& mail) {
  if (auto refused = RefuseLargeBody(mail)) return std::move(*refused);
  std::string raw;
  bool save = true;
  if (IsMime(mail.call.request)) {
    auto given = ReadMime(mail);
    if (!given) return given.error();
    raw = std::move(*given);
  } else {
    const auto body = mail.call.Body();
    if (!body) return body.error();
    const auto* message = body->if_contains("message");
    if (!message) message = body->if_contains("Message");
    if (!message || !message->is_object()) {
      return BadRequest("The parameter Message is missing.", mail.now(), "ErrorInvalidParameter");
    }
    const auto* keep = body->if_contains("saveToSentItems");
    if (!keep) keep = body->if_contains("SaveToSentItems");
    // The documents' own sample sends the text "false".
    save = !keep ||
           !(*keep == false || (keep->is_string() && mime::EqualsNoCase(std::string_view(keep->as_string()), "false")));
    const auto draft = ReadDraft(mail, message->as_object());
    if (!draft) return draft.error();
    raw = draft->ToRaw();
  }
  const std::uint32_t slot = Store(mail, raw, MailStore::kOutbox, std::nullopt);
  if (auto refused = Dispatch(mail, slot, save)) {
    mail.store().Delete(slot);
    return std::move(*refused);
  }
  return Accepted();
}

}  // namespace latchkey::simulator::graph
