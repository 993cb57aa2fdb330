#include <algorithm>
#include <tuple>

#include "api/handlers.hpp"
#include "api/input.hpp"
#include "api/respond.hpp"
#include "api/shapes.hpp"
#include "async/worker_pool.hpp"
#include "mail/html_view.hpp"

namespace latchkey::api {
namespace {

using Role = mail::Label::Role;

void WriteSummaryMembers(json::Writer& out, const mail::MessageSummary& message) {
  out.Member("id", message.id.text())
      .Member("account_id", message.account_id.text())
      .Member("thread_id", message.thread_id)
      .Key("from");
  if (message.from.address.empty() && message.from.name.empty()) {
    out.Null();
  } else {
    WritePerson(out, message.from);
  }
  out.Member("to_count", message.to_count).Member("subject", message.subject).Member("snippet", message.snippet);
  WriteInstant(out, "received_at", message.received_at);
  out.Member("is_read", message.is_read)
      .Member("is_starred", message.is_starred)
      .Member("has_attachments", message.has_attachments)
      .Key("labels")
      .BeginArray();
  for (const auto& label : message.label_ids) out.Value(label);
  out.EndArray();
}

mail::MessageSummary SummaryOf(const mail::StoredMessage& stored) {
  const auto& message = stored.message;
  mail::MessageSummary out;
  out.id = stored.id;
  out.account_id = stored.account_id;
  out.external_id = message.external_id;
  out.thread_id = message.thread_id;
  out.subject = message.subject;
  out.snippet = message.snippet;
  if (!message.from.empty()) out.from = message.from.front();
  out.to_count = static_cast<std::int64_t>(message.to.size() + message.cc.size());
  out.received_at = message.received_at;
  out.is_read = message.is_read;
  out.is_starred = message.is_starred;
  out.has_attachments = std::ranges::any_of(
      stored.attachments, [](const mail::StoredAttachment& attachment) { return !attachment.attachment.is_inline; });
  out.label_ids = message.label_ids;
  return out;
}

void WritePeople(json::Writer& out, std::string_view name, const std::vector<mail::Address>& people) {
  out.Key(name).BeginArray();
  for (const auto& person : people) WritePerson(out, person);
  out.EndArray();
}

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kInbox:
      return "inbox";
    case Role::kSent:
      return "sent";
    case Role::kDrafts:
      return "drafts";
    case Role::kTrash:
      return "trash";
    case Role::kSpam:
      return "spam";
    case Role::kStarred:
      return "starred";
    case Role::kImportant:
      return "important";
    case Role::kUnread:
      return "unread";
    case Role::kCategory:
      return "category";
    case Role::kArchive:
      return "archive";
    case Role::kNone:
      break;
  }
  return "";
}

}  // namespace

Answer ListMessages(Call& call) {
  mail::MessageQuery query;
  query.user_id = call.user().id;
  auto account = QueryId<ConnectedAccountId>(call, "account");
  if (!account) co_return Fail(account.error());
  query.account_id = *account;
  auto folder = QueryText(call, "folder", 100);
  auto search = QueryText(call, "q", 200);
  auto thread = QueryText(call, "thread", 100);
  auto cursor = QueryText(call, "cursor", 512);
  auto limit = QueryLimit(call);
  for (const auto* text : {&folder, &search, &thread, &cursor}) {
    if (!*text) co_return Fail(text->error());
  }
  if (!limit) co_return Fail(limit.error());
  query.label_id = *folder;
  query.search = *search;
  query.thread_id = *thread;
  query.cursor = *cursor;
  query.limit = *limit;
  auto list = co_await call.services.messages.List(query);
  if (!list) co_return Fail(list.error());
  json::Writer out(512 * list->items.size() + 64);
  out.BeginObject().Key("items").BeginArray();
  for (const auto& message : list->items) {
    out.BeginObject();
    WriteSummaryMembers(out, message);
    out.EndObject();
  }
  out.EndArray();
  WriteText(out, "next_cursor", list->next_cursor);
  out.EndObject();
  co_return Json(200, out.Take());
}

Answer GetMessage(Call& call) {
  auto id = PathId<MessageId>(call);
  if (!id) co_return Fail(id.error());
  auto stored = co_await call.services.messages.Get(call.user().id, *id);
  if (!stored) co_return Fail(stored.error());
  const auto& message = stored->message;
  std::size_t remote_images = 0;
  if (!message.html.empty()) {
    auto count = [&] { return mail::RenderHtmlBody(message.html, {}).blocked_images; };
    remote_images = co_await call.services.workers.Run(count);
  }
  json::Writer out(2048 + message.text.size());
  out.BeginObject();
  WriteSummaryMembers(out, SummaryOf(*stored));
  WritePeople(out, "to", message.to);
  WritePeople(out, "cc", message.cc);
  WritePeople(out, "bcc", message.bcc);
  WritePeople(out, "reply_to", message.reply_to);
  WriteText(out, "message_id_header", message.rfc822_message_id);
  WriteText(out, "text", message.text);
  out.Member("has_html", !message.html.empty()).Member("remote_images", remote_images);
  out.Key("attachments").BeginArray();
  for (const auto& [attachment_id, attachment] : stored->attachments) {
    out.BeginObject()
        .Member("id", attachment_id)
        .Member("name", attachment.name)
        .Member("type", attachment.mime_type)
        .Member("size", attachment.size)
        .Member("inline", attachment.is_inline)
        .EndObject();
  }
  out.EndArray().Member("truncated", message.truncated).EndObject();
  co_return Json(200, out.Take());
}

Answer ListLabels(Call& call) {
  auto account = QueryId<ConnectedAccountId>(call, "account");
  if (!account) co_return Fail(account.error());
  if (!account->empty()) {
    auto owned = co_await call.services.accounts.Get(call.user().id, *account);
    if (!owned) co_return Fail(owned.error());
  }
  auto labels = co_await call.services.messages.ListLabels(call.user().id, *account);
  if (!labels) co_return Fail(labels.error());
  std::ranges::sort(*labels, {}, [](const mail::LabelCount& count) {
    const bool user_made = count.label.role == Role::kNone;
    // System labels in the order of their roles, people's own by name.
    return std::tuple(user_made, user_made ? 0 : static_cast<int>(count.label.role), std::string_view(count.label.name),
                      std::string_view(count.account_id.text()));
  });
  json::Writer out(2048);
  out.BeginObject().Key("items").BeginArray();
  for (const auto& [account_id, label, total, unread] : *labels) {
    out.BeginObject()
        .Member("id", label.external_id)
        .Member("account_id", account_id.text())
        .Member("name", label.name)
        .Member("kind", label.role == Role::kNone ? "user" : "system");
    WriteText(out, "role", RoleName(label.role));
    out.Member("visible", label.visible).Member("unread", unread).Member("total", total).EndObject();
  }
  out.EndArray().Key("next_cursor").Null().EndObject();
  co_return Json(200, out.Take());
}

}  // namespace latchkey::api
