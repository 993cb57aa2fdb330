#include "api/handlers.hpp"
#include "api/input.hpp"
#include "api/outgoing.hpp"
#include "api/respond.hpp"
#include "api/shapes.hpp"
#include "base/json.hpp"
#include "mail/send_mail.hpp"

namespace latchkey::api {
namespace {

void WritePeople(json::Writer& out, std::string_view name, const std::vector<mail::Address>& people) {
  out.Key(name).BeginArray();
  for (const auto& person : people) WritePerson(out, person);
  out.EndArray();
}

}  // namespace

void WriteOutgoing(json::Writer& out, const mail::OutboxEntry& entry) {
  out.BeginObject()
      .Member("id", entry.id.text())
      .Member("account_id", entry.account_id.text())
      .Member("state", mail::ToString(entry.state));
  WriteText(out, "error_code", entry.error ? ToString(*entry.error) : std::string_view());
  out.Key("params").BeginObject().EndObject().Key("from");
  WritePerson(out, entry.mail.from);
  WritePeople(out, "to", entry.mail.to);
  WritePeople(out, "cc", entry.mail.cc);
  WritePeople(out, "bcc", entry.mail.bcc);
  out.Member("subject", entry.mail.subject);
  WriteInstant(out, "created_at", entry.created_at);
  WriteInstant(out, "send_at", entry.send_at);
  WriteInstant(out, "sent_at", entry.sent_at);
  WriteText(out, "message_id", entry.synced.text());
  out.EndObject();
}

http::Response OutgoingResponse(int status, const mail::OutboxEntry& entry) {
  json::Writer out(1024);
  WriteOutgoing(out, entry);
  return Json(status, out.Take());
}

Answer ListOutbox(Call& call) {
  auto account = QueryId<ConnectedAccountId>(call, "account");
  if (!account) co_return Fail(account.error());
  auto cursor = QueryText(call, "cursor", 64);
  if (!cursor) co_return Fail(cursor.error());
  auto limit = QueryLimit(call);
  if (!limit) co_return Fail(limit.error());
  if (!account->empty()) {
    auto owned = co_await call.services.accounts.Get(call.user().id, *account);
    if (!owned) co_return Fail(owned.error());
  }
  auto page = co_await call.services.send_mail.outbox().List(call.user().id, *account, *cursor, *limit);
  if (!page) co_return Fail(page.error());
  json::Writer out(1024 * page->items.size() + 64);
  out.BeginObject().Key("items").BeginArray();
  for (const auto& entry : page->items) WriteOutgoing(out, entry);
  out.EndArray();
  WriteText(out, "next_cursor", page->next_cursor);
  out.EndObject();
  co_return Json(200, out.Take());
}

Answer GetOutgoing(Call& call) {
  auto id = PathId<mail::OutboxId>(call);
  if (!id) co_return Fail(id.error());
  auto entry = co_await call.services.send_mail.outbox().Get(call.user().id, *id);
  if (!entry) co_return Fail(entry.error());
  co_return OutgoingResponse(200, *entry);
}

Answer CancelOutgoing(Call& call) {
  auto id = PathId<mail::OutboxId>(call);
  if (!id) co_return Fail(id.error());
  auto entry = co_await call.services.send_mail.outbox().Dismiss(call.user().id, *id);
  if (!entry) co_return Fail(entry.error());
  co_return OutgoingResponse(200, *entry);
}

Answer RetryOutgoing(Call& call) {
  auto id = PathId<mail::OutboxId>(call);
  if (!id) co_return Fail(id.error());
  bool confirmed = false;
  if (!call.body.is_null()) {
    auto members = json::Members::Of(call.body);
    if (!members) co_return Fail(members.error());
    auto flag = members->OptionalBool("confirmed");
    if (!flag) co_return Fail(flag.error());
    if (auto others = members->RefuseOthers(); !others) co_return Fail(others.error());
    confirmed = flag->value_or(false);
  }
  auto entry = co_await call.services.send_mail.outbox().Retry(call.user().id, *id, confirmed);
  if (!entry) co_return Fail(entry.error());
  co_return OutgoingResponse(202, *entry);
}

}  // namespace latchkey::api
