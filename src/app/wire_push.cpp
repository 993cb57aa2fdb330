#include "app/wire_push.hpp"

namespace latchkey::app {
namespace {

constexpr std::string_view kWellKnown = "/.well-known/openid-configuration";

/// Providers post to https alone; a stand-in on this machine may be reached without.
bool CanBeNotified(const std::string& url) {
  if (url.starts_with("https://")) return true;
  for (const std::string_view loopback : {"http://localhost", "http://127.0.0.1", "http://[::1]"}) {
    if (url.starts_with(loopback)) return true;
  }
  return false;
}

/// The issuer is the discovery address without its well-known suffix.
std::string IssuerOf(const std::string& discovery_url) {
  return discovery_url.ends_with(kWellKnown) ? discovery_url.substr(0, discovery_url.size() - kWellKnown.size())
                                             : discovery_url;
}

/// A stand-in at loopback can notify loopback; the real providers cannot.
bool Reaches(const std::string& provider_url, const std::string& webhook_url) {
  return CanBeNotified(webhook_url) && (webhook_url.starts_with("https://") || !provider_url.starts_with("https://"));
}

}  // namespace

Push::Push(const config::Settings& settings, Parts parts) : hints_(parts.executor, parts.jobs, parts.clock) {
  const std::string& webhooks = settings.webhook_url;
  const auto& google = settings.google;
  if (google.Configured()) {
    google::PushSettings push;
    if (!google.pubsub_topic.empty() && !google.pubsub_service_account.empty()) push.topic = google.pubsub_topic;
    if (Reaches(google.calendar_url, webhooks)) push.calendar_webhook = webhooks + "/webhooks/google/calendar";
    if (!push.topic.empty()) {
      push::PubSubRules rules{.discovery_url = google.discovery_url,
                              .issuer = IssuerOf(google.discovery_url),
                              .audience = google.pubsub_audience,
                              .service_account = google.pubsub_service_account};
      pub_sub_.emplace(std::move(rules), parts.http, parts.clock, parts.executor);
    }
    if (!push.topic.empty() || !push.calendar_webhook.empty()) {
      push::PushStore& store = parts.store;
      google_.emplace(parts.google, parts.google_calendar, std::move(push),
                      [&store](const ConnectedAccountId& account) { return store.SelectedCalendars(account); });
      providers_.Add("google", *google_);
    }
  }
  if (settings.microsoft.Configured() && Reaches(settings.microsoft.graph_url, webhooks)) {
    graph_.emplace(parts.graph, parts.clock, webhooks + "/webhooks/microsoft");
    providers_.Add("microsoft", *graph_);
  }
  renewal_.emplace(push::Renewal::Parts{parts.store, providers_, parts.accounts, parts.clock});
  receiver_.emplace(push::Receiver::Parts{parts.store, hints_, parts.clock, pub_sub_ ? &*pub_sub_ : nullptr});
}

}  // namespace latchkey::app
