// The part of the control API that acts on Microsoft's accounts, consents and tokens, and on grants of both providers.
#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "simulator/control/control_api.hpp"
#include "simulator/google/scopes.hpp"

namespace latchkey::simulator {

void ControlApi::ReadMicrosoftFields(const Account& account, JsonFields& fields, MicrosoftIdentity& identity,
                                     std::optional<bool>& personal) {
  // Asked for only when the account is Microsoft's: elsewhere they are unknown fields, which JsonFields reports.
  if (!account.IsMicrosoft()) return;
  if (const auto kind = fields.Text("kind")) {
    personal = *kind == "personal";
    if (*kind != "personal" && *kind != "work") fields.Complain("\"kind\" must be \"personal\" or \"work\"");
  }
  if (auto text = fields.Text("tid")) {
    identity.tid = std::move(*text);
    personal = identity.tid == kPersonalTenant;
    if (*personal != account.IsPersonal()) fields.Complain("change \"kind\" instead of giving the other kind's tid");
  }
  if (auto text = fields.Text("email_claim")) identity.email_claim = std::move(*text);
  if (const boost::json::value* edov = fields.Value("edov")) {
    const bool text = edov->is_string() && (edov->as_string() == "1" || edov->as_string() == "true");
    if (!edov->is_null() && !edov->is_bool() && !text) {
      fields.Complain("\"edov\" must be null, true, false, \"1\" or \"true\"");
    }
    identity.edov = edov->is_null() ? std::string() : boost::json::serialize(*edov);
  }
  if (auto scopes = fields.Texts("blocked_scopes")) {
    for (const std::string& name : *scopes) {
      if (!entra::FindScope(name)) fields.Complain(fmt::format("Microsoft has no scope {}", name));
    }
    identity.blocked_scopes = std::move(*scopes);
  }
  if (const auto flag = fields.Flag("user_consent_allowed")) identity.user_consent_allowed = *flag;
  if (const auto flag = fields.Flag("disabled")) identity.disabled = *flag;
  if (const auto flag = fields.Flag("deleted")) identity.deleted = *flag;
}

ControlApi::Outcome ControlApi::Microsoft(const Request& request, const boost::json::object& body) {
  const bool post = request.method == "POST";
  if (request.path == "/control/microsoft/authorize" && post) return AuthorizeMicrosoft(body);
  if (request.path == "/control/microsoft/admin-consent") return AdminConsent(body);
  if (request.path == "/control/microsoft/keys/rotate" && post) {
    parts_.microsoft.keys().Rotate();
    const std::vector<std::string> kids = parts_.microsoft.keys().kids();
    return boost::json::object{{"kids", boost::json::array(kids.begin(), kids.end())}};
  }
  return Refuse(404, "microsoft knows POST authorize, admin-consent and keys/rotate");
}

ControlApi::Outcome ControlApi::AuthorizeMicrosoft(const boost::json::object& body) {
  JsonFields fields(body);
  const std::string url = fields.Text("url").value_or("");
  entra::EntraAuthorize::Decision decision;
  decision.account = fields.Text("account").value_or("");
  const std::string word = fields.Text("decision").value_or("approve");
  decision.approve = word == "approve";
  const std::size_t scheme = url.find("://");
  const std::size_t path = scheme == std::string::npos ? scheme : url.find('/', scheme + 3);
  const std::size_t question = url.find('?');
  if (path == std::string::npos || question == std::string::npos || question < path) {
    fields.Complain("\"url\" must be the authorization URL with its query");
  }
  if (word != "approve" && word != "deny") fields.Complain("\"decision\" must be \"approve\" or \"deny\"");
  if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
  const std::string_view text = url;
  const auto walked = parts_.microsoft.authorize().Walk(text.substr(path, question - path),
                                                        Parameters::Parse(text.substr(question + 1)), decision);
  if (!walked) {
    return Refuse(400, entra::Describe(*walked.error().error, walked.error().detail, parts_.clock.Now()));
  }
  boost::json::object result;
  result["location"] = walked->location;
  if (!walked->form.empty()) {
    boost::json::object form;
    for (const auto& [name, value] : walked->form) form[name] = value;
    result["form"] = std::move(form);
  }
  return result;
}

ControlApi::Outcome ControlApi::AdminConsent(const boost::json::object& body) {
  JsonFields fields(body);
  const std::string tenant = fields.Text("tenant").value_or("");
  const std::string tid = parts_.accounts.FindTenant(tenant);
  const bool revoke = fields.Flag("revoke").value_or(false);
  ScopeSet scopes;
  for (const std::string& name : fields.Texts("scopes").value_or(std::vector<std::string>())) {
    const entra::Scope* scope = entra::FindScope(name);
    if (scope) scopes.insert(entra::GrantName(*scope));
    if (!scope) fields.Complain(fmt::format("Microsoft has no scope {}", name));
  }
  if (tid.empty()) fields.Complain("\"tenant\" must be the domain or GUID of a Microsoft account's tenant");
  if (scopes.empty() && !revoke) fields.Complain("\"scopes\" is missing");
  if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
  if (revoke) {
    parts_.microsoft.grants().RevokeTenantConsent(tid);
  } else {
    parts_.microsoft.grants().ConsentForTenant(tid, parts_.settings.microsoft_client_id, scopes);
  }
  return boost::json::object{{"tid", tid}};
}

ControlApi::Outcome ControlApi::Subscriptions(const Request& request, const boost::json::object& body) {
  graph::Subscriptions& subscriptions = parts_.subscriptions;
  const auto& segments = request.segments;
  if (segments.size() == 2 && request.method == "GET") {
    return boost::json::object{{"subscriptions", subscriptions.Describe()}};
  }
  if (segments.size() == 3 && request.method == "DELETE") {
    if (!subscriptions.Remove(segments[2])) return Refuse(404, fmt::format("there is no subscription {}", segments[2]));
    return boost::json::object();
  }
  if (segments.size() == 4 && segments[3] == "lifecycle" && request.method == "POST") {
    JsonFields fields(body);
    const std::string event = fields.Text("event").value_or("");
    if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
    const auto sent = subscriptions.SendLifecycle(segments[2], event);
    if (!sent) return Refuse(400, sent.error());
    return boost::json::object();
  }
  return Refuse(405, "subscriptions know GET, a single one DELETE and POST …/lifecycle");
}

ControlApi::Outcome ControlApi::Grants(const Request& request, const boost::json::object& body) {
  if (request.path == "/control/grants" && request.method == "GET") {
    boost::json::array list = parts_.google.grants().Describe();
    for (boost::json::value& grant : parts_.microsoft.grants().Describe()) list.push_back(std::move(grant));
    return boost::json::object{{"grants", std::move(list)}};
  }
  if (request.path != "/control/grants/revoke" || request.method != "POST") {
    return Refuse(404, "grants know GET /control/grants and POST /control/grants/revoke");
  }
  JsonFields fields(body);
  const auto email = fields.Text("account");
  const std::string reason = fields.Text("reason").value_or("consent");
  if (!email) fields.Complain("\"account\" is missing");
  if (reason != "consent" && reason != "sessions") {
    fields.Complain("\"reason\" must be \"consent\" or \"sessions\"");
  }
  if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
  const Account* account = parts_.accounts.FindByEmail(*email);
  if (!account) return Refuse(404, fmt::format("there is no account {}", *email));
  const std::size_t count = account->IsMicrosoft() ? parts_.microsoft.grants().Revoke(*account, reason == "sessions")
                                                   : parts_.google.grants().RevokeGrants(*account);
  return boost::json::object{{"revoked", count}};
}

}  // namespace latchkey::simulator
