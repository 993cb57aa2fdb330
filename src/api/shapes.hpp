#pragma once

#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "connected_accounts/accounts.hpp"
#include "identity/identity_store.hpp"
#include "jobs/job.hpp"
#include "mail/message_store.hpp"
#include "oauth/identity_provider.hpp"

/// The JSON shapes of openapi/latchkey.yaml that several routes share. Each writes one complete value.
namespace latchkey::api {

void WriteInstant(json::Writer& out, std::string_view name, Instant instant);
void WriteInstant(json::Writer& out, std::string_view name, const std::optional<Instant>& instant);
/// Empty text becomes null.
void WriteText(json::Writer& out, std::string_view name, std::string_view text);

void WriteProgress(json::Writer& out, std::string_view name,
                   const std::optional<connected_accounts::Progress>& progress);
/// ConnectedAccount. `user` tells whether the address is also a way to sign in.
/// `admin_consent_url`: as in AdminConsentUrlOf.
void WriteAccount(json::Writer& out, const connected_accounts::AccountView& view, const identity::User& user,
                  std::string_view admin_consent_url);
/// The link on which an organisation's administrator approves this application; empty unless that is what the account
/// waits for.
std::string AdminConsentUrlOf(const oauth::IdentityProviders& providers,
                              const connected_accounts::ConnectedAccount& account);
void WriteErasure(json::Writer& out, const connected_accounts::ErasureReceipt& receipt);
/// Person.
void WritePerson(json::Writer& out, const mail::Address& address);
void WriteJob(json::Writer& out, const jobs::Job& job);

}  // namespace latchkey::api
