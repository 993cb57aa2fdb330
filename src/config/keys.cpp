#include "config/keys.hpp"

#include <algorithm>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <cctype>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "base/id.hpp"
#include "config/values.hpp"

namespace latchkey::config {
namespace {

std::string Redacted(bool set) { return set ? "***" : ""; }

Problem NumberInto(const std::string& text, int lowest, int highest, int& out) {
  const auto value = ParseNumber(text, lowest, highest);
  if (!value) {
    return Wrong(fmt::format("\"{}\" is not a number from {} to {}", text, lowest, highest), "Write digits only.");
  }
  out = *value;
  return Fine();
}

Problem ParseRole(Settings& settings, const std::string& text) {
  if (text == "all") {
    settings.role = Role::kAll;
  } else if (text == "web") {
    settings.role = Role::kWeb;
  } else if (text == "worker") {
    settings.role = Role::kWorker;
  } else {
    return Wrong(fmt::format("\"{}\" is not a role", text), "Choose all, web or worker.");
  }
  return Fine();
}

std::string ShowRole(const Settings& settings) {
  switch (settings.role) {
    case Role::kWeb:
      return "web";
    case Role::kWorker:
      return "worker";
    case Role::kAll:
      break;
  }
  return "all";
}

Problem ParseProxies(Settings& settings, const std::string& text) {
  for (const auto& piece : SplitList(text)) {
    boost::system::error_code as_v4, as_v6;
    const std::string block = piece.contains('/') ? piece : piece + (piece.contains(':') ? "/128" : "/32");
    boost::asio::ip::make_network_v4(block, as_v4);
    boost::asio::ip::make_network_v6(block, as_v6);
    if (as_v4 && as_v6)
      return Wrong(fmt::format("\"{}\" is no address or block", piece),
                   "Write addresses such as 10.0.0.1 or 10.0.0.0/8, separated by commas.");
    settings.trusted_proxies.push_back(block);
  }
  return Fine();
}

Problem ParseKeyRing(Settings& settings, const std::string& text) {
  std::vector<SecretString> ring;
  for (const auto& piece : SplitList(text)) {
    auto key = ParseVaultKey(piece);
    if (!key)
      return Wrong("holds a key that is not 32 bytes",
                   "Each key is 32 random bytes in base64 or hex: openssl rand -base64 32");
    if (std::set<char>(key->begin(), key->end()).size() < 8)
      return Wrong("holds a sample key that anybody can guess", "Make one with: openssl rand -base64 32");
    ring.emplace_back(std::move(*key));
  }
  if (ring.empty()) return Wrong("is empty", "Remove it to have a key generated, or set one: openssl rand -base64 32");
  settings.encryption_keys = std::move(ring);
  return Fine();
}

Problem ParseDatabase(Settings& settings, const std::string& text) {
  if (text.starts_with("postgres://") || text.starts_with("postgresql://")) {
    if (text.contains("your_"))
      return Wrong("holds the sample's placeholder", "Put in the password of the database's user.");
  } else if (!text.starts_with("sqlite:") || text.size() == 7) {
    return Wrong("is not a database this server knows",
                 "Write sqlite:PATH, for example sqlite:/var/lib/latchkey/latchkey.db, or "
                 "postgresql://USER:PASSWORD@HOST:PORT/DATABASE.");
  }
  settings.database_url = text;
  return Fine();
}

/// Without a password, which may stand before the host or among the parameters.
std::string ShowDatabase(const Settings& settings) {
  std::string url = settings.database_url;
  if (!settings.SharedDatabase()) return url;
  const auto parameters = url.find('?');
  if (parameters != std::string::npos) url.replace(parameters + 1, std::string::npos, "***");
  const auto begin = url.find("://") + 3;
  const auto at = url.rfind('@');
  if (at == std::string::npos || at < begin) return url;
  const auto colon = url.find(':', begin);
  if (colon < at) url.replace(colon + 1, at - colon - 1, "***");
  return url;
}

Problem ParseRedis(Settings& settings, const std::string& text) {
  auto address = limits::ParseRedisUrl(text);
  if (!address) return Wrong(std::move(address.error().what), std::move(address.error().remedy));
  if (address->password.Reveal().starts_with("your_"))
    return Wrong("holds the sample's placeholder", "Put in the password of Redis, or none: redis://HOST:6379/0.");
  settings.redis = std::move(*address);
  return Fine();
}

/// Where it is, which is no secret; name and password stay away.
std::string ShowRedis(const Settings& settings) { return settings.redis ? settings.redis->Display() : ""; }

Problem CheckNodeEnv(Settings& settings, const std::string& text) {
  if (text != "development" && text != "production" && text != "test")
    return Wrong(fmt::format("\"{}\" is not an environment", text),
                 "Choose development, production or test, or remove it.");
  settings.node_env = text;
  return Fine();
}

Problem CheckLogLevel(Settings& settings, const std::string& text) {
  if (text != "debug" && text != "info" && text != "warning" && text != "error")
    return Wrong(fmt::format("\"{}\" is not a level", text), "Choose debug, info, warning or error.");
  settings.log_level = text;
  return Fine();
}

template <SecretString Settings::* field>
Problem SecretInto(Settings& settings, const std::string& text) {
  auto problem = CheckSecret(text);
  if (problem.what.empty()) settings.*field = SecretString(text);
  return problem;
}
template <SecretString Settings::* field>
std::string ShowSecret(const Settings& settings) {
  return Redacted(!(settings.*field).empty());
}

template <std::string Settings::* field>
Problem TextInto(Settings& settings, const std::string& text) {
  if (text.empty()) return Wrong("is empty", "Set a value or remove it.");
  settings.*field = text;
  return Fine();
}
template <std::string Settings::* field>
Problem OriginInto(Settings& settings, const std::string& text) {
  return ParseOrigin(text, settings.*field);
}
template <std::string Settings::* field>
std::string ShowText(const Settings& settings) {
  return settings.*field;
}

// Fields of the two providers' structures, by member pointers, so that each row of the table stays one line.
template <auto provider, auto field>
Problem ProviderText(Settings& settings, const std::string& text) {
  if (text.empty()) return Wrong("is empty", "Set a value or remove it.");
  if (text.starts_with("your_"))
    return Wrong("is the sample's placeholder", "Put in the value from the provider's console.");
  settings.*provider.*field = text;
  return Fine();
}
template <auto provider, auto field>
Problem ProviderUrl(Settings& settings, const std::string& text) {
  return ParseEndpoint(text, settings.*provider.*field);
}
template <auto provider, auto field>
Problem ProviderSecret(Settings& settings, const std::string& text) {
  if (text.empty()) return Wrong("is empty", "Set the client secret from the provider's console.");
  if (text.starts_with("your_"))
    return Wrong("is the sample's placeholder", "Put in the client secret from the provider's console.");
  settings.*provider.*field = SecretString(text);
  return Fine();
}
template <auto provider, auto field>
std::string ShowProvider(const Settings& settings) {
  return settings.*provider.*field;
}
template <auto provider, auto field>
std::string ShowProviderSecret(const Settings& settings) {
  return Redacted(!(settings.*provider.*field).empty());
}
template <auto provider, auto field, int lowest, int highest>
Problem ProviderNumber(Settings& settings, const std::string& text) {
  return NumberInto(text, lowest, highest, settings.*provider.*field);
}
template <auto provider, auto field>
std::string ShowProviderNumber(const Settings& settings) {
  return std::to_string(settings.*provider.*field);
}

using S = Settings;
using G = GoogleSettings;
using M = MicrosoftSettings;
constexpr auto kG = &Settings::google;
constexpr auto kM = &Settings::microsoft;

Problem Listen(S& s, const std::string& text) { return ParseListen(text, s.listen_host, s.listen_port); }
std::string ShowListen(const S& s) {
  return s.listen_host.contains(':') ? fmt::format("[{}]:{}", s.listen_host, s.listen_port)
                                     : fmt::format("{}:{}", s.listen_host, s.listen_port);
}
Problem Threads(S& s, const std::string& text) { return NumberInto(text, 0, 256, s.threads); }
std::string ShowThreads(const S& s) { return s.threads == 0 ? "automatic" : std::to_string(s.threads); }
std::string ShowProxies(const S& s) { return fmt::format("{}", fmt::join(s.trusted_proxies, ", ")); }
std::string ShowKeyRing(const S& s) { return Redacted(!s.encryption_keys.empty()); }
Problem Drain(S& s, const std::string& text) {
  int seconds = 0;
  auto problem = NumberInto(text, 0, 5, seconds);
  s.drain = std::chrono::seconds(seconds);
  return problem;
}
std::string ShowDrain(const S& s) { return std::to_string(s.drain.count()); }

Problem DatabaseConnections(S& s, const std::string& text) { return NumberInto(text, 2, 200, s.database_connections); }
std::string ShowDatabaseConnections(const S& s) { return std::to_string(s.database_connections); }

Problem Poll(S& s, const std::string& text) {
  int seconds = 0;
  auto problem = NumberInto(text, 1, 86400, seconds);
  if (problem.what.empty()) s.poll_interval = std::chrono::seconds(seconds);
  return problem;
}
std::string ShowPoll(const S& s) { return std::to_string(s.poll_interval.count()); }

Problem ParseTenant(S& s, const std::string& text) {
  const auto ok = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.'; };
  if (text.empty() || text.size() > 253 || !std::ranges::all_of(text, ok))
    return Wrong(fmt::format("\"{}\" is not a tenant", text),
                 "Write common, organizations, consumers, a directory id or a domain.");
  s.microsoft.tenant = text;
  return Fine();
}
Problem ParseTenants(S& s, const std::string& text) {
  for (auto& tenant : SplitList(text)) {
    std::ranges::transform(tenant, tenant.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (!IsUuid(tenant))
      return Wrong(fmt::format("\"{}\" is not a tenant id", tenant),
                   "Write directory ids such as 11111111-2222-4333-8444-555555555555, separated by commas.");
    s.microsoft.allowed_tenants.push_back(std::move(tenant));
  }
  return s.microsoft.allowed_tenants.empty() ? Wrong("is empty", "Name at least one tenant, or remove it to admit all.")
                                             : Fine();
}
std::string ShowTenants(const S& s) { return fmt::format("{}", fmt::join(s.microsoft.allowed_tenants, ", ")); }

constexpr Key kKeys[] = {
    {"LATCHKEY_LISTEN", "server.listen", Kind::kText, "--listen", "Address and port to listen on", Listen, ShowListen},
    {"LATCHKEY_PUBLIC_URL", "server.public_url", Kind::kUrl, "--public-url", "Where browsers reach this server",
     OriginInto<&S::public_url>, ShowText<&S::public_url>},
    {"FRONTEND_URL", "server.frontend_url", Kind::kUrl, "", "Where browsers end after a sign-in",
     OriginInto<&S::frontend_url>, ShowText<&S::frontend_url>},
    {"LATCHKEY_WEBHOOK_URL", "server.webhook_url", Kind::kUrl, "",
     "Where providers reach this server with notifications", OriginInto<&S::webhook_url>, ShowText<&S::webhook_url>},
    {"LATCHKEY_DATA_DIR", "server.data_dir", Kind::kText, "--data-dir", "Folder of the database and generated secrets",
     TextInto<&S::data_dir>, ShowText<&S::data_dir>},
    {"LATCHKEY_ROLE", "server.role", Kind::kText, "--role", "all, web or worker", ParseRole, ShowRole},
    {"LATCHKEY_DRAIN_SECONDS", "server.drain_seconds", Kind::kNumber, "",
     "How long a stopping server still takes connections, for load balancers to notice", Drain, ShowDrain},
    {"LATCHKEY_THREADS", "server.threads", Kind::kNumber, "", "Threads for CPU work; 0 chooses", Threads, ShowThreads},
    {"LATCHKEY_LOG_LEVEL", "server.log_level", Kind::kText, "", "debug, info, warning or error", CheckLogLevel,
     ShowText<&S::log_level>},
    {"LATCHKEY_READY_FILE", "server.ready_file", Kind::kText, "--ready-file", "File written once the server listens",
     TextInto<&S::ready_file>, ShowText<&S::ready_file>},
    {"LATCHKEY_TRUSTED_PROXIES", "server.trusted_proxies", Kind::kList, "", "Proxies whose X-Forwarded-* count",
     ParseProxies, ShowProxies},
    {"LATCHKEY_CA_FILE", "server.ca_file", Kind::kText, "", "More certificate authorities for provider calls",
     TextInto<&S::ca_file>, ShowText<&S::ca_file>},
    {"LATCHKEY_METRICS_TOKEN", "server.metrics_token", Kind::kSecret, "", "Bearer token for /metrics",
     SecretInto<&S::metrics_token>, ShowSecret<&S::metrics_token>},
    {"NODE_ENV", "server.node_env", Kind::kText, "", "Accepted for existing environments; changes nothing",
     CheckNodeEnv, ShowText<&S::node_env>},
    {"DATABASE_URL", "database.url", Kind::kSecret, "--database-url",
     "sqlite:PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE", ParseDatabase, ShowDatabase},
    {"LATCHKEY_DATABASE_CONNECTIONS", "database.connections", Kind::kNumber, "",
     "Connections of this process to PostgreSQL, at most", DatabaseConnections, ShowDatabaseConnections},
    {"REDIS_URL", "redis.url", Kind::kSecret, "", "Redis that shares rate limits between processes", ParseRedis,
     ShowRedis},
    {"SESSION_SECRET", "secrets.session_secret", Kind::kSecret, "", "Seals transaction cookies and CSRF tokens",
     SecretInto<&S::session_secret>, ShowSecret<&S::session_secret>},
    {"JWT_SECRET", "secrets.jwt_secret", Kind::kSecret, "", "Signs login tokens of API clients",
     SecretInto<&S::jwt_secret>, ShowSecret<&S::jwt_secret>},
    {"ENCRYPTION_KEY", "secrets.encryption_key", Kind::kSecret, "", "The key of provider tokens at rest", ParseKeyRing,
     ShowKeyRing},
    {"ENCRYPTION_KEYS", "secrets.encryption_keys", Kind::kSecret, "", "Key ring: the first encrypts, all decrypt",
     ParseKeyRing, ShowKeyRing},
    {"AUTH_GOOGLE_CLIENT_ID", "google.client_id", Kind::kText, "", "Client id from Google's console",
     ProviderText<kG, &G::client_id>, ShowProvider<kG, &G::client_id>},
    {"AUTH_GOOGLE_CLIENT_SECRET", "google.client_secret", Kind::kSecret, "", "Client secret from Google's console",
     ProviderSecret<kG, &G::client_secret>, ShowProviderSecret<kG, &G::client_secret>},
    {"AUTH_GOOGLE_CALLBACK_URL", "google.callback_url", Kind::kUrl, "", "Redirect address of signing in",
     ProviderUrl<kG, &G::sign_in_callback_url>, ShowProvider<kG, &G::sign_in_callback_url>},
    {"AUTH_GOOGLE_APIS_CALLBACK_URL", "google.apis_callback_url", Kind::kUrl, "", "Redirect address of connecting",
     ProviderUrl<kG, &G::connect_callback_url>, ShowProvider<kG, &G::connect_callback_url>},
    {"GOOGLE_DISCOVERY_URL", "google.discovery_url", Kind::kUrl, "", "Google's discovery document",
     ProviderUrl<kG, &G::discovery_url>, ShowProvider<kG, &G::discovery_url>},
    {"GOOGLE_GMAIL_URL", "google.gmail_url", Kind::kUrl, "", "Base address of the Gmail API",
     ProviderUrl<kG, &G::gmail_url>, ShowProvider<kG, &G::gmail_url>},
    {"GOOGLE_CALENDAR_URL", "google.calendar_url", Kind::kUrl, "", "Base address of the Calendar API",
     ProviderUrl<kG, &G::calendar_url>, ShowProvider<kG, &G::calendar_url>},
    {"GOOGLE_PUBSUB_TOPIC", "google.pubsub_topic", Kind::kText, "", "Topic of Gmail's notifications",
     ProviderText<kG, &G::pubsub_topic>, ShowProvider<kG, &G::pubsub_topic>},
    {"GOOGLE_PUBSUB_SERVICE_ACCOUNT", "google.pubsub_service_account", Kind::kText, "",
     "Service account of the topic's push subscription", ProviderText<kG, &G::pubsub_service_account>,
     ShowProvider<kG, &G::pubsub_service_account>},
    {"GOOGLE_PUBSUB_AUDIENCE", "google.pubsub_audience", Kind::kText, "", "Audience of the push subscription's tokens",
     ProviderText<kG, &G::pubsub_audience>, ShowProvider<kG, &G::pubsub_audience>},
    {"GOOGLE_QUOTA_UNITS_PER_MINUTE", "google.quota_units_per_minute", Kind::kNumber, "",
     "Gmail quota of one person; 0 is unlimited", ProviderNumber<kG, &G::quota_units_per_minute, 0, 1'000'000'000>,
     ShowProviderNumber<kG, &G::quota_units_per_minute>},
    {"GOOGLE_PROJECT_QUOTA_UNITS_PER_MINUTE", "google.project_quota_units_per_minute", Kind::kNumber, "",
     "Gmail quota of the whole project; 0 is unlimited",
     ProviderNumber<kG, &G::project_quota_units_per_minute, 0, 1'000'000'000>,
     ShowProviderNumber<kG, &G::project_quota_units_per_minute>},
    {"GOOGLE_MAX_CONCURRENCY", "google.max_concurrency", Kind::kNumber, "", "Message fetches in flight per mailbox",
     ProviderNumber<kG, &G::max_concurrency, 1, 256>, ShowProviderNumber<kG, &G::max_concurrency>},
    {"AUTH_MICROSOFT_CLIENT_ID", "microsoft.client_id", Kind::kText, "", "Client id from Entra",
     ProviderText<kM, &M::client_id>, ShowProvider<kM, &M::client_id>},
    {"AUTH_MICROSOFT_CLIENT_SECRET", "microsoft.client_secret", Kind::kSecret, "", "Client secret from Entra",
     ProviderSecret<kM, &M::client_secret>, ShowProviderSecret<kM, &M::client_secret>},
    {"AUTH_MICROSOFT_CALLBACK_URL", "microsoft.callback_url", Kind::kUrl, "", "Redirect address of signing in",
     ProviderUrl<kM, &M::sign_in_callback_url>, ShowProvider<kM, &M::sign_in_callback_url>},
    {"AUTH_MICROSOFT_APIS_CALLBACK_URL", "microsoft.apis_callback_url", Kind::kUrl, "",
     "Redirect address of connecting", ProviderUrl<kM, &M::connect_callback_url>,
     ShowProvider<kM, &M::connect_callback_url>},
    {"AUTH_MICROSOFT_TENANT", "microsoft.tenant", Kind::kText, "",
     "common, organizations, consumers, a tenant's id or domain", ParseTenant, ShowProvider<kM, &M::tenant>},
    {"AUTH_MICROSOFT_ALLOWED_TENANTS", "microsoft.allowed_tenants", Kind::kList, "",
     "Ids of the organisations to admit; all when unset", ParseTenants, ShowTenants},
    {"MICROSOFT_DISCOVERY_URL", "microsoft.discovery_url", Kind::kUrl, "", "Entra's discovery document",
     ProviderUrl<kM, &M::discovery_url>, ShowProvider<kM, &M::discovery_url>},
    {"MICROSOFT_GRAPH_URL", "microsoft.graph_url", Kind::kUrl, "", "Base address of Microsoft Graph",
     ProviderUrl<kM, &M::graph_url>, ShowProvider<kM, &M::graph_url>},
    {"MICROSOFT_MAX_CONCURRENCY", "microsoft.max_concurrency", Kind::kNumber, "",
     "Graph requests in flight per mailbox; Graph refuses the fifth", ProviderNumber<kM, &M::max_concurrency, 1, 4>,
     ShowProviderNumber<kM, &M::max_concurrency>},
    {"MICROSOFT_MAX_TOTAL_CONCURRENCY", "microsoft.max_total_concurrency", Kind::kNumber, "",
     "Graph requests in flight over all mailboxes; 0 is unlimited",
     ProviderNumber<kM, &M::max_total_concurrency, 0, 10'000>, ShowProviderNumber<kM, &M::max_total_concurrency>},
    {"LATCHKEY_POLL_SECONDS", "sync.poll_seconds", Kind::kNumber, "", "How often a mailbox is asked for changes", Poll,
     ShowPoll},
};

// Edits between two names, neighbours swapped counting as one.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::span<const Key> Keys() { return kKeys; }

const Key* FindByEnv(std::string_view env) {
  const auto* found = std::ranges::find(kKeys, env, &Key::env);
  return found == std::end(kKeys) ? nullptr : found;
}

const Key* FindByToml(std::string_view toml) {
  const auto* found = std::ranges::find(kKeys, toml, &Key::toml);
  return found == std::end(kKeys) ? nullptr : found;
}

std::string NearestName(std::string_view unknown, bool toml) {
  if (unknown.size() > 100) return {};
  std::string_view best;
  std::size_t best_distance = unknown.size() / 3 + 1;
  for (const auto& key : kKeys) {
    const std::string_view name = toml ? key.toml : key.env;
    if (const auto distance = Distance(unknown, name); distance < best_distance) {
      best = name;
      best_distance = distance;
    }
  }
  return std::string(best);
}

}  // namespace latchkey::config
