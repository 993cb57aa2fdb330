#include "oauth/callback.hpp"

#include "oauth/flow_failure.hpp"
#include "telemetry/log.hpp"

namespace latchkey::oauth {

OpenedCallback OpenCallback(const Transactions& transactions, const CallbackRequest& callback, Flow flow, Instant now,
                            std::string_view event) {
  OpenedCallback opened;
  auto parameters = RedirectParameters::Parse(callback.query);
  auto transaction = transactions.Open(callback, flow, now);
  if (parameters && transaction) {
    opened.parameters = std::move(*parameters);
    opened.transaction = std::move(*transaction);
    return opened;
  }
  const Error& error = !parameters ? parameters.error() : transaction.error();
  log::Warn(event, {{"provider", callback.provider}, {"error_code", ToString(error.code)}, {"detail", error.detail}});
  opened.error = ShownCode(error.code);
  if (parameters) opened.clear_cookie = transactions.CookieName(parameters->state);
  return opened;
}

Task<Result<TokenSet>> RedeemCallback(IdentityProvider& provider, ProviderRecords& records,
                                      const Transaction& transaction, const RedirectParameters& parameters) {
  const auto issuer = co_await provider.CheckResponseIssuer(parameters.issuer);
  if (!issuer) co_return Fail(issuer.error());
  if (!parameters.error.error.empty()) {
    const ErrorCode code = provider.MeaningOf(parameters.error);
    if (OwnerOf(code) == FaultOwner::kOperator) co_await records.RaiseOperatorFault(transaction.provider, code, {});
    co_return Fail(code, "the provider answered with an error");
  }
  auto tokens = co_await provider.RedeemCode(transaction.flow, parameters.code, transaction.verifier);
  if (!tokens) {
    const TokenRefusal& refusal = tokens.error();
    if (OwnerOf(refusal.code) == FaultOwner::kOperator) {
      co_await records.RaiseOperatorFault(transaction.provider, refusal.code, refusal.reason);
    }
    co_return Fail(refusal);
  }
  co_return std::move(*tokens);
}

}  // namespace latchkey::oauth
