#include <algorithm>

#include "api/handlers.hpp"
#include "api/input.hpp"
#include "api/respond.hpp"
#include "api/shapes.hpp"

namespace latchkey::api {
namespace {

http::Response ReportResponse(int status, const audit::Report& report) {
  json::Writer out(1024);
  out.BeginObject().Member("state", audit::ToString(report.state));
  WriteInstant(out, "as_of", report.as_of);
  WriteInstant(out, "started_at", report.started_at);
  WriteInstant(out, "finished_at", report.finished_at);
  WriteText(out, "error_code", report.error_code);
  for (const auto service : {audit::Service::kMail, audit::Service::kCalendar}) {
    const auto found = report.services.find(service);
    out.Key(audit::ToString(service));
    if (found == report.services.end()) {
      out.Null();
      continue;
    }
    const audit::ServiceReport& part = found->second;
    out.BeginObject()
        .Member("provider_count", part.provider_count)
        .Member("stored_count", part.stored_count)
        .Member("missing_count", part.missing_count)
        .Member("surplus_count", part.surplus_count)
        .Member("fetched_count", part.fetched_count);
    out.Key("missing").BeginArray();
    for (std::string id : part.missing) {
      // An event is named with its calendar.
      std::ranges::replace(id, '\n', ' ');
      out.Value(id);
    }
    out.EndArray().EndObject();
  }
  out.EndObject();
  return Json(status, out.Take());
}

}  // namespace

Answer StartAudit(Call& call) {
  auto id = PathId<ConnectedAccountId>(call);
  if (!id) co_return Fail(id.error());
  auto requested = co_await call.services.audits.Request(call.user().id, *id);
  if (!requested) co_return Fail(requested.error());
  auto report = co_await call.services.audits.Read(call.user().id, *id);
  if (!report) co_return Fail(report.error());
  co_return ReportResponse(202, *report);
}

Answer GetAudit(Call& call) {
  auto id = PathId<ConnectedAccountId>(call);
  if (!id) co_return Fail(id.error());
  auto report = co_await call.services.audits.Read(call.user().id, *id);
  if (!report) co_return Fail(report.error());
  co_return ReportResponse(200, *report);
}

}  // namespace latchkey::api
