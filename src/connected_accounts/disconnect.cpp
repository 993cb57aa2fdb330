#include "connected_accounts/disconnect.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "async/deadline.hpp"
#include "connected_accounts/token_seal.hpp"
#include "crypto/strict_json.hpp"
#include "telemetry/log.hpp"

namespace latchkey::connected_accounts {
namespace {

constexpr std::chrono::seconds kRevokeDeadline{10};
constexpr int kChunk = 500;
/// With the queue's backoff about a day.
constexpr int kRevokeAttempts = 25;
constexpr std::size_t kMaxArgs = 32 * 1024;

}  // namespace

Task<Result<ErasureReceipt>> Disconnect::Begin(const UserId& user, const ConnectedAccountId& id) {
  co_return co_await parts_.store.BeginErase(user, id);
}

Task<Result<std::map<std::string, std::int64_t>>> Disconnect::Preview(const UserId& user,
                                                                      const ConnectedAccountId& id) {
  co_return co_await parts_.store.PreviewErase(user, id);
}

Task<Result<ErasureReceipt>> Disconnect::Receipt(const UserId& user, std::string_view erasure_id) {
  co_return co_await parts_.store.GetErasure(user, erasure_id);
}

Task<jobs::Outcome> Disconnect::DeleteSyncedData(const jobs::Job& job) {
  const auto account = co_await parts_.store.GetForWork(job.account_id);
  if (!account) {
    if (account.error().code == ErrorCode::kNotFound) co_return jobs::Outcome::Completed();
    co_return jobs::Outcome::Retry(account.error());
  }
  if (!account->disconnecting) {
    co_return jobs::Outcome::Discard({.code = ErrorCode::kFenced, .detail = "the account is not being erased"});
  }
  const auto revoked = co_await RevokeOrQueue(*account);
  if (!revoked) co_return jobs::Outcome::Retry(revoked.error());
  while (true) {
    const auto done = co_await parts_.store.EraseSome(account->id, kChunk);
    if (!done) co_return jobs::Outcome::Retry(done.error());
    if (*done) break;
  }
  log::Info("disconnect.erased", {{"account_id", account->id}, {"provider", account->provider}});
  co_return jobs::Outcome::Completed();
}

Task<Disconnect::Revoked> Disconnect::Revoke(const ConnectedAccount& account, const SecretString& token) {
  // A provider such as Google ends every grant of the client for this person at once. When in doubt it stays.
  const auto sharing =
      co_await parts_.store.CountSharingGrant(account.provider, account.provider_account_id, account.id);
  if (!sharing) co_return Revoked::kUnreachable;
  if (*sharing > 0) co_return Revoked::kNothingToDo;
  const auto provider = parts_.providers.Find(account.provider);
  if (!provider) co_return Revoked::kNothingToDo;
  auto revoking = (*provider)->Revoke(token);
  const auto revoked = co_await WithDeadline(std::move(revoking), kRevokeDeadline);
  if (revoked) co_return *revoked == oauth::Revocation::kDone ? Revoked::kDone : Revoked::kNothingToDo;
  log::Warn("disconnect.revoke_failed", {{"provider", account.provider},
                                         {"error_code", ToString(revoked.error().code)},
                                         {"detail", revoked.error().detail}});
  co_return OwnerOf(revoked.error().code) == FaultOwner::kProvider ? Revoked::kUnreachable : Revoked::kNothingToDo;
}

Task<Result<void>> Disconnect::RevokeOrQueue(const ConnectedAccount& account) {
  const auto tokens = co_await parts_.store.GetTokens(account.id);
  if (!tokens) {
    if (tokens.error().code == ErrorCode::kNotFound) co_return Result<void>();
    co_return Fail(tokens.error());
  }
  const bool has_refresh = !tokens->refresh_token.empty();
  const std::string& sealed = has_refresh ? tokens->refresh_token : tokens->access_token;
  if (sealed.empty()) co_return Result<void>();
  const auto context = has_refresh ? RefreshTokenContext(account) : AccessTokenContext(account);
  const auto token = parts_.vault.Open(context, sealed);
  if (!token) {
    log::Warn("disconnect.token_unreadable", {{"error_code", ToString(token.error().code)}});
    co_return Result<void>();
  }
  const Revoked revoked = co_await Revoke(account, *token);
  if (revoked == Revoked::kDone) co_return co_await parts_.store.MarkRevoked(account.id);
  if (revoked == Revoked::kNothingToDo) co_return Result<void>();
  const boost::json::object args{{"account", account.id.text()},          {"user", account.user_id.text()},
                                 {"provider", account.provider},          {"subject", account.provider_account_id},
                                 {"column", std::string(context.column)}, {"token", sealed}};
  // Without the account's id, because it outlives the account's rows.
  const jobs::NewJob retry{.kind = std::string(kRevokeGrant),
                           .args = boost::json::serialize(args),
                           .priority = jobs::Priority::kNormal,
                           .unique_key = std::string(kRevokeGrant) + ":" + account.id.text(),
                           .scheduled_at = parts_.clock.Now() + std::chrono::seconds(30),
                           .max_attempts = kRevokeAttempts};
  const auto queued = co_await parts_.jobs.Insert(retry);
  if (!queued) co_return Fail(queued.error());
  co_return Result<void>();
}

Task<jobs::Outcome> Disconnect::RevokeGrant(const jobs::Job& job) {
  crypto::JsonFault fault{};
  const auto args = crypto::ParseStrictObject(job.args, kMaxArgs, fault);
  if (!args) co_return jobs::Outcome::Discard({.code = ErrorCode::kInternal, .detail = "arguments are not an object"});
  const auto text = [&](std::string_view name) { return std::string(crypto::StringMember(*args, name).value_or("")); };
  ConnectedAccount account;
  account.id = ConnectedAccountId(text("account"));
  account.user_id = UserId(text("user"));
  account.provider = text("provider");
  account.provider_account_id = text("subject");
  const std::string column = text("column");
  const std::string sealed = text("token");
  const auto token = parts_.vault.Open(TokenContext(account, column), sealed);
  if (!token) co_return jobs::Outcome::Discard(token.error());
  switch (co_await Revoke(account, *token)) {
    case Revoked::kDone: {
      const auto marked = co_await parts_.store.MarkRevoked(account.id);
      if (!marked) co_return jobs::Outcome::Retry(marked.error());
      co_return jobs::Outcome::Completed();
    }
    case Revoked::kNothingToDo:
      co_return jobs::Outcome::Completed();
    case Revoked::kUnreachable:
      break;
  }
  co_return jobs::Outcome::Retry({.code = ErrorCode::kProviderUnavailable, .detail = "revocation is not answered"});
}

}  // namespace latchkey::connected_accounts
