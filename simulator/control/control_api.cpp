#include "simulator/control/control_api.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "simulator/calendar/files.hpp"
#include "simulator/calendar/samples.hpp"
#include "simulator/faults/payloads.hpp"
#include "simulator/json_fields.hpp"

namespace latchkey::simulator {
namespace {

/// "localhost:8025", "127.0.0.1", "[::1]:80". Other names could be a web page's way to reach us through its own DNS.
bool IsLoopbackHost(std::string_view host) {
  if (const std::size_t colon = host.rfind(':'); colon != std::string_view::npos && !host.ends_with(']')) {
    host = host.substr(0, colon);
  }
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

boost::json::object Describe(const Account& account) {
  boost::json::object result;
  result["email"] = account.email;
  result["sub"] = account.sub;
  result["name"] = account.name;
  result["hd"] = account.hd;
  result["email_verified"] = account.email_verified;
  result["has_mailbox"] = account.has_mailbox;
  result["aliases"] = boost::json::array(account.aliases.begin(), account.aliases.end());
  result["provider"] = account.IsMicrosoft() ? "microsoft" : "google";
  if (account.IsMicrosoft()) {
    const MicrosoftIdentity& identity = account.microsoft;
    result["kind"] = account.IsPersonal() ? "personal" : "work";
    result["tid"] = identity.tid;
    result["oid"] = identity.oid;
    result["email_claim"] = identity.email_claim;
    result["edov"] = identity.edov.empty() ? boost::json::value(nullptr) : boost::json::parse(identity.edov);
    result["blocked_scopes"] = boost::json::array(identity.blocked_scopes.begin(), identity.blocked_scopes.end());
    result["user_consent_allowed"] = identity.user_consent_allowed;
    result["disabled"] = identity.disabled;
    result["deleted"] = identity.deleted;
  }
  return result;
}

boost::json::object Describe(const Settings& settings) {
  boost::json::object result;
  result["quota"] = settings.quota;
  result["empty_pages"] = settings.empty_pages;
  result["repeated_items"] = settings.repeated_items;
  result["concurrency_limit"] = settings.concurrency_limit;
  result["testing_mode"] = settings.testing_mode;
  result["access_token_seconds"] = settings.access_token_life.count();
  result["client_secret"] = settings.client_secret;
  result["client_deleted"] = settings.client_deleted;
  result["redirect_uris"] = boost::json::array(settings.redirect_uris.begin(), settings.redirect_uris.end());
  result["send_iss"] = settings.send_iss;
  result["sever_opener"] = settings.sever_opener;
  result["microsoft_client_secret"] = settings.microsoft_client_secret;
  result["microsoft_client_deleted"] = settings.microsoft_client_deleted;
  result["microsoft_client_disabled"] = settings.microsoft_client_disabled;
  result["microsoft_secret_expired"] = settings.microsoft_secret_expired;
  result["microsoft_access_token_seconds"] = settings.microsoft_token_life.count();
  result["microsoft_spa"] = settings.microsoft_spa;
  result["graph_concurrency"] = settings.graph_concurrency;
  result["graph_window_requests"] = settings.graph_window_requests;
  result["graph_retry_after_seconds"] = settings.graph_retry_after_seconds;
  result["graph_retry_after"] = settings.graph_retry_after;
  result["graph_thin_updates"] = settings.graph_thin_updates;
  result["graph_sent_copy_milliseconds"] = settings.graph_sent_copy_milliseconds;
  result["graph_notifications"] = settings.graph_notifications;
  result["graph_notification_milliseconds"] = settings.graph_notification_milliseconds;
  return result;
}

template <class Counters>
boost::json::object DescribeTokens(const Counters& issued) {
  boost::json::object tokens;
  tokens["codes_issued"] = issued.codes_issued;
  tokens["codes_redeemed"] = issued.codes_redeemed;
  tokens["access_issued"] = issued.access_issued;
  tokens["refresh_issued"] = issued.refresh_issued;
  tokens["refreshed"] = issued.refreshed;
  tokens["refused"] = issued.refused;
  tokens["revoked"] = issued.revoked;
  return tokens;
}

template <class T>
void Assign(T& target, const std::optional<T>& value) {
  if (value) target = *value;
}

}  // namespace

std::unexpected<ControlApi::Refusal> ControlApi::Refuse(int status, std::string sentence) {
  return std::unexpected(Refusal{status, std::move(sentence)});
}

Response ControlApi::Handle(Request& request) {
  Outcome outcome = [&]() -> Outcome {
    const std::string_view origin = request.headers.Get("Origin");
    const std::size_t scheme = origin.find("://");
    if (!request.from_loopback || !IsLoopbackHost(request.host) ||
        (!origin.empty() && (scheme == std::string_view::npos || !IsLoopbackHost(origin.substr(scheme + 3))))) {
      return Refuse(403, "the control API answers this machine only, under localhost or 127.0.0.1");
    }
    boost::json::object body;
    if (!request.body.empty()) {
      boost::system::error_code error;
      boost::json::value value = boost::json::parse(request.body, error);
      if (error || !value.is_object()) return Refuse(400, "the body must be a JSON object");
      body = std::move(value.as_object());
    }
    return Route(request, body);
  }();
  if (outcome) return JsonResponse(200, boost::json::serialize(*outcome));
  boost::json::object error;
  error["error"] = outcome.error().sentence;
  return JsonResponse(outcome.error().status, boost::json::serialize(error));
}

ControlApi::Outcome ControlApi::Route(const Request& request, const boost::json::object& body) {
  const std::string_view topic = request.segments.size() > 1 ? std::string_view(request.segments[1]) : "";
  const std::string_view path = request.path;
  const bool get = request.method == "GET";
  const bool post = request.method == "POST";
  if (topic == "health" && get) return boost::json::object{{"status", "ok"}};
  if (topic == "clock") return Clock(request, body);
  if (topic == "accounts") return Accounts(request, body);
  if (topic == "settings") return ChangeSettings(request, body);
  if (topic == "faults") return Faults(request, body);
  if (topic == "mail") return Mail(request, body);
  if (topic == "calendar") return Calendars(request, body);
  if (topic == "sent") return Sent(request);
  if (path == "/control/pubsub/subscription") return Subscription(request, body);
  if (topic == "channels") return CalendarChannels(request, body);
  if (topic == "grants") return Grants(request, body);
  if (path == "/control/google/authorize" && post) return Authorize(request, body);
  if (topic == "microsoft") return Microsoft(request, body);
  if (topic == "subscriptions") return Subscriptions(request, body);
  if (path == "/control/keys/rotate" && post) {
    parts_.google.keys().Rotate();
    const std::vector<std::string> kids = parts_.google.keys().kids();
    return boost::json::object{{"kids", boost::json::array(kids.begin(), kids.end())}};
  }
  if (path == "/control/tokens/expire" && post) {
    const auto account = AccountIn(body);
    if (!account) return std::unexpected(account.error());
    return boost::json::object{
        {"expired", parts_.google.grants().ExpireAccess(*account) + parts_.microsoft.grants().ExpireAccess(*account)}};
  }
  if (path == "/control/pubsub" && (get || request.method == "DELETE")) {
    return boost::json::object{{"messages", parts_.mail.PubSubMessages(!get)}};
  }
  if (path == "/control/counters" && get) return Counters();
  if (path == "/control/counters/reset" && post) {
    parts_.counters.Reset();
    parts_.mail.ResetCounters();
    parts_.google_calendar.ResetCounters();
    parts_.google.grants().ResetCounters();
    parts_.microsoft.grants().ResetCounters();
    parts_.faults.ResetCounters();
    return boost::json::object();
  }
  return Refuse(404, fmt::format("there is no {} {}; simulator/README.md lists the control API", request.method, path));
}

ControlApi::Outcome ControlApi::Clock(const Request& request, const boost::json::object& body) {
  if (request.path == "/control/clock/advance" && request.method == "POST") {
    JsonFields fields(body);
    const auto seconds = fields.Number("seconds");
    if (!seconds || *seconds > 1e9) fields.Complain("\"seconds\" must be a number, 0 or more; time never goes back");
    if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
    parts_.clock.Advance(std::chrono::microseconds(static_cast<std::int64_t>(*seconds * 1e6)));
    parts_.schedule.RunDue();
  } else if (request.path != "/control/clock" || request.method != "GET") {
    return Refuse(404, "the clock knows GET /control/clock and POST /control/clock/advance");
  }
  boost::json::object result;
  result["now"] = FormatInstant(parts_.clock.Now());
  result["offset_seconds"] = static_cast<double>(parts_.clock.offset().count()) / 1e6;
  return result;
}

ControlApi::Outcome ControlApi::Accounts(const Request& request, const boost::json::object& body) {
  if (request.segments.size() == 2 && request.method == "GET") {
    boost::json::array list;
    for (const Account& account : parts_.accounts.all()) list.push_back(Describe(account));
    return boost::json::object{{"accounts", std::move(list)}};
  }
  if (request.segments.size() == 2 && request.method == "POST") {
    const auto* email = body.if_contains("email");
    if (!email || !email->is_string() || !std::string_view(email->as_string()).contains('@')) {
      return Refuse(400, "\"email\" must be an address");
    }
    const auto* provider = body.if_contains("provider");
    const bool microsoft = provider && provider->is_string() && provider->as_string() == "microsoft";
    if (provider && !microsoft && *provider != "google") {
      return Refuse(400, "\"provider\" must be \"google\" or \"microsoft\"");
    }
    const std::string_view address = email->as_string();
    if (const Account* other = parts_.accounts.FindByEmail(address); other && other->IsMicrosoft() != microsoft) {
      return Refuse(400, fmt::format("{} is an account of the other provider already", address));
    }
    return ChangeAccount(microsoft ? parts_.accounts.AddMicrosoft(address) : parts_.accounts.Add(address), body, true);
  }
  if (request.segments.size() == 3 && request.method == "PATCH") {
    Account* account = parts_.accounts.FindByEmail(request.segments[2]);
    if (!account) return Refuse(404, fmt::format("there is no account {}", request.segments[2]));
    return ChangeAccount(*account, body, false);
  }
  return Refuse(405, "accounts know GET and POST, a single one PATCH");
}

ControlApi::Outcome ControlApi::ChangeAccount(Account& account, const boost::json::object& body, bool added) {
  JsonFields fields(body);
  const auto email = fields.Text("email");
  const auto name = fields.Text("name");
  const auto hd = fields.Text("hd");
  const auto verified = fields.Flag("email_verified");
  const auto has_mailbox = fields.Flag("has_mailbox");
  const auto aliases = fields.Texts("aliases");
  const auto pending_aliases = fields.Texts("pending_aliases");
  if (added) fields.Text("provider");
  MicrosoftIdentity identity = account.microsoft;
  std::optional<bool> personal;
  ReadMicrosoftFields(account, fields, identity, personal);
  const bool sample = added && fields.Flag("sample").value_or(false);
  const std::string mailbox = added ? fields.Text("mailbox").value_or("") : "";
  const std::string calendar = added ? fields.Text("calendar").value_or("") : "";
  if (!added && email) {
    const Account* other = parts_.accounts.FindByEmail(*email);
    if (!email->contains('@')) fields.Complain("\"email\" must be an address");
    if (other && other != &account) fields.Complain(fmt::format("somebody else has the address {}", *email));
  }
  if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
  if (account.IsMicrosoft()) {
    account.microsoft = std::move(identity);
    if (personal && *personal != account.IsPersonal()) account.SetPersonal(*personal);
  }
  if (!added && email) account.SetEmail(*email);
  if (name) account.SetName(*name);
  Assign(account.hd, hd);
  Assign(account.email_verified, verified);
  Assign(account.has_mailbox, has_mailbox);
  Assign(account.aliases, aliases);
  Assign(account.pending_aliases, pending_aliases);
  MailService::Outcome<std::size_t> imported = 0;
  if (sample) {
    imported = account.IsMicrosoft() ? parts_.graph_mail.ImportSample(account, parts_.clock.Now())
                                     : parts_.mail.ImportSample(account, parts_.clock.Now());
  }
  if (imported && !mailbox.empty()) {
    imported =
        account.IsMicrosoft() ? parts_.graph_mail.Import(account, mailbox) : parts_.mail.Import(account, mailbox);
  }
  if (!imported) return Refuse(400, imported.error());
  if (sample) calendar::AddSampleCalendars(parts_.calendars, account, parts_.clock.Now());
  if (!calendar.empty()) {
    const auto events = calendar::ImportCalendarFile(parts_.calendars, account, calendar);
    if (!events) return Refuse(400, events.error());
  }
  return Describe(account);
}

ControlApi::Outcome ControlApi::ChangeSettings(const Request& request, const boost::json::object& body) {
  Settings& settings = parts_.settings;
  if (request.method == "GET") return Describe(settings);
  if (request.method != "PATCH") return Refuse(405, "settings know GET and PATCH");
  JsonFields fields(body);
  const auto quota = fields.Flag("quota");
  const auto limit = fields.Count("concurrency_limit");
  const auto testing_mode = fields.Flag("testing_mode");
  const auto life = fields.Count("access_token_seconds");
  const auto secret = fields.Text("client_secret");
  const auto deleted = fields.Flag("client_deleted");
  const auto redirect_uris = fields.Texts("redirect_uris");
  const auto empty_pages = fields.Flag("empty_pages");
  const auto repeated_items = fields.Flag("repeated_items");
  const auto send_iss = fields.Flag("send_iss");
  const auto sever_opener = fields.Flag("sever_opener");
  const auto microsoft_secret = fields.Text("microsoft_client_secret");
  const auto microsoft_deleted = fields.Flag("microsoft_client_deleted");
  const auto microsoft_disabled = fields.Flag("microsoft_client_disabled");
  const auto microsoft_expired = fields.Flag("microsoft_secret_expired");
  const auto microsoft_life = fields.Count("microsoft_access_token_seconds");
  const auto microsoft_spa = fields.Flag("microsoft_spa");
  if (life && *life > 1'000'000'000) fields.Complain("\"access_token_seconds\" is too large");
  if (microsoft_life && *microsoft_life > 1'000'000'000) {
    fields.Complain("\"microsoft_access_token_seconds\" is too large");
  }
  const auto graph_concurrency = fields.Count("graph_concurrency");
  const auto graph_window = fields.Count("graph_window_requests");
  const auto retry_seconds = fields.Number("graph_retry_after_seconds");
  const auto retry_style = fields.Text("graph_retry_after");
  if (retry_style && *retry_style != "integer" && *retry_style != "decimal" && *retry_style != "date" &&
      *retry_style != "missing") {
    fields.Complain("\"graph_retry_after\" must be integer, decimal, date or missing");
  }
  const auto thin_updates = fields.Flag("graph_thin_updates");
  const auto sent_copy = fields.Count("graph_sent_copy_milliseconds");
  const auto notifications = fields.Text("graph_notifications");
  if (notifications && *notifications != "normal" && *notifications != "off" && *notifications != "duplicate" &&
      *notifications != "wrong_client_state") {
    fields.Complain("\"graph_notifications\" must be normal, off, duplicate or wrong_client_state");
  }
  const auto notification_delay = fields.Count("graph_notification_milliseconds");
  if (notification_delay && *notification_delay > 86'400'000) {
    fields.Complain("\"graph_notification_milliseconds\" is more than a day");
  }
  if (sent_copy && *sent_copy > 86'400'000) fields.Complain("\"graph_sent_copy_milliseconds\" is more than a day");
  if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
  Assign(settings.graph_notifications, notifications);
  Assign(settings.graph_notification_milliseconds, notification_delay);
  Assign(settings.graph_concurrency, graph_concurrency);
  Assign(settings.graph_window_requests, graph_window);
  Assign(settings.graph_retry_after_seconds, retry_seconds);
  Assign(settings.graph_retry_after, retry_style);
  Assign(settings.graph_thin_updates, thin_updates);
  Assign(settings.graph_sent_copy_milliseconds, sent_copy);
  Assign(settings.quota, quota);
  Assign(settings.concurrency_limit, limit);
  Assign(settings.testing_mode, testing_mode);
  if (life) settings.access_token_life = std::chrono::seconds(*life);
  Assign(settings.client_secret, secret);
  Assign(settings.client_deleted, deleted);
  Assign(settings.redirect_uris, redirect_uris);
  Assign(settings.empty_pages, empty_pages);
  Assign(settings.repeated_items, repeated_items);
  Assign(settings.send_iss, send_iss);
  Assign(settings.sever_opener, sever_opener);
  Assign(settings.microsoft_client_secret, microsoft_secret);
  Assign(settings.microsoft_client_deleted, microsoft_deleted);
  Assign(settings.microsoft_client_disabled, microsoft_disabled);
  Assign(settings.microsoft_secret_expired, microsoft_expired);
  if (microsoft_life) settings.microsoft_token_life = std::chrono::seconds(*microsoft_life);
  Assign(settings.microsoft_spa, microsoft_spa);
  parts_.mail.EnforceQuota(settings.quota);
  parts_.google_calendar.EnforceQuota(settings.quota);
  parts_.google_calendar.SetListQuirks({.empty_pages = settings.empty_pages});
  parts_.mail.SetListQuirks({.empty_pages = settings.empty_pages, .repeated_items = settings.repeated_items});
  return Describe(settings);
}

ControlApi::Outcome ControlApi::Authorize(const Request& request, const boost::json::object& body) {
  JsonFields fields(body);
  const std::string url = fields.Text("url").value_or("");
  simulator::Authorize::Decision decision;
  decision.account = fields.Text("account").value_or("");
  const std::string word = fields.Text("decision").value_or("approve");
  decision.approve = word == "approve";
  decision.untick = fields.Texts("untick").value_or(std::vector<std::string>());
  const std::size_t question = url.find('?');
  if (question == std::string::npos) fields.Complain("\"url\" must be the authorization URL with its query");
  if (word != "approve" && word != "deny") fields.Complain("\"decision\" must be \"approve\" or \"deny\"");
  if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
  const auto location =
      parts_.google.authorize().Walk(request, Parameters::Parse(std::string_view(url).substr(question + 1)), decision);
  if (!location) return Refuse(400, fmt::format("{}: {}", location.error().code, location.error().explanation));
  return boost::json::object{{"location", *location}};
}

ControlApi::Outcome ControlApi::Faults(const Request& request, const boost::json::object& body) {
  FaultTable& faults = parts_.faults;
  const auto add = [&](const boost::json::object& description) -> Outcome {
    auto added = faults.Add(description);
    if (!added) return Refuse(400, std::move(added.error()));
    return std::move(*added);
  };
  if (request.segments.size() == 2) {
    if (request.method == "GET") return boost::json::object{{"faults", faults.Describe()}};
    if (request.method == "DELETE") {
      faults.Clear();
      return boost::json::object();
    }
    if (request.method != "POST") return Refuse(405, "faults know GET, POST and DELETE");
    const auto* several = body.if_contains("faults");
    if (!several) return add(body);
    boost::json::array list;
    if (!several->is_array()) return Refuse(400, "\"faults\" must be a list");
    for (const boost::json::value& description : several->as_array()) {
      if (!description.is_object()) return Refuse(400, "\"faults\" must be a list of objects");
      Outcome added = add(description.as_object());
      if (!added) return added;
      list.push_back(std::move(*added));
    }
    return boost::json::object{{"faults", std::move(list)}};
  }
  if (request.segments[2] == "payloads" && request.method == "GET") {
    boost::json::object payloads;
    for (const std::string& name : PayloadNames()) {
      const Response response = *MakePayload(name, parts_.clock.Now());
      payloads[name] = {{"status", response.status}, {"body", response.body}};
    }
    return boost::json::object{{"payloads", std::move(payloads)}};
  }
  if (request.method != "DELETE") return Refuse(405, "a single fault knows DELETE");
  if (!faults.Remove(request.segments[2])) return Refuse(404, fmt::format("there is no fault {}", request.segments[2]));
  return boost::json::object();
}

boost::json::object ControlApi::Counters() const {
  boost::json::object accounts;
  boost::json::object quota = parts_.mail.QuotaCounters();
  const boost::json::object calendar_calls = parts_.google_calendar.QuotaCounters();
  for (const Account& account : parts_.accounts.all()) {
    boost::json::object counts = parts_.counters.OfAccount(account);
    if (const auto* units = quota.if_contains(account.email); units && units->is_object()) {
      for (const auto& member : units->as_object()) counts[member.key()] = member.value();
    }
    if (const auto* calls = calendar_calls.if_contains(account.email)) counts["calendar"] = *calls;
    accounts[account.email] = std::move(counts);
  }
  boost::json::object result;
  result["requests"] = parts_.counters.Requests();
  result["accounts"] = std::move(accounts);
  result["tokens"] = DescribeTokens(parts_.google.grants().counters());
  result["microsoft_tokens"] = DescribeTokens(parts_.microsoft.grants().counters());
  result["faults"] = parts_.faults.Counters();
  result["connections"] = parts_.connection_count();
  return result;
}

std::expected<const Account*, ControlApi::Refusal> ControlApi::AccountIn(const boost::json::object& body) const {
  JsonFields fields(body);
  const auto email = fields.Text("account");
  if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
  if (!email) return nullptr;
  const Account* account = parts_.accounts.FindByEmail(*email);
  if (!account) return Refuse(404, fmt::format("there is no account {}", *email));
  return account;
}

}  // namespace latchkey::simulator
