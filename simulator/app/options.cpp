#include "simulator/app/options.hpp"

#include <charconv>
#include <sstream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "simulator/http/message.hpp"

namespace latchkey::simulator {
namespace {

/// "EMAIL=rest" or, without '=', "EMAIL".
std::expected<std::pair<std::string, std::string>, std::string> SplitAccount(const std::string& text,
                                                                             std::string_view option) {
  const std::size_t equals = text.find('=');
  std::pair<std::string, std::string> result(text.substr(0, equals),
                                             equals == std::string::npos ? "" : text.substr(equals + 1));
  const std::size_t at = result.first.find('@');
  if (at == std::string::npos || at == 0 || at + 1 == result.first.size()) {
    return std::unexpected(fmt::format("{} {}: \"{}\" is not an e-mail address", option, text, result.first));
  }
  return result;
}

/// What the demo starts with when nobody was named.
void AddDefaults(Options& options) {
  options.accounts = {
      {"ada@example.com", "Ada Example"}, {"grace@example.org", "Grace Sample"}, {"noor@example.net", "Noor Muster"}};
  options.samples = {"ada@example.com"};
}

}  // namespace

std::expected<ListenAddress, std::string> ListenAddress::Parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  ListenAddress address;
  if (colon != std::string_view::npos && colon > 0) {
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    address.host = host;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error == std::errc() && end == port.data() + port.size() && !port.empty()) return address;
  }
  return std::unexpected(fmt::format("\"{}\" is not HOST:PORT, for example 127.0.0.1:8025", text));
}

std::expected<Options, Options::Exit> Options::Parse(int argc, const char* const* argv) {
  Options options;
  std::string listen = "127.0.0.1:8025";
  std::string tls_listen;
  std::vector<std::string> accounts;
  std::vector<std::string> microsoft_accounts;
  std::vector<std::string> mailboxes;
  std::vector<std::string> calendars;
  bool no_quota = false;

  CLI::App app(
      "Google and Microsoft, simulated on this machine, with faults and time under control.\n"
      "simulator/README.md describes the control API.",
      "latchkey-simulator");
  app.add_option("--listen", listen, "Plain http address; port 0 takes a free one")
      ->option_text("HOST:PORT [127.0.0.1:8025]");
  app.add_option("--tls-listen", tls_listen, "Address for https as well (HTTP/2 and HTTP/1.1)")
      ->option_text("HOST:PORT");
  app.add_option("--tls-dir", options.tls_dir, "Folder of ca.pem, which clients trust, and its key; made when missing")
      ->option_text("DIR [latchkey-simulator-tls]");
  app.add_option("--account", accounts, "A person who can sign in; repeatable. Default: three fictional people")
      ->option_text("EMAIL[=NAME]")
      ->allow_extra_args(false);
  app.add_option("--microsoft-account", microsoft_accounts,
                 "A person who can sign in at Microsoft; repeatable. Addresses at outlook.com, hotmail.com, live.com, "
                 "msn.com and outlook.example are personal accounts, others belong to their domain's organisation")
      ->option_text("EMAIL[=NAME]")
      ->allow_extra_args(false);
  app.add_option("--mailbox", mailboxes,
                 "Fill a mailbox from an mbox (plain or gzip), a folder of .eml files, a .jsonl file, or - for JSON "
                 "Lines on standard input; repeatable")
      ->option_text("EMAIL=FILE")
      ->allow_extra_args(false);
  app.add_option("--calendar", calendars,
                 "Fill a calendar from an iCalendar file, or make one of each file of a folder; repeatable")
      ->option_text("EMAIL=FILE")
      ->allow_extra_args(false);
  app.add_option("--sample", options.samples, "Fill a mailbox and its calendars with the samples; repeatable")
      ->option_text("EMAIL")
      ->allow_extra_args(false);
  app.add_option("--client-id", options.settings.client_id, "The OAuth client's id")
      ->option_text("ID [latchkey-demo...]");
  app.add_option("--client-secret", options.settings.client_secret, "The OAuth client's secret")
      ->option_text("SECRET [secret-of-the-simulator]");
  app.add_option("--client-name", options.settings.client_name, "The name on the consent page")
      ->option_text("NAME [Latchkey]");
  app.add_option("--redirect-uri", options.settings.redirect_uris,
                 "A registered redirect URI, compared exactly; repeatable. Default: any on loopback")
      ->option_text("URI")
      ->allow_extra_args(false);
  app.add_option("--microsoft-client-id", options.settings.microsoft_client_id, "The application's id at Microsoft")
      ->option_text("GUID [5b1a6e0c...]");
  app.add_option("--microsoft-client-secret", options.settings.microsoft_client_secret,
                 "The application's secret at Microsoft")
      ->option_text("SECRET [microsoft-secret-of-the-simulator]");
  app.add_flag("--testing-mode", options.settings.testing_mode,
               "The OAuth project is in testing: refresh tokens live 7 days");
  app.add_flag("--no-quota", no_quota, "Count quota units, never enforce them");
  app.add_option("--seed", options.settings.seed, "Decides ids and the dice of faults")->option_text("N [1]");
  app.add_option("--state", options.state_file,
                 "Keep consents and refresh tokens in this file, so that clients go on after a restart")
      ->option_text("FILE");
  app.add_option("--pubsub-push-endpoint", options.pubsub_endpoint, "Push Gmail's notifications there, as Pub/Sub does")
      ->option_text("URL");
  app.add_option("--pubsub-audience", options.pubsub_audience, "Audience of the push's token")
      ->option_text("TEXT [the endpoint]");
  app.add_option("--pubsub-service-account", options.pubsub_service_account, "Whose token it is")
      ->option_text("EMAIL [push-sa@my-project.iam.gserviceaccount.com]");
  app.add_option("--trust-ca", options.trust_ca,
                 "Authorities (PEM) to trust besides the machine's when notifications go to https addresses")
      ->option_text("FILE");
  app.add_option("--ready-file", options.ready_file, "Once listening, write the addresses there as JSON (atomically)")
      ->option_text("PATH");
  app.add_flag("--quiet", options.quiet, "Print nothing when all is well");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    const int status = app.exit(error, out, out);
    return std::unexpected(Exit{status == 0 ? 0 : 2, out.str()});
  }
  const auto wrong = [](std::string text) { return std::unexpected(Exit{2, std::move(text) + "\n"}); };
  options.settings.quota = !no_quota;

  auto address = ListenAddress::Parse(listen);
  if (!address) return wrong("--listen: " + address.error());
  options.listen = *address;
  if (!tls_listen.empty()) {
    address = ListenAddress::Parse(tls_listen);
    if (!address) return wrong("--tls-listen: " + address.error());
    options.tls_listen = *address;
  }
  for (const std::string& text : accounts) {
    auto account = SplitAccount(text, "--account");
    if (!account) return wrong(account.error());
    options.accounts.push_back(std::move(*account));
  }
  for (const std::string& text : microsoft_accounts) {
    auto account = SplitAccount(text, "--microsoft-account");
    if (!account) return wrong(account.error());
    for (const auto& [email, name] : options.accounts) {
      if (EqualsIgnoreCase(email, account->first)) {
        return wrong(fmt::format("--microsoft-account {}: that address is Google's already", text));
      }
    }
    options.microsoft_accounts.push_back(std::move(*account));
  }
  for (const std::string& text : mailboxes) {
    auto mailbox = SplitAccount(text, "--mailbox");
    if (!mailbox) return wrong(mailbox.error());
    if (mailbox->second.empty()) return wrong(fmt::format("--mailbox {}: the file is missing, write EMAIL=FILE", text));
    options.mailboxes.push_back(std::move(*mailbox));
  }
  for (const std::string& text : calendars) {
    auto calendar = SplitAccount(text, "--calendar");
    if (!calendar) return wrong(calendar.error());
    if (calendar->second.empty())
      return wrong(fmt::format("--calendar {}: the file is missing, write EMAIL=FILE", text));
    options.calendars.push_back(std::move(*calendar));
  }
  for (const std::string& text : options.samples) {
    if (auto account = SplitAccount(text, "--sample"); !account) return wrong(account.error());
  }
  if (options.accounts.empty() && options.microsoft_accounts.empty() && options.mailboxes.empty() &&
      options.samples.empty() && options.calendars.empty()) {
    AddDefaults(options);
  }
  return options;
}

}  // namespace latchkey::simulator
