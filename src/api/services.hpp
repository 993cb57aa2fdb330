#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "async/worker_pool.hpp"
#include "audit/audit_store.hpp"
#include "base/clock.hpp"
#include "base/secret.hpp"
#include "calendar/calendar_store.hpp"
#include "connected_accounts/accounts.hpp"
#include "connected_accounts/connect.hpp"
#include "connected_accounts/disconnect.hpp"
#include "connected_accounts/scope_catalog.hpp"
#include "events/event.hpp"
#include "identity/sessions.hpp"
#include "identity/setup.hpp"
#include "identity/sign_in.hpp"
#include "images/image_proxy.hpp"
#include "jobs/job_store.hpp"
#include "limits/request_limit.hpp"
#include "mail/mail_provider.hpp"
#include "mail/message_store.hpp"
#include "mail/send_mail.hpp"
#include "oauth/identity_provider.hpp"
#include "push/receiver.hpp"
#include "telemetry/metrics.hpp"

namespace latchkey::api {

class Downloads;
class LoadGate;
struct Lifecycle;
class EventStreams;
class SessionCache;

/// Where this installation is and what it shows of itself. All absolute addresses come from here, never from a request.
struct Site {
  std::string public_url;    ///< Without trailing slash.
  std::string frontend_url;  ///< Without trailing slash.
  bool https = false;
  std::string version;
  SecretString metrics_token;
  std::string openapi_json;
};

/// What handlers work with. Everything outlives the server; loop thread only.
struct Services {
  const Site& site;
  identity::IdentityStore& identities;
  identity::Sessions& sessions;
  identity::SignIn& sign_in;
  const oauth::IdentityProviders& providers;
  const connected_accounts::ScopeCatalogs& scopes;
  connected_accounts::AccountStore& account_store;
  connected_accounts::Accounts& accounts;
  connected_accounts::Connect& connect;
  connected_accounts::Disconnect& disconnect;
  mail::MessageReader& messages;
  mail::MailProviders& mail_providers;
  images::ImageProxy& images;
  calendar::CalendarStore& calendars;
  calendar::CalendarReader& calendar_reader;
  jobs::JobStore& jobs;
  events::EventStore& events;
  audit::AuditStore& audits;
  push::Receiver& push;
  push::PushStore& push_channels;
  /// Whether providers are asked to notify us at all.
  bool push_configured = false;
  EventStreams& streams;
  SessionCache& session_cache;
  /// Counts tries to sign in or connect by client network.
  limits::RequestLimit& auth_limit;
  /// Counts notifications by client network.
  limits::RequestLimit& webhook_limit;
  metrics::Registry& metrics;
  /// For work that would hold up the loop.
  WorkerPool& workers;
  mail::SendMail& send_mail;
  /// Counts mails and uploads by person.
  limits::RequestLimit& send_limit;
  Downloads& downloads;
  /// Where the limits above are kept.
  limits::Limiter& limiter;
  LoadGate& gate;
  const Lifecycle& lifecycle;
  const Clock& clock;
};

}  // namespace latchkey::api
