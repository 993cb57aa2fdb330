#include "identity/sign_in.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/hash.hpp"
#include "identity/setup.hpp"
#include "oauth/callback.hpp"
#include "oauth/flow_failure.hpp"
#include "telemetry/log.hpp"

namespace latchkey::identity {
namespace {

constexpr std::string_view kOk = "ok";

std::string AuditDetail(std::string_view provider, std::string_view error = {}) {
  boost::json::object detail{{"provider", provider}};
  if (!error.empty()) detail["error"] = error;
  return boost::json::serialize(detail);
}

ExternalIdentity PersonOf(const oauth::IdentityClaims& claims, std::string_view provider) {
  ExternalIdentity identity{.issuer = claims.issuer,
                            .subject = claims.subject,
                            .email = claims.email,
                            .email_verified = claims.email_verified,
                            .first_name = claims.given_name,
                            .last_name = claims.family_name,
                            .provider = std::string(provider)};
  if (identity.first_name.empty() && identity.last_name.empty()) identity.first_name = claims.name;
  return identity;
}

}  // namespace

Task<Result<oauth::StartedFlow>> SignIn::Start(const StartRequest& request) {
  const auto provider = parts_.providers.Find(request.provider);
  if (!provider) co_return Fail(provider.error());
  bool claims_setup = false;
  if (!request.setup_token.empty()) {
    const auto open = co_await SetupTokenIsOpen(parts_.store, request.setup_token);
    if (!open) co_return Fail(open.error());
    if (!*open) co_return Fail(ErrorCode::kForbidden, "the setup link is not, or no longer, good");
    claims_setup = true;
  }
  const oauth::PkceVerifier verifier = oauth::PkceVerifier::Generate();
  const std::string& previous = request.previous_session.Reveal();
  const oauth::Transaction transaction{
      .state = oauth::State::Generate(),
      .nonce = oauth::Nonce::Generate(),
      .verifier = verifier,
      .provider = request.provider,
      .flow = oauth::Flow::kSignIn,
      .return_to = oauth::SafeReturnPath(request.return_to),
      .created_at = parts_.clock.Now(),
      .claims_setup = claims_setup,
      .previous_session_hash = previous.empty() ? std::string() : crypto::Sha256Hex(previous)};
  const oauth::AuthorizeRequest authorize{.flow = oauth::Flow::kSignIn,
                                          .scopes = {},
                                          .state = transaction.state,
                                          .nonce = transaction.nonce,
                                          .challenge = verifier.Challenge(),
                                          .login_hint = {}};
  auto url = co_await (*provider)->AuthorizeUrl(authorize);
  if (!url) co_return Fail(url.error());
  co_return oauth::StartedFlow{.authorize_url = std::move(*url), .cookie = parts_.transactions.Seal(transaction)};
}

Task<SignIn::Finished> SignIn::Finish(const oauth::CallbackRequest& callback) {
  Finished finished;
  const auto opened =
      oauth::OpenCallback(parts_.transactions, callback, oauth::Flow::kSignIn, parts_.clock.Now(), "sign_in.refused");
  if (!opened.transaction) {
    finished.error = opened.error;
    finished.clear_cookie = opened.clear_cookie;
    co_return finished;
  }
  const auto& transaction = opened.transaction;
  finished.return_to = transaction->return_to;
  const auto entry = co_await consumption_.Enter(*transaction);
  if (!entry) {
    finished.error = oauth::ShownCode(entry.error().code);
    co_return finished;
  }
  if (!entry->turn) {
    if (entry->outcome != kOk) finished.error = entry->outcome;
    co_return finished;
  }
  const std::string state_hash = oauth::HashOf(transaction->state);
  auto completed = co_await Complete(*transaction, *opened.parameters, callback, state_hash);
  if (completed) co_return std::move(*completed);
  finished.error = oauth::ShownCode(completed.error().code);
  log::Warn("sign_in.failed", {{"provider", callback.provider},
                               {"error_code", ToString(completed.error().code)},
                               {"detail", completed.error().detail}});
  co_await consumption_.Finish(state_hash, finished.error);
  const std::string detail = AuditDetail(callback.provider, finished.error);
  const UserId nobody;
  co_await parts_.store.Audit("sign_in.failed", nobody, detail);
  co_return finished;
}

Task<Result<SignIn::Finished>> SignIn::Complete(const oauth::Transaction& transaction,
                                                const oauth::RedirectParameters& parameters,
                                                const oauth::CallbackRequest& callback, const std::string& state_hash) {
  const auto provider = parts_.providers.Find(transaction.provider);
  if (!provider) co_return Fail(provider.error());
  const auto tokens = co_await oauth::RedeemCallback(**provider, parts_.records, transaction, parameters);
  if (!tokens) co_return Fail(tokens.error());
  Sessions::Issued issued = parts_.sessions.Issue(callback.user_agent, callback.address);
  auto user = co_await Open(**provider, *tokens, transaction, issued.session, state_hash);
  if (!user) co_return Fail(user.error());
  co_await parts_.records.ResolveOperatorFaults(transaction.provider);
  const std::string detail = AuditDetail(transaction.provider);
  co_await parts_.store.Audit(transaction.claims_setup ? "sign_in.claimed_setup" : "sign_in.succeeded", user->id,
                              detail);
  co_return Finished{.session_cookie = std::move(issued.cookie_value),
                     .return_to = transaction.return_to,
                     .error = {},
                     .clear_cookie = {},
                     .user = std::move(*user)};
}

Task<Result<User>> SignIn::Open(oauth::IdentityProvider& provider, const oauth::TokenSet& tokens,
                                const oauth::Transaction& transaction, const Session& session,
                                const std::string& state_hash) {
  const auto claims = co_await provider.VerifyIdentity(tokens, transaction.nonce);
  if (!claims) {
    co_await oauth::RevokeUnused(provider, parts_.records, tokens, {});
    co_return Fail(claims.error());
  }
  const IdentityStore::SignIn sign_in{.identity = PersonOf(*claims, transaction.provider),
                                      .session = session,
                                      .state_hash = state_hash,
                                      .claims_setup = transaction.claims_setup,
                                      .replaces_token_hash = transaction.previous_session_hash};
  auto user = co_await parts_.store.CompleteSignIn(sign_in);
  if (!user) co_await oauth::RevokeUnused(provider, parts_.records, tokens, claims->subject);
  co_return user;
}

}  // namespace latchkey::identity
