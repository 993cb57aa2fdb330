#include "simulator/app/application.hpp"

#include <fmt/format.h>

#include "simulator/faults/payloads.hpp"

namespace latchkey::simulator {
namespace {

bool IsMail(std::string_view path) {
  return path.starts_with("/gmail/v1/") || path.starts_with("/upload/gmail/v1/") ||
         path.starts_with("/resumable/upload/gmail/v1/") || path == "/batch/gmail/v1" || path == "/batch";
}

bool IsCalendar(std::string_view path) { return path.starts_with("/calendar/v3/") || path == "/batch/calendar/v3"; }

bool Under(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

Application::Application(Settings settings, const MailFactory& make_mail)
    : settings_(std::move(settings)),
      google_(clock_, accounts_, settings_),
      microsoft_(clock_, accounts_, settings_),
      graph_(clock_, settings_),
      graph_mail_(clock_, accounts_, settings_, schedule_),
      subscriptions_(settings_, schedule_, outgoing_),
      faults_(clock_, settings_.seed),
      mail_(make_mail(clock_, accounts_, settings_.seed)),
      calendars_(clock_, settings_.seed),
      google_calendar_(calendars_, schedule_, outgoing_),
      graph_calendars_(calendars_),
      pubsub_(schedule_, outgoing_, google_.keys()),
      control_({clock_, schedule_, settings_, accounts_, google_, microsoft_, faults_, counters_, *mail_, graph_mail_,
                subscriptions_, calendars_, google_calendar_, pubsub_, sent_, [this] { return connection_count_(); }}) {
  mail_->EnforceQuota(settings_.quota);
  mail_->SetDispatch(schedule_, sent_);
  mail_->OnPubSubMessage([this](const boost::json::object& envelope) { pubsub_.Publish(envelope); });
  graph_.Add(graph_mail_);
  graph_.Add(subscriptions_);
  graph_mail_.SetListener(subscriptions_);
  graph_calendars_.SetListener(&subscriptions_);
  subscriptions_.SetResolve([this](const Account& account, std::string_view collection, const std::string& name) {
    return collection == "messages" ? graph_mail_.FolderId(account, name) : name;
  });
  subscriptions_.SetConsented([this](const Account& account) {
    return !microsoft_.grants().Consented(account, settings_.microsoft_client_id).empty();
  });
  graph_mail_.SetDelivery([this](const graph::OutgoingMail& outgoing) { DeliverLocally(outgoing); });
  graph_mail_.SetSendPlan([this](const Account&) {
    const std::size_t copies = send_plan_.lose ? 0 : 1 + static_cast<std::size_t>(send_plan_.extra_copies);
    return graph::SendPlan{.deliveries = copies, .sent_copies = copies, .delay = send_plan_.delay};
  });
  mail_->SetForward([this](const Account& to, const std::string& raw) {
    IncomingMessage message;
    message.raw = raw;
    static_cast<void>(graph_mail_.Deliver(to, message));
  });
  graph_.SetInProgress([this](const Account& account) { return counters_.InProgress(account); });
  graph_.SetPartCount([this](const std::string& route, int status) { counters_.Count(route, status); });
  graph_.SetPartGate([this](const Request& part, const Account& account) {
    Verdict verdict = faults_.Consult(part, &account);
    ActOnState(verdict, &account);
    return std::move(verdict.answer);
  });
  mail_->SetPartGate([this](const Request& part, const Grant& grant) { return GatePart(part, grant); });
  graph_.Add(graph_calendars_);
  google_calendar_.EnforceQuota(settings_.quota);
  google_calendar_.SetPartGate([this](const Request& part, const Grant& grant) { return GatePart(part, grant); });
}

Application::~Application() = default;

Response Application::Handle(Request& request) {
  try {
    return Route(request);
  } catch (const std::exception& error) {
    fmt::print(stderr, "latchkey-simulator: {} {}: {}\n", request.method, request.path, error.what());
    return TextResponse(500, "The simulator itself failed here; its standard error output says how.\n");
  }
}

Response Application::Route(Request& request) {
  if (IsMail(request.path) || IsCalendar(request.path)) return HandleGoogleApi(request);
  if (Under(request.path, "/google")) return HandleGoogle(request);
  if (Under(request.path, "/control")) return control_.Handle(request);
  if (graph::GraphService::Owns(request)) return HandleGraph(request);
  if (graph::MailArea::OwnsUpload(request)) return HandleUpload(request);
  if (entra::MicrosoftIdentity::Owns(request)) return HandleMicrosoft(request);
  if (request.path == "/") {
    return TextResponse(200,
                        "This is latchkey-simulator. Google is under /google, Gmail under /gmail/v1, Google Calendar "
                        "under /calendar/v3, Microsoft's sign-in under /common and the names of tenants, Graph under "
                        "/v1.0, the control API under /control; simulator/README.md describes them.\n");
  }
  return TextResponse(404, "Not Found\n");
}

Response Application::HandleGoogleApi(Request& request) {
  const std::string route = RouteTemplate(request);
  const GrantStore::AccessToken* access = google_.grants().FindAccess(BearerToken(request));
  const Account* account = access ? access->grant.account : nullptr;
  std::shared_ptr<void> in_progress;
  if (account) in_progress = counters_.Begin(*account);

  Verdict verdict;
  if (!faults_.empty()) {
    verdict = faults_.Consult(request, account);
    if (verdict.revoke_grant || verdict.rotate_keys) {
      ActOnState(verdict, account);
      access = google_.grants().FindAccess(BearerToken(request));
    }
  }
  mail_->PlanSend(verdict.send);
  Response response =
      verdict.answer ? std::move(*verdict.answer) : AnswerGoogleApi(request, access ? &access->grant : nullptr);
  verdict.Apply(response);
  response.in_progress = std::move(in_progress);
  counters_.Count(route, response.status);
  return response;
}

Response Application::AnswerGoogleApi(Request& request, const Grant* grant) {
  const Instant now = clock_.Now();
  const bool calendar = IsCalendar(request.path);
  const bool anonymous = !request.headers.Find("Authorization");
  if (!grant && calendar)
    return *MakePayload(anonymous ? "calendar.login-required.401" : "calendar.authError.401", now);
  if (!grant) return *MakePayload(anonymous ? "gmail.authError.401" : "gmail.unauthenticated-new-envelope.401", now);
  if (settings_.concurrency_limit > 0 && counters_.InProgress(*grant->account) > settings_.concurrency_limit) {
    return *MakePayload(calendar ? "calendar.rateLimitExceeded.429" : "gmail.too-many-concurrent.429", now);
  }
  if (calendar) return google_calendar_.Handle(request, *grant);
  if (!grant->account->has_mailbox) return *MakePayload("gmail.mail-service-not-enabled.400", now);
  return mail_->Handle(request, *grant);
}

Response Application::HandleGoogle(Request& request) {
  const std::string route = RouteTemplate(request);
  Verdict verdict;
  if (!faults_.empty()) {
    const Account* account = AccountBehind(request);
    verdict = faults_.Consult(request, account);
    ActOnState(verdict, account);
  }
  Response response = verdict.answer ? std::move(*verdict.answer) : google_.Handle(request, verdict.id_token);
  verdict.Apply(response);
  counters_.Count(route, response.status);
  return response;
}

Response Application::HandleMicrosoft(Request& request) {
  const std::string route = RouteTemplate(request);
  Verdict verdict;
  if (!faults_.empty()) {
    const Account* account = AccountBehind(request);
    verdict = faults_.Consult(request, account);
    ActOnState(verdict, account);
  }
  Response response = verdict.answer ? std::move(*verdict.answer) : microsoft_.Handle(request, verdict.id_token);
  verdict.Apply(response);
  counters_.Count(route, response.status);
  return response;
}

Response Application::HandleGraph(Request& request) {
  const std::string_view token = BearerToken(request);
  const entra::EntraGrants::Access* access = microsoft_.grants().FindAccess(token);
  const Account* account = access ? access->grant.account : nullptr;
  const bool own = graph::GraphService::Prepare(request, account);
  const std::string route = graph_.RouteName(request);
  std::shared_ptr<void> in_progress;
  if (account) in_progress = counters_.Begin(*account);

  Verdict verdict;
  if (!faults_.empty()) {
    verdict = faults_.Consult(request, account);
    if (verdict.revoke_grant || verdict.rotate_keys) {
      ActOnState(verdict, account);
      access = microsoft_.grants().FindAccess(token);
    }
  }
  Response response;
  if (verdict.answer) {
    response = std::move(*verdict.answer);
  } else if (!access || !access->for_graph) {
    response = graph_.RefuseToken(request, microsoft_.grants().WasIssued(token), access != nullptr);
  } else if (!own) {
    response = graph::AccessDenied(clock_.Now());
  } else {
    send_plan_ = verdict.send;
    response = graph_.Handle(request, access->grant);
  }
  return Transform(std::move(response), [this, verdict, route, in_progress](Response answer) {
    verdict.Apply(answer);
    answer.in_progress = in_progress;
    counters_.Count(route, answer.status);
    return answer;
  });
}

Response Application::HandleUpload(Request& request) {
  Verdict verdict;
  if (!faults_.empty()) verdict = faults_.Consult(request, nullptr);
  Response response = verdict.answer ? std::move(*verdict.answer) : graph_mail_.Upload(request);
  verdict.Apply(response);
  counters_.Count(request.method + " /api/v2.0/…/AttachmentSessions/{id}", response.status);
  return response;
}

void Application::DeliverLocally(const graph::OutgoingMail& outgoing) {
  sent_.Add(outgoing.sender, "", outgoing.raw, outgoing.recipients, clock_.Now(), outgoing.duplicate);
  for (const std::string& recipient : outgoing.recipients) {
    const Account* account = accounts_.FindByEmail(recipient);
    if (!account || !account->has_mailbox) continue;
    IncomingMessage message;
    message.raw = outgoing.raw;
    if (account->IsMicrosoft()) {
      static_cast<void>(graph_mail_.Deliver(*account, message));
    } else {
      static_cast<void>(mail_->Deliver(*account, std::move(message)));
    }
  }
}

std::optional<Response> Application::GatePart(const Request& part, const Grant& grant) {
  Verdict verdict = faults_.Consult(part, grant.account);
  ActOnState(verdict, grant.account);
  return std::move(verdict.answer);
}

const Account* Application::AccountBehind(const Request& request) const {
  const GrantStore& grants = google_.grants();
  const entra::EntraGrants& microsoft = microsoft_.grants();
  if (const GrantStore::AccessToken* access = grants.FindAccess(BearerToken(request))) return access->grant.account;
  if (const auto* access = microsoft.FindAccess(BearerToken(request))) return access->grant.account;
  if (request.method != "POST") return nullptr;
  const Parameters form = Parameters::Parse(request.body);
  for (const std::string_view field : {"refresh_token", "code", "token"}) {
    const std::string_view value = form.Find(field) ? form.Get(field) : request.query.Get(field);
    if (const Account* account = grants.AccountOf(value)) return account;
    if (const Account* account = microsoft.AccountOf(value)) return account;
  }
  return nullptr;
}

void Application::ActOnState(const Verdict& verdict, const Account* account) {
  if (verdict.revoke_grant && account) {
    if (account->IsMicrosoft()) {
      microsoft_.grants().Revoke(*account, false);
    } else {
      google_.grants().RevokeGrants(*account);
    }
  }
  if (verdict.rotate_keys) {
    google_.keys().Rotate();
    microsoft_.keys().Rotate();
  }
}

}  // namespace latchkey::simulator
