#include "connected_accounts/connect.hpp"

#include <algorithm>

#include "connected_accounts/token_seal.hpp"
#include "oauth/callback.hpp"
#include "oauth/flow_failure.hpp"
#include "telemetry/log.hpp"

namespace latchkey::connected_accounts {
namespace {

constexpr std::string_view kOk = "ok";

void AddMissing(std::vector<Capability>& to, const std::vector<Capability>& from) {
  for (const Capability capability : from) {
    if (std::ranges::find(to, capability) == to.end()) to.push_back(capability);
  }
}

}  // namespace

Task<Result<ConnectAttempt>> Connect::CreateAttempt(const StartRequest& request) {
  const auto provider = parts_.providers.Find(request.provider);
  if (!provider) co_return Fail(provider.error());
  const auto catalog = parts_.scopes.Find(request.provider);
  if (!catalog) co_return Fail(catalog.error());
  if (request.mode != "popup" && request.mode != "page") {
    co_return Fail(ErrorCode::kInvalidArgument, "mode is popup or page");
  }
  const Instant now = parts_.clock.Now();
  ConnectAttempt attempt{.id = ConnectAttemptId::New(now),
                         .user_id = request.user_id,
                         .session_id = request.session_id,
                         .provider = request.provider,
                         .capabilities = {},
                         .mode = request.mode,
                         .account_id = request.account_id,
                         .created_at = now,
                         .expires_at = now + oauth::kTransactionLifetime};
  if (!request.account_id.empty()) {
    const auto account = co_await parts_.store.Get(request.user_id, request.account_id);
    if (!account) co_return Fail(account.error());
    if (account->provider != request.provider) co_return Fail(ErrorCode::kNotFound, "account of another provider");
    if (account->disconnecting) co_return Fail(ErrorCode::kFenced, "the account is being erased");
    AddMissing(attempt.capabilities, account->requested);
  }
  AddMissing(attempt.capabilities, request.capabilities);
  if (attempt.capabilities.empty()) attempt.capabilities = {Capability::kReadMail};
  const auto scopes = (*catalog)->ScopesFor(attempt.capabilities);
  if (!scopes) co_return Fail(scopes.error());
  attempt.ticket_hash = request.ticket_hash;
  if (!attempt.ticket_hash.empty()) attempt.ticket_expires_at = now + kTicketLifetime;
  const auto inserted = co_await parts_.store.InsertAttempt(attempt);
  if (!inserted) co_return Fail(inserted.error());
  co_return attempt;
}

Task<Result<oauth::StartedFlow>> Connect::BuildAuthorizeUrl(const UserId& user, const ConnectAttemptId& id,
                                                            std::string_view return_to) {
  const auto attempt = co_await parts_.store.GetAttempt(user, id);
  if (!attempt) co_return Fail(attempt.error());
  co_return co_await StartFlow(*attempt, return_to);
}

Task<Result<oauth::StartedFlow>> Connect::StartFlow(const ConnectAttempt& attempt, std::string_view return_to) {
  const Instant now = parts_.clock.Now();
  if (attempt.state == ConnectAttempt::State::kExpired || now >= attempt.expires_at) {
    co_return Fail(ErrorCode::kStateExpired, "the attempt is too old");
  }
  if (attempt.state != ConnectAttempt::State::kPending) co_return Fail(ErrorCode::kConflict, "the attempt has ended");
  const auto provider = parts_.providers.Find(attempt.provider);
  if (!provider) co_return Fail(provider.error());
  const auto catalog = parts_.scopes.Find(attempt.provider);
  if (!catalog) co_return Fail(catalog.error());
  auto scopes = (*catalog)->ScopesFor(attempt.capabilities);
  if (!scopes) co_return Fail(scopes.error());
  std::string login_hint;
  std::string claims_challenge;
  if (!attempt.account_id.empty()) {
    const auto account = co_await parts_.store.Get(attempt.user_id, attempt.account_id);
    if (!account) co_return Fail(account.error());
    login_hint = account->email.empty() ? account->provider_account_id : account->email;
    claims_challenge = account->claims_challenge;
  }
  const oauth::PkceVerifier verifier = oauth::PkceVerifier::Generate();
  const oauth::Transaction transaction{.state = oauth::State::Generate(),
                                       .nonce = oauth::Nonce::Generate(),
                                       .verifier = verifier,
                                       .provider = attempt.provider,
                                       .flow = oauth::Flow::kConnect,
                                       .return_to = oauth::SafeReturnPath(return_to),
                                       .created_at = now,
                                       .user_id = attempt.user_id.text(),
                                       .session_id = attempt.session_id.text(),
                                       .attempt_id = attempt.id.text()};
  const oauth::AuthorizeRequest authorize{.flow = oauth::Flow::kConnect,
                                          .scopes = std::move(*scopes),
                                          .state = transaction.state,
                                          .nonce = transaction.nonce,
                                          .challenge = verifier.Challenge(),
                                          .login_hint = std::move(login_hint),
                                          .claims_challenge = std::move(claims_challenge)};
  auto url = co_await (*provider)->AuthorizeUrl(authorize);
  if (!url) co_return Fail(url.error());
  co_return oauth::StartedFlow{.authorize_url = std::move(*url), .cookie = parts_.transactions.Seal(transaction)};
}

Task<Connect::Finished> Connect::Finish(const oauth::CallbackRequest& callback) {
  Finished finished;
  const auto opened =
      oauth::OpenCallback(parts_.transactions, callback, oauth::Flow::kConnect, parts_.clock.Now(), "connect.refused");
  if (!opened.transaction) {
    finished.error = opened.error;
    finished.clear_cookie = opened.clear_cookie;
    co_return finished;
  }
  const auto& transaction = opened.transaction;
  finished.return_to = transaction->return_to;
  const UserId user(transaction->user_id);
  const ConnectAttemptId attempt_id(transaction->attempt_id);
  const auto attempt = co_await parts_.store.GetAttempt(user, attempt_id);
  if (!attempt) {
    finished.error = oauth::ShownCode(attempt.error().code);
    co_return finished;
  }
  finished.attempt_id = attempt->id;
  finished.mode = attempt->mode;
  const auto entry = co_await consumption_.Enter(*transaction);
  if (!entry) {
    finished.error = oauth::ShownCode(entry.error().code);
    co_return finished;
  }
  if (!entry->turn) co_return co_await OutcomeOf(*attempt, std::move(finished));
  const std::string state_hash = oauth::HashOf(transaction->state);
  std::map<std::string, std::string> params;
  const auto completed = co_await Complete(*attempt, *transaction, *opened.parameters, params);
  if (!completed) {
    const std::string shown(oauth::ShownCode(completed.error().code));
    log::Warn("connect.failed", {{"attempt_id", attempt->id},
                                 {"provider", callback.provider},
                                 {"error_code", ToString(completed.error().code)},
                                 {"detail", completed.error().detail}});
    const auto failed = co_await parts_.store.FailAttempt(attempt->id, shown, params);
    if (!failed) log::Failure("connect.outcome_lost", {{"error_code", ToString(failed.error().code)}});
    co_await consumption_.Finish(state_hash, shown);
    finished.error = shown;
    co_return finished;
  }
  co_await consumption_.Finish(state_hash, kOk);
  co_return co_await OutcomeOf(*attempt, std::move(finished));
}

Task<Connect::Finished> Connect::OutcomeOf(const ConnectAttempt& attempt, Finished finished) {
  const auto now = co_await parts_.store.GetAttempt(attempt.user_id, attempt.id);
  if (!now) {
    finished.error = oauth::ShownCode(now.error().code);
  } else if (now->state == ConnectAttempt::State::kSucceeded) {
    finished.account_id = now->result_account_id;
    finished.note = now->error_code;
  } else if (now->state == ConnectAttempt::State::kFailed) {
    finished.error = now->error_code;
  } else {
    finished.error = oauth::ShownCode(ErrorCode::kSignInFailed);
  }
  co_return finished;
}

Task<Result<ConnectedAccountId>> Connect::Complete(const ConnectAttempt& attempt, const oauth::Transaction& transaction,
                                                   const oauth::RedirectParameters& parameters,
                                                   std::map<std::string, std::string>& params) {
  if (attempt.state == ConnectAttempt::State::kExpired || parts_.clock.Now() >= attempt.expires_at) {
    co_return Fail(ErrorCode::kStateExpired, "the attempt is too old");
  }
  if (attempt.state != ConnectAttempt::State::kPending || attempt.provider != transaction.provider) {
    co_return Fail(ErrorCode::kStateMismatch, "the attempt has ended");
  }
  const auto provider = parts_.providers.Find(transaction.provider);
  if (!provider) co_return Fail(provider.error());
  const auto tokens = co_await oauth::RedeemCallback(**provider, parts_.records, transaction, parameters);
  if (!tokens) co_return Fail(tokens.error());
  const auto claims = co_await (*provider)->VerifyIdentity(*tokens, transaction.nonce);
  if (!claims) {
    co_await oauth::RevokeUnused(**provider, parts_.records, *tokens, {});
    co_return Fail(claims.error());
  }
  auto attached = co_await Attach(attempt, *tokens, *claims);
  if (!attached) {
    if (attached.error().code == ErrorCode::kWrongAccount) {
      const auto expected = co_await parts_.store.Get(attempt.user_id, attempt.account_id);
      if (expected) params = {{"expected", expected->email}, {"actual", claims->email}};
    }
    co_await oauth::RevokeUnused(**provider, parts_.records, *tokens, claims->subject);
    co_return attached;
  }
  co_await parts_.records.ResolveOperatorFaults(attempt.provider);
  co_return attached;
}

}  // namespace latchkey::connected_accounts
