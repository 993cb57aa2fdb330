#include "jobs/job_store.hpp"

#include "api/handlers.hpp"
#include "api/input.hpp"
#include "api/lifecycle.hpp"
#include "api/respond.hpp"
#include "api/shapes.hpp"
#include "crypto/hash.hpp"

namespace latchkey::api {
namespace {

Answer JobResponse(Call& call, const JobId& id) {
  auto job = co_await call.services.jobs.Get(id);
  if (!job) co_return Fail(job.error());
  json::Writer out;
  WriteJob(out, *job);
  co_return Json(200, out.Take());
}

// Notices have no id of their own: provider and code make one, always the same.
std::string NoticeId(std::string_view provider, std::string_view code) {
  const auto hex = crypto::Sha256Hex(std::string(provider) + "/" + std::string(code));
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-8" + hex.substr(13, 3) + "-8" + hex.substr(17, 3) + "-" +
         hex.substr(20, 12);
}

}  // namespace

Answer ListJobs(Call& call) {
  jobs::JobFilter filter;
  if (const auto text = call.request.FindQuery("state")) {
    filter.state = jobs::ParseJobState(*text);
    if (!filter.state) co_return Fail(ErrorCode::kInvalidArgument, "state is not known");
  }
  auto kind = QueryText(call, "kind", 100);
  if (!kind) co_return Fail(kind.error());
  auto account = QueryId<ConnectedAccountId>(call, "account");
  if (!account) co_return Fail(account.error());
  auto cursor = QueryText(call, "cursor", 512);
  if (!cursor) co_return Fail(cursor.error());
  auto limit = QueryLimit(call);
  if (!limit) co_return Fail(limit.error());
  filter.kind = *kind;
  filter.account_id = *account;
  filter.cursor = *cursor;
  filter.limit = *limit;
  auto page = co_await call.services.jobs.List(filter);
  if (!page) co_return Fail(page.error());
  json::Writer out(4096);
  out.BeginObject().Key("items").BeginArray();
  for (const auto& job : page->items) WriteJob(out, job);
  out.EndArray();
  WriteText(out, "next_cursor", page->next_cursor);
  out.EndObject();
  co_return Json(200, out.Take());
}

Answer RetryJob(Call& call) {
  auto id = PathId<JobId>(call);
  if (!id) co_return Fail(id.error());
  auto done = co_await call.services.jobs.RetryNow(*id);
  if (!done) co_return Fail(done.error());
  co_return co_await JobResponse(call, *id);
}

Answer CancelJob(Call& call) {
  auto id = PathId<JobId>(call);
  if (!id) co_return Fail(id.error());
  auto done = co_await call.services.jobs.Cancel(*id);
  if (!done) co_return Fail(done.error());
  co_return co_await JobResponse(call, *id);
}

Answer ListNotices(Call& call) {
  auto notices = co_await call.services.account_store.ListNotices();
  if (!notices) co_return Fail(notices.error());
  json::Writer out(1024);
  out.BeginObject().Key("items").BeginArray();
  if (const auto& trouble = call.services.lifecycle.store.notice()) {
    const auto code = ToString(trouble->code);
    out.BeginObject().Member("id", NoticeId("", code)).Member("code", code).Key("provider").Null();
    out.Key("params").BeginObject().EndObject().Member("count", 1);
    WriteInstant(out, "since", trouble->since);
    WriteInstant(out, "last_seen_at", trouble->last_seen);
    out.EndObject();
  }
  for (const auto& notice : *notices) {
    out.BeginObject().Member("id", NoticeId(notice.provider, notice.code)).Member("code", notice.code);
    WriteText(out, "provider", notice.provider);
    out.Key("params").BeginObject();
    if (!notice.reason.empty()) out.Member("reason", notice.reason);
    out.EndObject().Member("count", notice.count);
    WriteInstant(out, "since", notice.since);
    WriteInstant(out, "last_seen_at", notice.last_seen);
    out.EndObject();
  }
  out.EndArray().Key("next_cursor").Null().EndObject();
  co_return Json(200, out.Take());
}

}  // namespace latchkey::api
