// latchkey-simulator: reads the command line, fills the mailboxes, listens, and runs the loop until a signal.
#include <unistd.h>

#include <cstdio>

#include <fmt/format.h>
#include <boost/asio/signal_set.hpp>
#include <boost/json/object.hpp>

#include "simulator/app/application.hpp"
#include "simulator/app/options.hpp"
#include "simulator/app/schedule_timer.hpp"
#include "simulator/app/state_file.hpp"
#include "simulator/calendar/files.hpp"
#include "simulator/calendar/samples.hpp"
#include "simulator/http/http_outgoing.hpp"
#include "simulator/http/server.hpp"
#include "simulator/http/tls_identity.hpp"

namespace {

using latchkey::simulator::Account;
using latchkey::simulator::Application;
using latchkey::simulator::Options;

int Fail(std::string_view sentence) {
  fmt::print(stderr, "latchkey-simulator: {}\n", sentence);
  return 1;
}

/// Accounts in the order named, then those that only --mailbox or --sample name; then their mail.
std::expected<void, std::string> Fill(const Options& options, latchkey::Instant began, Application& application) {
  for (const auto& [email, name] : options.accounts) application.accounts().Add(email, name);
  for (const auto& [email, name] : options.microsoft_accounts) application.accounts().AddMicrosoft(email, name);
  const auto report = [&](const Account& account, std::size_t count) {
    if (!options.quiet) fmt::print("{}: {} messages\n", account.email, count);
  };
  for (const auto& [email, file] : options.mailboxes) {
    const Account& account = application.accounts().Add(email);
    const auto count = account.IsMicrosoft() ? application.graph_mail().Import(account, file)
                                             : application.mail().Import(account, file);
    if (!count) return std::unexpected(count.error());
    report(account, *count);
  }
  for (const std::string& email : options.samples) {
    const Account& account = application.accounts().Add(email);
    const auto count = account.IsMicrosoft() ? application.graph_mail().ImportSample(account, began)
                                             : application.mail().ImportSample(account, began);
    if (!count) return std::unexpected(count.error());
    report(account, *count);
    latchkey::simulator::calendar::AddSampleCalendars(application.calendars(), account, began);
  }
  for (const auto& [email, file] : options.calendars) {
    const Account& account = application.accounts().Add(email);
    const auto count = latchkey::simulator::calendar::ImportCalendarFile(application.calendars(), account, file);
    if (!count) return std::unexpected(count.error());
    if (!options.quiet) fmt::print("{}: {} events\n", account.email, *count);
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = Options::Parse(argc, argv);
  if (!options) {
    std::fputs(options.error().text.c_str(), options.error().status == 0 ? stdout : stderr);
    return options.error().status;
  }
  Application application(options->settings, &latchkey::simulator::MakeGmailService);
  boost::asio::io_context loop(1);
  latchkey::simulator::Server server(loop, application);
  latchkey::simulator::HttpOutgoing outgoing(loop);
  application.UseOutgoing(outgoing);
  if (!options->trust_ca.empty() && !outgoing.TrustCa(options->trust_ca)) {
    return Fail(fmt::format("cannot read authorities from {}. Name a PEM file with --trust-ca.", options->trust_ca));
  }
  latchkey::simulator::ScheduleTimer timer(loop, application.schedule());
  application.ReportConnections([&server] { return server.connection_count(); });

  boost::json::object ready;
  ready["https"] = nullptr;
  ready["ca"] = nullptr;
  ready["pid"] = getpid();
  const auto port = server.Listen(options->listen.host, options->listen.port, nullptr);
  if (!port) return Fail(port.error());
  const auto literal = [](const std::string& host) { return host.contains(':') ? "[" + host + "]" : host; };
  ready["http"] = fmt::format("http://{}:{}", literal(options->listen.host), *port);

  std::expected<latchkey::simulator::TlsIdentity, std::string> identity = std::unexpected("");
  if (options->tls_listen) {
    identity = latchkey::simulator::MakeTlsIdentity(options->tls_dir);
    if (!identity) return Fail(identity.error());
    const auto tls_port = server.Listen(options->tls_listen->host, options->tls_listen->port, identity->context.get());
    if (!tls_port) return Fail(tls_port.error());
    ready["https"] = fmt::format("https://localhost:{}", *tls_port);
    ready["ca"] = identity->ca_file.string();
  }
  auto state = latchkey::simulator::StateFile::Open(options->state_file, latchkey::SystemClock().Now());
  if (!state) return Fail(state.error());
  // Only now: a port that is taken should not cost the time of a long import first.
  if (const auto filled = Fill(*options, state->began(), application); !filled) return Fail(filled.error());
  if (const auto kept = state->Attach(application.grants(), application.microsoft_grants(), application.accounts());
      !kept)
    return Fail(kept.error());
  if (!options->ready_file.empty() && !latchkey::simulator::WriteFileAtomically(options->ready_file, ready)) {
    return Fail(fmt::format("cannot write {}. Choose a writable place with --ready-file.", options->ready_file));
  }
  if (!options->quiet) {
    fmt::print("Google and Microsoft, simulated: {}\n", std::string_view(ready["http"].as_string()));
    if (ready["https"].is_string()) {
      fmt::print("over TLS: {} (trust {})\n", std::string_view(ready["https"].as_string()),
                 std::string_view(ready["ca"].as_string()));
    }
    std::fflush(stdout);
  }

  latchkey::simulator::PubSubSubscription subscription = application.pubsub().subscription();
  subscription.endpoint = options->pubsub_endpoint;
  subscription.audience = options->pubsub_audience;
  if (!options->pubsub_service_account.empty()) subscription.service_account = options->pubsub_service_account;
  subscription.issuer = std::string(ready["http"].as_string()) + "/google";
  if (const std::string wrong = latchkey::simulator::PubSubPush::Check(subscription); !wrong.empty()) {
    return Fail("--pubsub-push-endpoint: " + wrong);
  }
  application.pubsub().subscription() = subscription;

  boost::asio::signal_set signals(loop, SIGINT, SIGTERM);
  signals.async_wait([&](boost::system::error_code error, int) {
    if (error) return;
    server.Stop();
    outgoing.Stop();
    timer.Stop();
  });
  loop.run();
  return 0;
}
