#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/settings.hpp"
#include "connected_accounts/account_store.hpp"
#include "jobs/job_store.hpp"
#include "providers/google/google_push.hpp"
#include "providers/microsoft/graph_push.hpp"
#include "push/hints.hpp"
#include "push/receiver.hpp"
#include "push/renewal.hpp"

namespace latchkey::app {

/// Push of all providers, wired: what is configured is watched, what is not is left to polling. Hints must be stopped
/// before it is destroyed. Loop thread.
class Push {
 public:
  struct Parts {
    Executor executor;
    http_client::HttpClient& http;
    push::PushStore& store;
    jobs::JobStore& jobs;
    connected_accounts::AccountStore& accounts;
    const Clock& clock;
    google::GoogleParts google, google_calendar;
    microsoft::GraphClients& graph;
  };
  /// After CompleteUrls.
  Push(const config::Settings& settings, Parts parts);

  push::Hints& hints() { return hints_; }
  push::Receiver& receiver() { return *receiver_; }
  push::Renewal& renewal() { return *renewal_; }
  bool configured() const { return !providers_.empty(); }

 private:
  push::Hints hints_;
  push::PushProviders providers_;
  std::optional<google::GooglePush> google_;
  std::optional<microsoft::GraphPush> graph_;
  std::optional<push::PubSubToken> pub_sub_;
  std::optional<push::Renewal> renewal_;
  std::optional<push::Receiver> receiver_;
};

}  // namespace latchkey::app
