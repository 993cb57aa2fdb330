#include "app/app.hpp"

#include <unistd.h>
#include <iostream>

#include <fmt/format.h>

#include "api/downloads.hpp"
#include "api/event_streams.hpp"
#include "api/lifecycle.hpp"
#include "api/load_gate.hpp"
#include "api/routes.hpp"
#include "api/services.hpp"
#include "api/session_cache.hpp"
#include "api/web_app.hpp"
#include "app/all_calendars.hpp"
#include "app/calendar_account_status.hpp"
#include "app/file_lock.hpp"
#include "app/keys.hpp"
#include "app/mail_account_status.hpp"
#include "app/mailboxes.hpp"
#include "app/ready_file.hpp"
#include "app/sending.hpp"
#include "app/wire_providers.hpp"
#include "app/wire_push.hpp"
#include "app/work.hpp"
#include "async/run_until.hpp"
#include "async/task_group.hpp"
#include "async/timer.hpp"
#include "base/encoding.hpp"
#include "connected_accounts/store_provider_records.hpp"
#include "connected_accounts/token_source.hpp"
#include "crypto/hash.hpp"
#include "http/server.hpp"
#include "http_client/curl_http_client.hpp"
#include "limits/memory_limiter.hpp"
#include "limits/redis_limiter.hpp"
#include "limits/redis_seats.hpp"
#include "limits/request_limit.hpp"
#include "mail/send_mail.hpp"
#include "providers/google/calendar.hpp"
#include "providers/google/gmail.hpp"
#include "providers/google/gmail_sender.hpp"
#include "providers/microsoft/graph_calendar.hpp"
#include "providers/microsoft/graph_sender.hpp"
#include "storage/database.hpp"
#include "telemetry/log.hpp"

namespace latchkey::app {
namespace {

/// Mails put together at once: each may hold its attachments in memory twice over.
constexpr std::size_t kCompositions = 2;

http_client::ClientOptions ClientOptions(const config::Settings& settings, metrics::Registry& metrics) {
  http_client::ClientOptions options;
  AddGoogleOrigins(settings, options.allowed_origins);
  AddMicrosoftOrigins(settings, options.allowed_origins);
  options.ca_file = settings.ca_file;
  options.user_agent = "latchkey/" LATCHKEY_VERSION;
  options.metrics = &metrics;
  return options;
}

http_client::ClientOptions ImageClientOptions(const config::Settings& settings) {
  http_client::ClientOptions options;
  options.any_public_host = true;
  options.ca_file = settings.ca_file;
  options.user_agent = "Mozilla/5.0 (compatible; latchkey/" LATCHKEY_VERSION ")";
  return options;
}

/// The host of our own address, for what has to be unique in the world.
std::string HostOf(std::string_view url) {
  url.remove_prefix(std::min(url.size(), url.find("://") + 3));
  url = url.substr(0, url.find_first_of("/:?"));
  // An address literal is no host name; mail ids need something like one.
  const bool named = url.find_first_not_of("0123456789.[]") != std::string_view::npos && !url.empty();
  return named ? std::string(url) : "latchkey.localhost";
}

sync::QuotaBudget::Limits QuotaLimits(const config::Settings& settings) {
  sync::QuotaBudget::Limits limits;
  limits.account_units_per_minute = settings.google.quota_units_per_minute;
  limits.project_units_per_minute = settings.google.project_quota_units_per_minute;
  return limits;
}

/// Calendar counts requests, whatever they ask for; 600 a minute is what its console shows for one person.
sync::QuotaBudget::Limits CalendarLimits() {
  sync::QuotaBudget::Limits limits;
  limits.account_units_per_minute = 600;
  limits.project_units_per_minute = 0;
  return limits;
}

/// Shared over Redis when there is one, else in memory. `redis` is told in the first case.
std::unique_ptr<limits::Limiter> MakeLimiter(const Executor& executor, const config::Settings& settings,
                                             const Clock& clock, metrics::Registry& metrics,
                                             limits::RedisLimiter*& redis) {
  if (!settings.redis) return std::make_unique<limits::MemoryLimiter>(clock);
  limits::RedisLimiter::Options options;
  options.connection.ca_file = settings.ca_file;
  options.key_secret = crypto::DeriveKey(settings.session_secret, "rate limits");
  auto made = std::make_unique<limits::RedisLimiter>(executor, *settings.redis, clock, metrics, std::move(options));
  redis = made.get();
  return made;
}

}  // namespace

// In dependency order: destruction goes backwards. What needs the address we listen on is optional and built later.
struct App::Parts {
  Parts(boost::asio::io_context& loop, const config::Settings& settings)
      : executor(loop.get_executor()),
        workers(settings.WorkerThreads()),
        http_client(executor, ClientOptions(settings, metrics)),
        limiter(MakeLimiter(executor, settings, clock, metrics, redis_limiter)),
        budget(*limiter, clock, sync::kGmailService, QuotaLimits(settings)),
        calendar_budget(*limiter, clock, sync::kGoogleCalendarService, CalendarLimits()),
        image_client(executor, ImageClientOptions(settings)),
        auth_limit(*limiter, "sign_in", {.burst = 120, .interval = std::chrono::milliseconds(500)}),
        webhook_limit(*limiter, "webhook", {.burst = 2000, .interval = std::chrono::milliseconds(10)}),
        send_limit(*limiter, "send", {.burst = 60, .interval = std::chrono::seconds(2)}),
        downloads(executor),
        right_of_way(executor),
        gate(api::LoadGate::Limits{}, &metrics),
        compositions(executor, kCompositions),
        upkeep(executor) {}

  Executor executor;
  SystemClock clock;
  metrics::Registry metrics;
  WorkerPool workers;
  /// Of a SQLite file, which one server has to itself.
  std::optional<FileLock> database_file;
  std::optional<WorkerName> worker_name;
  std::unique_ptr<storage::Database> database;
  std::optional<crypto::Vault> vault;
  http_client::CurlHttpClient http_client;
  /// The limiter, when it shares over Redis.
  limits::RedisLimiter* redis_limiter = nullptr;
  std::unique_ptr<limits::Limiter> limiter;
  std::optional<limits::RedisSeats> seats;
  sync::QuotaBudget budget, calendar_budget;
  /// For images that mails refer to, apart from the providers.
  http_client::CurlHttpClient image_client;
  limits::RequestLimit auth_limit;
  limits::RequestLimit webhook_limit;
  limits::RequestLimit send_limit;
  api::Downloads downloads;
  /// Requests and live jobs have it over imports.
  jobs::RightOfWay right_of_way;
  api::LoadGate gate;
  api::Lifecycle lifecycle;
  Semaphore compositions;

  // Everything below needs the public URL.
  api::Site site;
  oauth::IdentityProviders providers;
  connected_accounts::ScopeCatalogs scopes;
  std::optional<oauth::Transactions> transactions;
  std::optional<crypto::SealedBox> confirmations;
  std::optional<connected_accounts::StoreProviderRecords> records;
  std::optional<identity::Sessions> sessions;
  std::optional<identity::SignIn> sign_in;
  std::optional<connected_accounts::Connect> connect;
  std::optional<connected_accounts::Accounts> accounts;
  std::optional<connected_accounts::Disconnect> disconnect;
  std::optional<sync::ProviderPauses> pauses;
  std::optional<connected_accounts::RefreshingTokenSource> tokens;
  std::optional<google::GmailProviders> gmail;
  std::optional<microsoft::GraphClients> graph;
  std::optional<Mailboxes> mailboxes;
  std::optional<google::CalendarProviders> google_calendars;
  std::optional<microsoft::CalendarProviders> microsoft_calendars;
  AllCalendars calendars;
  std::optional<MailAccountStatus> account_status;
  std::optional<CalendarAccountStatus> calendar_status;
  std::optional<images::ImageProxy> images;
  std::optional<Push> push;
  Senders senders;
  std::optional<mail::SendMail> send_mail;
  std::optional<Work> work;
  /// What every process does for itself, whatever its role.
  jobs::Scheduler upkeep;
  std::optional<api::SessionCache> session_cache;
  std::optional<api::EventStreams> streams;
  std::optional<api::Services> services;
  std::optional<api::WebApp> web_app;
  std::optional<http::Router> router;
  std::unique_ptr<http::Server> server;
};

App::App(boost::asio::io_context& loop, config::Settings settings) : loop_(loop), settings_(std::move(settings)) {}
App::~App() = default;

std::expected<void, StartFailure> App::Start() {
  try {
    parts_ = std::make_unique<Parts>(loop_, settings_);
  } catch (const std::exception& failure) {
    return std::unexpected(StartFailure{kExitSettings, fmt::format("{}\n", failure.what())});
  }
  if (auto opened = OpenStorage(); !opened) return opened;
  if (auto listening = Listen(); !listening) return listening;
  BuildServices();
  return Announce();
}

std::expected<void, StartFailure> App::OpenStorage() {
  if (auto alone = TakeDatabaseFile(); !alone) return alone;
  const storage::DatabaseOptions options{.url = settings_.DatabasePath(),
                                         .connections = settings_.database_connections};
  auto database = storage::Database::Open(options, parts_->executor, parts_->clock);
  if (!database)
    return std::unexpected(
        StartFailure{kExitStorage, fmt::format("The database cannot be used: {}\n", database.error().detail)});
  parts_->database = std::move(*database);
  const auto unfinished = RunUntil(loop_, parts_->database->HasUnfinishedCopy());
  if (!unfinished || *unfinished) {
    return std::unexpected(StartFailure{
        kExitStorage, unfinished
                          ? std::string("The database is an unfinished copy: run `latchkey copy-database` again, "
                                        "with the same --from and --to, until it says that both are the same.\n")
                          : fmt::format("The database cannot be used: {}\n", unfinished.error().detail)});
  }
  auto vault = crypto::Vault::Make(settings_.encryption_keys);
  if (!vault)
    return std::unexpected(StartFailure{kExitSettings, fmt::format("ENCRYPTION_KEY: {}\n", vault.error().detail)});
  parts_->vault.emplace(std::move(*vault));
  if (auto fits = RunUntil(loop_, CheckKeys(parts_->database->keys(), *parts_->vault)); !fits) return fits;
  return TakeName();
}

/// Two servers over one SQLite file would not hear of each other's commits.
std::expected<void, StartFailure> App::TakeDatabaseFile() {
  if (settings_.SharedDatabase()) return {};
  const std::string path = settings_.DatabasePath() + ".serving";
  parts_->database_file = FileLock::TryTake(path);
  // A file that cannot be made is for the database itself to complain about.
  if (parts_->database_file || ::access(path.c_str(), F_OK) != 0) return {};
  return std::unexpected(
      StartFailure{kExitStorage, fmt::format("Another Latchkey serves {} (it holds {}).\nStop it first. Several "
                                             "processes need PostgreSQL: DATABASE_URL=postgresql://...\n",
                                             settings_.DatabasePath(), path)});
}

/// Whoever had our name before is dead: its jobs need not wait until their leases run out.
std::expected<void, StartFailure> App::TakeName() {
  if (settings_.role == config::Role::kWeb) return {};
  parts_->worker_name = TakeWorkerName(settings_.data_dir);
  if (!parts_->worker_name) return {};
  const auto rescued = RunUntil(loop_, parts_->database->jobs().RescueWorker(parts_->worker_name->text));
  if (!rescued) {
    return std::unexpected(
        StartFailure{kExitStorage, fmt::format("The database cannot be used: {}\n", rescued.error().detail)});
  }
  if (*rescued > 0) log::Info("jobs.rescued", {{"count", *rescued}});
  return {};
}

std::expected<void, StartFailure> App::Listen() {
  http::ServerOptions options;
  options.trusted_proxies = settings_.trusted_proxies;
  options.hsts = settings_.Https();
  options.essential = api::IsEssential;
  options.metrics = &parts_->metrics;
  auto& parts = *parts_;
  // The router comes later, once the address is known; the loop serves nobody before.
  http::Handler handler = [&parts](http::Request& request) -> Task<http::Response> {
    const jobs::RightOfWay::Pass pass(parts.right_of_way);
    co_return co_await parts.router->Handle(request);
  };
  auto limit = [&parts](const http::Request& request) { return parts.router->PlanBody(request); };
  try {
    parts.server = std::make_unique<http::Server>(parts.executor, options, std::move(handler), limit);
  } catch (const std::invalid_argument& failure) {
    return std::unexpected(StartFailure{kExitSettings, fmt::format("LATCHKEY_TRUSTED_PROXIES: {}\n", failure.what())});
  }
  if (auto listening = parts.server->Listen(settings_.listen_host, settings_.listen_port); !listening) {
    const auto why = listening.error().code == ErrorCode::kAlreadyExists ? "another program uses that port"
                     : listening.error().code == ErrorCode::kForbidden   ? "this user may not use that port"
                                                                         : "that address is not one of this machine";
    return std::unexpected(StartFailure{
        kExitListen, fmt::format("Cannot listen on {}:{}: {}.\nStop the other program, or choose another address with "
                                 "LATCHKEY_LISTEN (or --listen), for example 127.0.0.1:8001.\n",
                                 settings_.listen_host, settings_.listen_port, why)});
  }
  config::CompleteUrls(settings_, parts.server->port());
  return {};
}

void App::BuildServices() {
  auto& parts = *parts_;
  auto& database = *parts.database;
  if (parts.redis_limiter != nullptr) {
    parts.redis_limiter->Start();
    parts.seats.emplace(*parts.redis_limiter);
  }
  parts.site = {.public_url = settings_.public_url,
                .frontend_url = settings_.frontend_url,
                .https = settings_.Https(),
                .version = LATCHKEY_VERSION,
                .metrics_token = settings_.metrics_token,
                .openapi_json = std::string(api::EmbeddedOpenApi())};
  const ProviderParts provider_parts{.http = parts.http_client,
                                     .clock = parts.clock,
                                     .executor = parts.executor,
                                     .providers = parts.providers,
                                     .scopes = parts.scopes};
  AddGoogle(settings_, provider_parts);
  AddMicrosoft(settings_, provider_parts);
  parts.transactions.emplace(crypto::SealedBox(settings_.session_secret, "oauth transaction"), settings_.Https());
  parts.confirmations.emplace(settings_.session_secret, "connect confirmation");
  parts.records.emplace(database.accounts());
  parts.sessions.emplace(database.identity(), parts.clock, settings_.session_secret);
  parts.sign_in.emplace(identity::SignIn::Parts{parts.providers, *parts.transactions, database.consumed_states(),
                                                *parts.records, database.identity(), *parts.sessions, parts.clock,
                                                parts.executor});
  parts.pauses.emplace(database.pauses(), parts.clock);
  parts.tokens.emplace(connected_accounts::RefreshingTokenSource::Parts{parts.providers,
                                                                        *parts.records,
                                                                        database.accounts(),
                                                                        *parts.vault,
                                                                        *parts.pauses,
                                                                        parts.clock,
                                                                        parts.executor,
                                                                        {}});
  parts.connect.emplace(connected_accounts::Connect::Parts{
      parts.providers, parts.scopes, *parts.transactions, *parts.confirmations, database.consumed_states(),
      *parts.records, database.accounts(), *parts.vault, parts.clock, parts.executor, *parts.tokens,
      [&database, &clock = parts.clock](const ConnectedAccountId& account) -> Task<void> {
        // Consent that was taken back and given anew ended the channels of the account without a word.
        const auto due = co_await database.push().LookAgain(account, clock.Now());
        if (!due) log::Warn("push.look_not_queued", {{"error_code", ToString(due.error().code)}});
      }});
  parts.accounts.emplace(database.accounts(), parts.clock);
  parts.disconnect.emplace(connected_accounts::Disconnect::Parts{parts.providers, database.accounts(), database.jobs(),
                                                                 *parts.vault, parts.clock});
  google::GoogleOptions gmail;
  gmail.gmail_url = settings_.google.gmail_url;
  gmail.calendar_url = settings_.google.calendar_url;
  gmail.max_concurrency = settings_.google.max_concurrency;
  const google::GoogleParts google_parts{parts.http_client, *parts.tokens, parts.budget,  parts.workers,
                                         parts.clock,       gmail,         &*parts.pauses};
  parts.gmail.emplace(google_parts);
  const google::GoogleParts google_calendar_parts{
      parts.http_client, *parts.tokens, parts.calendar_budget, parts.workers, parts.clock, gmail, &*parts.pauses};
  parts.google_calendars.emplace(google_calendar_parts);
  parts.calendars.Add(*parts.google_calendars);
  parts.graph.emplace(microsoft::GraphParts{parts.http_client, *parts.tokens, parts.clock, GraphOptionsOf(settings_),
                                            &*parts.pauses, parts.seats ? &*parts.seats : nullptr});
  parts.mailboxes.emplace(*parts.gmail, *parts.graph, parts.workers);
  parts.microsoft_calendars.emplace(*parts.graph);
  parts.calendars.Add(*parts.microsoft_calendars);
  parts.account_status.emplace(database.accounts());
  parts.calendar_status.emplace(database.accounts());
  parts.senders.Add(std::make_unique<google::GmailSenders>(google_parts, parts.compositions));
  parts.senders.Add(std::make_unique<microsoft::GraphSenders>(*parts.graph));
  parts.send_mail.emplace(mail::SendMail::Parts{.outbox = database.outbox(),
                                                .messages = database.message_reader(),
                                                .senders = parts.senders,
                                                .mailboxes = *parts.mailboxes,
                                                .accounts = *parts.account_status,
                                                .clock = parts.clock,
                                                .domain = HostOf(settings_.public_url)});
  parts.images.emplace(parts.executor, parts.image_client, crypto::SealedBox(settings_.session_secret, "remote image"),
                       parts.clock);
  parts.push.emplace(settings_, Push::Parts{.executor = parts.executor,
                                            .http = parts.http_client,
                                            .store = database.push(),
                                            .jobs = database.jobs(),
                                            .accounts = database.accounts(),
                                            .clock = parts.clock,
                                            .google = google_parts,
                                            .google_calendar = google_calendar_parts,
                                            .graph = *parts.graph});
  mail::SyncOptions sync;
  sync.poll_interval = settings_.poll_interval;
  calendar::CalendarSyncOptions calendar_sync;
  // Calendars change less often than mailboxes, and are asked for whole.
  calendar_sync.poll_interval = 2 * settings_.poll_interval;
  parts.work.emplace(Work::Parts{
      .executor = parts.executor,
      .right_of_way = parts.right_of_way,
      .jobs = database.jobs(),
      .accounts = database.accounts(),
      .identities = database.identity(),
      .events = database.events(),
      .audits = database.audits(),
      .folders = database.folders(),
      .push_channels = database.push(),
      .push = parts.push->renewal(),
      .push_configured = parts.push->configured(),
      .disconnect = *parts.disconnect,
      .tokens = *parts.tokens,
      .pauses = database.pauses(),
      .senders = parts.senders,
      .outbox = database.outbox(),
      .worker_name = parts.worker_name ? parts.worker_name->text : std::string(),
      .clock = parts.clock,
      .sync = {.store = database.messages(),
               .providers = *parts.mailboxes,
               .status = *parts.account_status,
               .clock = parts.clock,
               .options = sync,
               .pace = &parts.push->hints(),
               .right_of_way = &parts.right_of_way},
      .calendars = {database.calendars(), parts.calendars, *parts.calendar_status, parts.clock, calendar_sync}});
  parts.session_cache.emplace(*parts.sessions, parts.clock);
  parts.streams.emplace(parts.executor, database.events(), *parts.session_cache);
  parts.services.emplace(api::Services{.site = parts.site,
                                       .identities = database.identity(),
                                       .sessions = *parts.sessions,
                                       .sign_in = *parts.sign_in,
                                       .providers = parts.providers,
                                       .scopes = parts.scopes,
                                       .account_store = database.accounts(),
                                       .accounts = *parts.accounts,
                                       .connect = *parts.connect,
                                       .disconnect = *parts.disconnect,
                                       .messages = database.message_reader(),
                                       .mail_providers = *parts.mailboxes,
                                       .images = *parts.images,
                                       .calendars = database.calendars(),
                                       .calendar_reader = database.calendar_reader(),
                                       .jobs = database.jobs(),
                                       .events = database.events(),
                                       .audits = database.audits(),
                                       .push = parts.push->receiver(),
                                       .push_channels = database.push(),
                                       .push_configured = parts.push->configured(),
                                       .streams = *parts.streams,
                                       .session_cache = *parts.session_cache,
                                       .auth_limit = parts.auth_limit,
                                       .webhook_limit = parts.webhook_limit,
                                       .metrics = parts.metrics,
                                       .workers = parts.workers,
                                       .send_mail = *parts.send_mail,
                                       .send_limit = parts.send_limit,
                                       .downloads = parts.downloads,
                                       .limiter = *parts.limiter,
                                       .gate = parts.gate,
                                       .lifecycle = parts.lifecycle,
                                       .clock = parts.clock});
  parts.web_app.emplace(api::EmbeddedWebApp());
  const bool worker_only = settings_.role == config::Role::kWorker;
  http::Router::Fallback fallback;
  if (!worker_only) fallback = [&parts](const http::Request& request) { return parts.web_app->TryServe(request); };
  parts.router.emplace(api::BindRoutes(*parts.services, worker_only), http::Router::Guard(), std::move(fallback));
  database.OnCommit([&parts] { parts.work->Wake(); }, [&parts](const UserId& user) { parts.streams->Wake(user); });
  if (settings_.role != config::Role::kWeb) parts.work->Start();
  parts.upkeep.Every("watch_store", std::chrono::seconds(1), [&parts]() -> Task<Result<void>> {
    const auto health = co_await parts.database->Health();
    parts.lifecycle.store.Note(health.fault, parts.clock.Now());
    co_return Result<void>();
  });
  parts.upkeep.Every("store_tokens", std::chrono::seconds(1), [&parts]() -> Task<Result<void>> {
    co_await parts.tokens->StoreUnsaved();
    co_return Result<void>();
  });
}

std::expected<void, StartFailure> App::Announce() {
  auto& parts = *parts_;
  // A worker shows no page, so the link is for those who do: a fresh one would end theirs.
  Result<std::optional<SecretString>> setup;
  if (settings_.role != config::Role::kWorker) {
    setup = RunUntil(loop_, identity::OpenSetup(parts.database->identity()));
  }
  if (!setup)
    return std::unexpected(
        StartFailure{kExitStorage, fmt::format("The database cannot be used: {}\n", setup.error().detail)});
  Ready ready;
  ready.url = fmt::format(
      "http://{}:{}", settings_.listen_host.contains(':') ? "[" + settings_.listen_host + "]" : settings_.listen_host,
      parts.server->port());
  ready.public_url = settings_.public_url;
  if (*setup)
    ready.setup_url = fmt::format("{}/auth/setup?token={}", settings_.public_url, PercentEncode((*setup)->Reveal()));
  log::Info("server.listening",
            {{"address", ready.url}, {"public_url", ready.public_url}, {"version", LATCHKEY_VERSION}});
  if (parts.providers.all().empty()) {
    std::cout << "No provider is set up yet: set AUTH_GOOGLE_CLIENT_ID and AUTH_GOOGLE_CLIENT_SECRET, or the same of "
                 "AUTH_MICROSOFT (docs/settings.md).\n";
  }
  if (*setup) {
    // The one secret that is meant to be read here: it is of use once, and only until there is an administrator.
    std::cout << "\nTo become administrator, open this address once and sign in:\n  " << ready.setup_url << "\n\n";
  }
  std::cout << "Latchkey is at " << ready.public_url << std::endl;
  if (!settings_.ready_file.empty()) {
    if (auto written = WriteReadyFile(settings_.ready_file, ready); !written)
      return std::unexpected(
          StartFailure{kExitSettings, fmt::format("LATCHKEY_READY_FILE: {}\n", written.error().detail)});
  }
  return {};
}

Task<void> App::Stop() {
  log::Info("server.stopping");
  auto& parts = *parts_;
  parts.lifecycle.stopping = true;
  if (parts.work) parts.work->StopClaiming();
  if (parts.server) parts.server->BeginDrain();
  if (settings_.drain.count() > 0) co_await SleepFor(settings_.drain);
  // Requests and jobs end side by side: each has the whole time for itself.
  Signal served(parts.executor);
  TaskGroup serving(parts.executor);
  serving.Spawn("server.stop", [this, &served]() -> Task<void> {
    co_await StopServing();
    served.Raise();
  });
  if (parts.work) co_await parts.work->Stop();
  while (serving.size() > 0) co_await served.Wait(std::chrono::seconds(1));
  co_await parts.upkeep.Stop();
  co_await SaveTokens();
  if (parts.push) co_await parts.push->hints().Stop();
  if (parts.redis_limiter != nullptr) co_await parts.redis_limiter->Stop();
  if (parts.database) co_await parts.database->Stop();
  log::Info("server.stopped");
}

/// Rotated tokens that only this process knows: the last chance, as long as stopping may take.
Task<void> App::SaveTokens() {
  constexpr int kTries = 8;
  if (!parts_->tokens) co_return;
  for (int i = 0; i < kTries; ++i) {
    const bool saved = co_await parts_->tokens->StoreUnsaved();
    if (saved) co_return;
    co_await SleepFor(std::chrono::milliseconds(500));
  }
  log::Failure("token.not_stored", {{"accounts", parts_->tokens->unsaved()}});
}

Task<void> App::StopServing() {
  auto& parts = *parts_;
  if (parts.server) co_await parts.server->Stop();
  co_await parts.downloads.Stop();
}

}  // namespace latchkey::app
