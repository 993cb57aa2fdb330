#include "api/shapes.hpp"

#include <algorithm>

namespace latchkey::api {

using connected_accounts::Capability;

void WriteInstant(json::Writer& out, std::string_view name, Instant instant) {
  out.Member(name, FormatInstant(instant));
}

void WriteInstant(json::Writer& out, std::string_view name, const std::optional<Instant>& instant) {
  out.Key(name);
  if (instant) {
    out.Value(FormatInstant(*instant));
  } else {
    out.Null();
  }
}

void WriteText(json::Writer& out, std::string_view name, std::string_view text) {
  out.Key(name);
  if (text.empty()) {
    out.Null();
  } else {
    out.Value(text);
  }
}

void WriteProgress(json::Writer& out, std::string_view name,
                   const std::optional<connected_accounts::Progress>& progress) {
  out.Key(name);
  if (!progress) {
    out.Null();
    return;
  }
  out.BeginObject().Member("stage", progress->stage).Member("done", progress->done).Key("total");
  if (progress->total > 0) {
    out.Value(progress->total);
  } else {
    out.Null();
  }
  out.Key("rate");
  if (progress->rate > 0) {
    out.Value(progress->rate);
  } else {
    out.Null();
  }
  out.Key("eta_seconds");
  if (progress->eta) {
    out.Value(progress->eta->count());
  } else {
    out.Null();
  }
  out.EndObject();
}

namespace {

void WriteCapability(json::Writer& out, const connected_accounts::ConnectedAccount& account, Capability capability) {
  const bool requested = std::ranges::find(account.requested, capability) != account.requested.end();
  const bool granted = std::ranges::find(account.granted, capability) != account.granted.end();
  std::string_view status = "off";
  if (requested && !granted) status = "missing_scope";
  if (requested && granted) status = "ok";
  out.Key(ToString(capability))
      .BeginObject()
      .Member("requested", requested)
      .Member("granted", granted)
      .Member("status", status)
      .EndObject();
}

}  // namespace

void WriteAccount(json::Writer& out, const connected_accounts::AccountView& view, const identity::User& user,
                  std::string_view admin_consent_url) {
  const auto& account = view.account;
  const auto& health = view.health;
  out.BeginObject().Member("id", account.id.text()).Member("provider", account.provider).Member("email", account.email);
  WriteText(out, "display_name", account.display_name);
  out.Member("status", ToString(health.status));
  WriteText(out, "reason", health.reason);
  out.Member("action", ToString(health.action));
  WriteInstant(out, "since", health.since);
  WriteInstant(out, "last_success_at", health.last_success_at);
  WriteInstant(out, "next_attempt_at", health.next_attempt_at);
  WriteProgress(out, "progress", health.progress);
  out.Key("capabilities").BeginObject();
  for (const auto capability : {Capability::kReadMail, Capability::kSendMail, Capability::kReadCalendar})
    WriteCapability(out, account, capability);
  out.EndObject().Member("message_count", account.message_count);
  WriteInstant(out, "created_at", account.created_at);
  out.Member("used_to_sign_in", user.auth_provider == account.provider && user.email == account.email);
  out.Key("ref").Null();
  WriteText(out, "admin_consent_url", admin_consent_url);
  out.EndObject();
}

std::string AdminConsentUrlOf(const oauth::IdentityProviders& providers,
                              const connected_accounts::ConnectedAccount& account) {
  if (account.fault != ErrorCode::kAdminConsentRequired) return {};
  const auto provider = providers.Find(account.provider);
  return provider ? (*provider)->AdminConsentUrl(account.provider_account_id) : std::string();
}

void WriteErasure(json::Writer& out, const connected_accounts::ErasureReceipt& receipt) {
  std::int64_t done = 0;
  out.BeginObject()
      .Member("id", receipt.id)
      .Member("account_id", receipt.account_id.text())
      .Member("provider", receipt.provider);
  WriteText(out, "email", receipt.email);
  out.Key("counts").BeginObject();
  for (const auto& [table, count] : receipt.deleted) {
    out.Member(table, count);
    done += count;
  }
  out.EndObject();
  out.Member("status", receipt.complete ? "completed" : (done > 0 ? "running" : "pending"));
  out.Key("progress").BeginObject().Member("done", done).Member("total", std::max(done, receipt.total)).EndObject();
  std::string_view revocation = "pending";
  if (receipt.revoked_at_provider) {
    revocation = "done";
  } else if (receipt.complete) {
    revocation = "not_needed";
  }
  out.Member("revocation", revocation);
  WriteInstant(out, "requested_at", receipt.requested_at);
  WriteInstant(out, "finished_at", receipt.completed_at);
  out.EndObject();
}

void WritePerson(json::Writer& out, const mail::Address& address) {
  out.BeginObject();
  WriteText(out, "name", address.name);
  out.Member("address", address.address).EndObject();
}

void WriteJob(json::Writer& out, const jobs::Job& job) {
  out.BeginObject()
      .Member("id", job.id.text())
      .Member("kind", job.kind)
      .Member("state", ToString(job.state))
      .Member("priority", static_cast<int>(job.priority));
  WriteText(out, "account_id", job.account_id.text());
  out.Member("attempt", job.attempt).Member("max_attempts", job.max_attempts);
  WriteText(out, "error_code", job.last_error_code);
  WriteInstant(out, "created_at", job.created_at);
  WriteInstant(out, "scheduled_at", job.scheduled_at);
  WriteInstant(out, "started_at", job.attempted_at);
  WriteInstant(out, "finished_at", job.finalized_at);
  out.EndObject();
}

}  // namespace latchkey::api
