#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "limits/redis_url.hpp"

namespace latchkey::config {

/// What this process does. `web` and `worker` are the two halves of `all`.
enum class Role { kAll, kWeb, kWorker };

struct GoogleSettings {
  std::string client_id;
  SecretString client_secret;
  std::string sign_in_callback_url;  ///< Default: PUBLIC_URL/auth/login/google/callback
  std::string connect_callback_url;  ///< Default: PUBLIC_URL/auth/apis/connect/google/callback
  std::string discovery_url = "https://accounts.google.com/.well-known/openid-configuration";
  std::string gmail_url = "https://gmail.googleapis.com";
  std::string calendar_url = "https://www.googleapis.com";
  /// Gmail's push: "projects/NAME/topics/NAME", and who signs what the subscription posts. Both or neither.
  std::string pubsub_topic;
  std::string pubsub_service_account;
  std::string pubsub_audience;  ///< Default: WEBHOOK_URL/webhooks/google/gmail
  /// Google's published limits; 0 means unlimited.
  int quota_units_per_minute = 6000;
  int project_quota_units_per_minute = 1'200'000;
  /// Message fetches in flight for one mailbox.
  int max_concurrency = 32;

  bool Configured() const { return !client_id.empty(); }
};

struct MicrosoftSettings {
  std::string client_id;
  SecretString client_secret;
  std::string sign_in_callback_url;  ///< Default: PUBLIC_URL/auth/login/microsoft/callback
  std::string connect_callback_url;  ///< Default: PUBLIC_URL/auth/apis/connect/microsoft/callback
  /// common, organizations, consumers, a tenant's id or its domain: who may sign in at all.
  std::string tenant = "common";
  /// Ids of the tenants whose people are let in; empty: all that `tenant` admits.
  std::vector<std::string> allowed_tenants;
  /// Default: Microsoft's for `tenant`.
  std::string discovery_url;
  /// With or without /v1.0.
  std::string graph_url = "https://graph.microsoft.com";
  /// Requests in flight for one mailbox, and for all of them together (0: no limit).
  int max_concurrency = 4;
  int max_total_concurrency = 0;

  bool Configured() const { return !client_id.empty(); }
};

/// Everything an installation can choose, with its defaults. Immutable after start; any thread.
struct Settings {
  std::string listen_host = "127.0.0.1";
  unsigned short listen_port = 8000;  ///< 0: the system chooses; the ready file tells which.
  /// Where browsers reach us, without trailing slash. Empty until CompleteUrls() when it was not set.
  std::string public_url;
  std::string frontend_url;
  /// Where providers reach us, without trailing slash. Default: the public URL.
  std::string webhook_url;
  std::string data_dir = "data";
  /// "sqlite:PATH"; empty means DATA_DIR/latchkey.db.
  std::string database_url;
  /// Connections to PostgreSQL that serve requests and jobs; one more listens. SQLite has none.
  int database_connections = 10;
  /// Where rate limits are shared with other processes; none: they stay in this one.
  std::optional<limits::RedisAddress> redis;
  Role role = Role::kAll;
  /// How long a server that was told to stop still takes new connections, while /readyz says that it is not ready.
  std::chrono::seconds drain{0};
  /// Worker threads for CPU work; 0 means max(2, cores).
  int threads = 0;
  std::string log_level = "info";
  std::string ready_file;
  /// Addresses or CIDR blocks of proxies whose X-Forwarded-* are believed.
  std::vector<std::string> trusted_proxies;
  /// More certificate authorities for calls to providers, besides the system's.
  std::string ca_file;
  /// Bearer token for /metrics; empty: administrators' sessions only.
  SecretString metrics_token;
  /// "development", "production" or "test": read for the sake of existing environments, changes nothing.
  std::string node_env;

  SecretString session_secret;
  SecretString jwt_secret;
  /// Raw 32-byte keys: the first encrypts, all decrypt.
  std::vector<SecretString> encryption_keys;

  GoogleSettings google;
  MicrosoftSettings microsoft;

  /// How often a mailbox that nobody pushes news of is asked for changes.
  std::chrono::seconds poll_interval{60};

  /// Whether DATABASE_URL names a server that several processes may share.
  bool SharedDatabase() const {
    return database_url.starts_with("postgres://") || database_url.starts_with("postgresql://");
  }
  /// The database file of DATABASE_URL, or the default one.
  std::string DatabasePath() const;
  bool Https() const { return public_url.starts_with("https://"); }
  std::size_t WorkerThreads() const;
};

/// Fills what depends on the port we really listen on: public URL, front-end URL, redirect addresses.
void CompleteUrls(Settings& settings, unsigned short port);

}  // namespace latchkey::config
