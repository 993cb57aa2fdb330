#include "api/routes.hpp"

#include <algorithm>

#include "api/dispatch.hpp"
#include "api/handlers.hpp"

namespace latchkey::api {
namespace {

using enum http::Method;

constexpr Route kRoutes[] = {
    // Flow 1
    {.path = "/auth/login/{provider}",
     .handler = StartSignIn,
     .access = Access::kNone,
     .query = "return_to",
     .shape = Shape::kBrowser,
     .rate_limited = true,
     .urgency = Urgency::kSignIn},
    {.path = "/auth/login/{provider}/callback",
     .handler = FinishSignIn,
     .access = Access::kNone,
     .query = "*",
     .shape = Shape::kBrowser,
     .rate_limited = true,
     .urgency = Urgency::kSignIn},
    {.path = "/auth/setup",
     .handler = BindSetup,
     .access = Access::kNone,
     .query = "token",
     .shape = Shape::kBrowser,
     .rate_limited = true,
     .urgency = Urgency::kSignIn},

    // Sessions
    {.path = "/auth/session", .handler = GetSession, .access = Access::kOptionalSession, .urgency = Urgency::kSignIn},
    {.path = "/auth/sessions", .handler = ListSessions, .urgency = Urgency::kSignIn},
    {.method = kDelete, .path = "/auth/sessions/{id}", .handler = EndSession, .urgency = Urgency::kSignIn},
    {.method = kPost,
     .path = "/auth/logout",
     .handler = Logout,
     .body = Body::kOptionalJson,
     .urgency = Urgency::kSignIn},

    // Flow 2
    {.path = "/auth/apis/connect/{provider}",
     .handler = StartConnect,
     .access = Access::kOptionalSession,
     .query = "attempt ticket capabilities mode account",
     .shape = Shape::kBrowser,
     .rate_limited = true,
     .urgency = Urgency::kSignIn},
    {.method = kPost,
     .path = "/auth/apis/connect/{provider}",
     .handler = IssueConnectTicket,
     .body = Body::kOptionalJson,
     .rate_limited = true,
     .urgency = Urgency::kSignIn},
    {.path = "/auth/apis/connect/{provider}/callback",
     .handler = FinishConnect,
     .access = Access::kNone,
     .query = "*",
     .shape = Shape::kBrowser,
     .rate_limited = true,
     .urgency = Urgency::kSignIn},
    {.method = kPost, .path = "/api/v1/connect-attempts", .handler = CreateConnectAttempt, .body = Body::kJson},
    {.path = "/api/v1/connect-attempts/{id}", .handler = GetConnectAttempt},

    // Connected accounts
    {.path = "/api/v1/connected-accounts", .handler = ListConnectedAccounts},
    {.path = "/api/v1/connected-accounts/{id}", .handler = GetConnectedAccount},
    {.method = kPatch,
     .path = "/api/v1/connected-accounts/{id}",
     .handler = UpdateConnectedAccount,
     .body = Body::kJson},
    {.method = kDelete, .path = "/api/v1/connected-accounts/{id}", .handler = DisconnectAccount},
    {.path = "/api/v1/connected-accounts/{id}/erasure-preview", .handler = PreviewErasure},
    {.method = kPost, .path = "/api/v1/connected-accounts/{id}/sync", .handler = SyncNow},
    {.method = kPost, .path = "/api/v1/connected-accounts/{id}/pause", .handler = PauseAccount},
    {.method = kPost, .path = "/api/v1/connected-accounts/{id}/resume", .handler = ResumeAccount},
    {.method = kPost,
     .path = "/api/v1/connected-accounts/{id}/reconnect",
     .handler = ReconnectAccount,
     .body = Body::kOptionalJson},
    {.path = "/api/v1/connected-accounts/{id}/activity", .handler = ListAccountActivity, .query = "cursor limit"},
    {.path = "/api/v1/connected-accounts/{id}/health", .handler = GetAccountHealth},
    {.path = "/api/v1/connected-accounts/{id}/audit", .handler = GetAudit},
    {.method = kPost, .path = "/api/v1/connected-accounts/{id}/audit", .handler = StartAudit},
    {.path = "/api/v1/erasures/{id}", .handler = GetErasure},
    {.path = "/api/v1/sync-status", .handler = ListSyncStatus},

    // Mail
    {.path = "/api/v1/labels", .handler = ListLabels, .query = "account"},
    {.path = "/api/v1/messages", .handler = ListMessages, .query = "account folder q thread cursor limit"},
    {.path = "/api/v1/messages/{id}", .handler = GetMessage},
    {.path = "/api/v1/messages/{id}/view", .handler = ViewMessage, .query = "images", .shape = Shape::kDocument},
    {.path = "/api/v1/messages/{id}/attachments/{attachment_id}",
     .handler = DownloadAttachment,
     .urgency = Urgency::kLater},
    {.path = "/api/v1/images/{token}", .handler = ProxyImage, .access = Access::kNone, .urgency = Urgency::kLater},

    // Calendars
    {.path = "/api/v1/calendars", .handler = ListCalendars, .query = "account"},
    {.method = kPatch, .path = "/api/v1/calendars/{id}", .handler = UpdateCalendar, .body = Body::kJson},
    {.path = "/api/v1/calendar-events",
     .handler = ListCalendarEvents,
     .query = "from to time_zone account calendar cursor limit"},
    {.path = "/api/v1/calendar-events/{id}", .handler = GetCalendarEvent},
    // Sending
    {.method = kPost,
     .path = "/api/v1/messages",
     .handler = SendMessage,
     .body = Body::kJson,
     .max_body_bytes = 8 << 20},
    {.method = kPost,
     .path = "/api/v1/uploads",
     .handler = UploadFile,
     .query = "name type",
     .body = Body::kStream,
     .max_body_bytes = 64 << 20,
     .urgency = Urgency::kLater},
    {.method = kDelete, .path = "/api/v1/uploads/{id}", .handler = DeleteUpload},
    {.path = "/api/v1/outbox", .handler = ListOutbox, .query = "account cursor limit"},
    {.path = "/api/v1/outbox/{id}", .handler = GetOutgoing},
    {.method = kDelete, .path = "/api/v1/outbox/{id}", .handler = CancelOutgoing},
    {.method = kPost, .path = "/api/v1/outbox/{id}/retry", .handler = RetryOutgoing, .body = Body::kOptionalJson},
    {.path = "/api/v1/connected-accounts/{id}/send-addresses", .handler = ListSendAddresses},

    // Live
    {.path = "/api/v1/events", .handler = StreamEvents},

    // Notifications of providers
    {.method = kPost,
     .path = "/webhooks/google/gmail",
     .handler = ReceiveGmailPush,
     .access = Access::kNone,
     .query = "*",
     .body = Body::kRaw,
     .webhook = true,
     .urgency = Urgency::kLater},
    {.method = kPost,
     .path = "/webhooks/google/calendar",
     .handler = ReceiveCalendarPush,
     .access = Access::kNone,
     .query = "*",
     .body = Body::kRaw,
     .webhook = true,
     .urgency = Urgency::kLater},
    {.method = kPost,
     .path = "/webhooks/microsoft",
     .handler = ReceiveGraphPush,
     .access = Access::kNone,
     .query = "*",
     .body = Body::kRaw,
     .webhook = true,
     .urgency = Urgency::kLater},

    // Operations
    {.path = "/api/v1/jobs", .handler = ListJobs, .access = Access::kAdmin, .query = "state kind account cursor limit"},
    {.method = kPost, .path = "/api/v1/jobs/{id}/retry", .handler = RetryJob, .access = Access::kAdmin},
    {.method = kPost, .path = "/api/v1/jobs/{id}/cancel", .handler = CancelJob, .access = Access::kAdmin},
    {.path = "/api/v1/admin/notices", .handler = ListNotices, .access = Access::kAdmin},
    {.path = "/health", .handler = GetHealth, .access = Access::kNone, .query = "*", .urgency = Urgency::kAlways},
    {.path = "/livez",
     .handler = GetHealth,
     .access = Access::kNone,
     .query = "*",
     .urgency = Urgency::kAlways,
     .by_workers = true},
    {.path = "/readyz",
     .handler = GetReadiness,
     .access = Access::kNone,
     .query = "*",
     .urgency = Urgency::kAlways,
     .by_workers = true},
    {.path = "/metrics",
     .handler = GetMetrics,
     .access = Access::kNone,
     .urgency = Urgency::kAlways,
     .by_workers = true},
    {.path = "/openapi.json", .handler = GetOpenApi, .access = Access::kNone},
    {.path = "/.well-known/jwks.json", .handler = GetJwks, .access = Access::kNone},

    // The seeds' names, same handlers
    {.path = "/api/connected-accounts", .handler = ListConnectedAccounts},
    {.path = "/api/sync-status", .handler = ListSyncStatus},
    {.path = "/api/v1/email-connections", .handler = ListConnectedAccounts},
    {.path = "/api/v1/email-connections/{id}", .handler = GetConnectedAccount},
    {.method = kDelete, .path = "/api/v1/email-connections/{id}", .handler = DisconnectAccount},
    {.method = kPost, .path = "/auth/apis/disconnect/{provider}", .handler = DisconnectByProvider},
    {.method = kPost,
     .path = "/send/{provider}",
     .handler = SendByProvider,
     .body = Body::kJson,
     .max_body_bytes = 8 << 20},
};

}  // namespace

std::span<const Route> Routes() { return kRoutes; }

std::vector<http::Route> BindRoutes(const Services& services, bool worker_only) {
  std::vector<http::Route> out;
  for (const auto& route : kRoutes) {
    if (worker_only && !route.by_workers) continue;
    http::Route bound;
    bound.method = route.method;
    bound.pattern = route.path;
    bound.handler = [&services, &route](http::Request& request) { return Dispatch(services, route, request); };
    bound.access = http::Access::kPublic;  // Dispatch decides.
    bound.max_body_bytes = route.body == Body::kNone ? 4 << 10 : route.max_body_bytes;
    bound.streams_body = route.body == Body::kStream;
    out.push_back(std::move(bound));
  }
  return out;
}

bool IsEssential(std::string_view path) {
  return std::ranges::any_of(
      kRoutes, [&](const Route& route) { return route.urgency == Urgency::kAlways && route.path == path; });
}

}  // namespace latchkey::api
