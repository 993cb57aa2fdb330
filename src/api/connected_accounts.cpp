#include "connected_accounts/accounts.hpp"

#include <algorithm>

#include "api/handlers.hpp"
#include "api/input.hpp"
#include "api/respond.hpp"
#include "api/shapes.hpp"
#include "base/json.hpp"

namespace latchkey::api {
namespace {

using connected_accounts::AccountView;
using connected_accounts::Capability;
using connected_accounts::Status;

http::Response AccountResponse(const Call& call, int status, const AccountView& view) {
  json::Writer out(1024);
  WriteAccount(out, view, call.user(), AdminConsentUrlOf(call.services.providers, view.account));
  return Json(status, out.Take());
}

// The seed's five words for a mailbox's sync.
std::string_view SyncWord(Status status) {
  switch (status) {
    case Status::kPending:
    case Status::kAuthorizing:
      return "PENDING";
    case Status::kImporting:
    case Status::kSyncing:
    case Status::kRateLimited:
      return "IN_PROGRESS";
    case Status::kHealthy:
    case Status::kDisconnected:
      return "COMPLETED";
    case Status::kPaused:
    case Status::kDisconnecting:
      return "PAUSED";
    default:
      return "FAILED";
  }
}

void WriteCheck(json::Writer& out, std::string_view name, std::string_view status, std::string_view code,
                const std::optional<Instant>& checked_at) {
  out.BeginObject().Member("name", name).Member("status", status);
  WriteText(out, "code", code);
  WriteInstant(out, "checked_at", checked_at);
  out.EndObject();
}

void WriteService(json::Writer& out, std::string_view name, const connected_accounts::ServiceHealth& service) {
  out.Key(name).BeginObject().Member("status", service.status ? ToString(*service.status) : "off");
  WriteText(out, "reason", service.reason);
  out.Member("action", ToString(service.action));
  WriteInstant(out, "next_attempt_at", service.next_attempt_at);
  out.EndObject();
}

void WriteCalendarCheck(json::Writer& out, const connected_accounts::ConnectedAccount& account) {
  const auto& facts = account.calendar;
  const bool reads = std::ranges::find(account.granted, Capability::kReadCalendar) != account.granted.end();
  if (!reads) return;
  WriteCheck(out, "calendar_sync", facts.fault ? "failing" : (facts.last_sync_at ? "ok" : "waiting"),
             facts.fault ? ToString(*facts.fault) : "", facts.fault ? facts.fault_since : facts.last_sync_at);
}

}  // namespace

Answer ListConnectedAccounts(Call& call) {
  auto accounts = co_await call.services.accounts.List(call.user().id);
  if (!accounts) co_return Fail(accounts.error());
  json::Writer out(1024);
  out.BeginObject().Key("items").BeginArray();
  for (const auto& view : *accounts)
    WriteAccount(out, view, call.user(), AdminConsentUrlOf(call.services.providers, view.account));
  out.EndArray().Key("next_cursor").Null().EndObject();
  co_return Json(200, out.Take());
}

Answer GetConnectedAccount(Call& call) {
  auto id = PathId<ConnectedAccountId>(call);
  if (!id) co_return Fail(id.error());
  auto view = co_await call.services.accounts.Get(call.user().id, *id);
  if (!view) co_return Fail(view.error());
  co_return AccountResponse(call, 200, *view);
}

Answer UpdateConnectedAccount(Call& call) {
  auto id = PathId<ConnectedAccountId>(call);
  if (!id) co_return Fail(id.error());
  auto members = json::Members::Of(call.body);
  if (!members) co_return Fail(members.error());
  auto name = members->String("display_name");
  if (!name) co_return Fail(name.error());
  if (auto others = members->RefuseOthers(); !others) co_return Fail(others.error());
  auto view = co_await call.services.accounts.Rename(call.user().id, *id, *name);
  if (!view) co_return Fail(view.error());
  co_return AccountResponse(call, 200, *view);
}

Answer SyncNow(Call& call) {
  auto id = PathId<ConnectedAccountId>(call);
  if (!id) co_return Fail(id.error());
  auto view = co_await call.services.accounts.RequestSync(call.user().id, *id);
  if (!view) co_return Fail(view.error());
  co_return AccountResponse(call, 202, *view);
}

Answer PauseAccount(Call& call) {
  auto id = PathId<ConnectedAccountId>(call);
  if (!id) co_return Fail(id.error());
  auto view = co_await call.services.accounts.Pause(call.user().id, *id);
  if (!view) co_return Fail(view.error());
  co_return AccountResponse(call, 200, *view);
}

Answer ResumeAccount(Call& call) {
  auto id = PathId<ConnectedAccountId>(call);
  if (!id) co_return Fail(id.error());
  auto view = co_await call.services.accounts.Resume(call.user().id, *id);
  if (!view) co_return Fail(view.error());
  co_return AccountResponse(call, 200, *view);
}

Answer ListAccountActivity(Call& call) {
  auto id = PathId<ConnectedAccountId>(call);
  if (!id) co_return Fail(id.error());
  auto limit = QueryLimit(call);
  if (!limit) co_return Fail(limit.error());
  auto cursor = QueryText(call, "cursor", 512);
  if (!cursor) co_return Fail(cursor.error());
  const std::string after(*cursor);
  auto owned = co_await call.services.accounts.Get(call.user().id, *id);
  if (!owned) co_return Fail(owned.error());
  auto page = co_await call.services.account_store.ListActivity(call.user().id, *id, after, *limit);
  if (!page) co_return Fail(page.error());
  json::Writer out(1024);
  out.BeginObject().Key("items").BeginArray();
  for (const auto& row : page->rows) {
    out.BeginObject().Member("id", row.id).Member("job_type", row.job_type).Member("status", row.status);
    WriteText(out, "error_code", row.error_code);
    out.Key("params").BeginObject().EndObject();
    WriteInstant(out, "started_at", row.started_at);
    WriteInstant(out, "completed_at", row.completed_at);
    WriteInstant(out, "created_at", row.created_at);
    out.EndObject();
  }
  out.EndArray();
  WriteText(out, "next_cursor", page->next_cursor);
  out.EndObject();
  co_return Json(200, out.Take());
}

Answer GetAccountHealth(Call& call) {
  auto id = PathId<ConnectedAccountId>(call);
  if (!id) co_return Fail(id.error());
  auto view = co_await call.services.accounts.Get(call.user().id, *id);
  if (!view) co_return Fail(view.error());
  const auto& account = view->account;
  const auto code = account.fault ? ToString(*account.fault) : std::string_view();
  const bool access_fault = account.fault && OwnerOf(*account.fault) == FaultOwner::kAccount;
  const bool live_fault = account.fault && !access_fault;
  const bool scope_missing = std::ranges::any_of(account.requested, [&](Capability capability) {
    return std::ranges::find(account.granted, capability) == account.granted.end();
  });
  json::Writer out(512);
  out.BeginObject().Member("account_id", account.id.text()).Member("status", ToString(view->health.status));
  WriteText(out, "reason", view->health.reason);
  out.Key("services").BeginObject();
  WriteService(out, "mail", view->health.mail);
  WriteService(out, "calendar", view->health.calendar);
  WriteService(out, "send", view->health.send);
  out.EndObject().Key("checks").BeginArray();
  const auto access_time = access_fault ? account.fault_since : account.last_success_at;
  WriteCheck(out, "access", access_fault ? "failing" : (account.last_success_at ? "ok" : "waiting"),
             access_fault ? code : "", access_time);
  WriteCheck(out, "permissions", scope_missing ? "failing" : "ok", scope_missing ? "missing_scope" : "",
             account.created_at);
  WriteCheck(out, "live_sync", live_fault ? "failing" : (account.last_success_at ? "ok" : "waiting"),
             live_fault ? code : "", live_fault ? account.fault_since : account.last_success_at);
  WriteCheck(out, "backfill", account.backfill_complete ? "ok" : "waiting", "", account.backfill_started_at);
  if (call.services.push_configured) {
    auto push = co_await call.services.push_channels.Stand(account.id, call.services.clock.Now());
    if (!push) co_return Fail(push.error());
    // Waiting, not failing: everything works without push, a little later.
    WriteCheck(out, "push", push->active > 0 ? "ok" : "waiting", "", push->notified_at);
  }
  WriteCalendarCheck(out, account);
  out.EndArray().EndObject();
  co_return Json(200, out.Take());
}

Answer ListSyncStatus(Call& call) {
  auto accounts = co_await call.services.accounts.List(call.user().id);
  if (!accounts) co_return Fail(accounts.error());
  json::Writer out(1024);
  out.BeginObject().Key("items").BeginArray();
  for (const auto& [account, health] : *accounts) {
    out.BeginObject()
        .Member("account_id", account.id.text())
        .Member("status", ToString(health.status))
        .Member("sync_status", SyncWord(health.status))
        .Member("sync_stage", account.backfill_complete ? "INCREMENTAL" : "INITIAL");
    WriteInstant(out, "last_sync_at", account.last_success_at);
    WriteInstant(out, "next_sync_at", health.next_attempt_at);
    out.Member("synced_messages_count", account.message_count);
    WriteText(out, "error_code", account.fault ? ToString(*account.fault) : std::string_view());
    WriteProgress(out, "progress", health.progress);
    out.EndObject();
  }
  out.EndArray().Key("next_cursor").Null().EndObject();
  co_return Json(200, out.Take());
}

}  // namespace latchkey::api
