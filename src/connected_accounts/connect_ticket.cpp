// The part of Connect for API clients: a ticket stands in for the session until a browser takes over.

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/random.hpp"
#include "connected_accounts/connect.hpp"
#include "crypto/hash.hpp"
#include "crypto/strict_json.hpp"

namespace latchkey::connected_accounts {
namespace {

constexpr std::size_t kTokenLength = 43;
constexpr std::size_t kMaxConfirmation = 4096;
constexpr std::string_view kReturnTo = "/accounts";

}  // namespace

Task<Result<Connect::Ticket>> Connect::IssueTicket(const StartRequest& request) {
  SecretString ticket(RandomToken());
  StartRequest ticketed = request;
  ticketed.ticket_hash = crypto::Sha256Hex(ticket.Reveal());
  auto attempt = co_await CreateAttempt(ticketed);
  if (!attempt) co_return Fail(attempt.error());
  co_return Ticket{.attempt = std::move(*attempt), .ticket = std::move(ticket)};
}

Task<Result<Connect::OpenedTicket>> Connect::OpenTicket(std::string_view provider, const SecretString& ticket,
                                                        const SessionId& session) {
  if (ticket.Reveal().size() != kTokenLength) co_return Fail(ErrorCode::kNotFound, "not a ticket");
  const std::string hash = crypto::Sha256Hex(ticket.Reveal());
  auto attempt = co_await parts_.store.ConsumeTicket(hash);
  if (!attempt) co_return Fail(attempt.error());
  if (attempt->provider != provider) co_return Fail(ErrorCode::kNotFound, "ticket of another provider");
  OpenedTicket opened;
  if (!session.empty() && attempt->session_id == session) {
    auto started = co_await StartFlow(*attempt, kReturnTo);
    if (!started) co_return Fail(started.error());
    opened.started = std::move(*started);
  } else {
    opened.form_token = RandomToken();
    const boost::json::object confirmation{{"attempt", attempt->id.text()},
                                           {"user", attempt->user_id.text()},
                                           {"form", crypto::Sha256Hex(opened.form_token)}};
    opened.confirmation = {
        .name = ConfirmationCookieName(),
        .value = parts_.confirmations.Seal(boost::json::serialize(confirmation), attempt->expires_at),
        .max_age = oauth::kTransactionLifetime};
  }
  opened.attempt = std::move(*attempt);
  co_return opened;
}

Task<Result<oauth::StartedFlow>> Connect::ConfirmTicket(std::string_view provider, std::string_view confirmation_cookie,
                                                        std::string_view form_token) {
  const auto clear = parts_.confirmations.Open(confirmation_cookie, parts_.clock.Now());
  if (!clear) co_return Fail(clear.error());
  crypto::JsonFault fault{};
  const auto confirmation = crypto::ParseStrictObject(*clear, kMaxConfirmation, fault);
  if (!confirmation) co_return Fail(ErrorCode::kStateMismatch, "confirmation is not an object");
  const auto text = [&](std::string_view name) {
    return std::string(crypto::StringMember(*confirmation, name).value_or(""));
  };
  if (!crypto::EqualConstantTime(text("form"), crypto::Sha256Hex(form_token))) {
    co_return Fail(ErrorCode::kStateMismatch, "form of another page");
  }
  const UserId user(text("user"));
  const ConnectAttemptId id(text("attempt"));
  const auto attempt = co_await parts_.store.GetAttempt(user, id);
  if (!attempt) co_return Fail(attempt.error());
  if (attempt->provider != provider) co_return Fail(ErrorCode::kStateMismatch, "confirmation of another provider");
  co_return co_await StartFlow(*attempt, kReturnTo);
}

std::string Connect::ConfirmationCookieName() const {
  return parts_.transactions.secure() ? "__Host-latchkey_confirm" : "latchkey_confirm";
}

}  // namespace latchkey::connected_accounts
