#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "oauth/identity_provider.hpp"
#include "oauth/provider_records.hpp"
#include "oauth/transaction.hpp"

namespace latchkey::oauth {

/// What both flows do first with a provider's redirect.
struct OpenedCallback {
  /// Set together, when the redirect belongs to a flow that this browser started.
  std::optional<RedirectParameters> parameters;
  std::optional<Transaction> transaction;
  /// Else the code that may be shown, and the cookie to clear, if any.
  std::string error, clear_cookie;
};
/// `event` names the refusal in the log.
OpenedCallback OpenCallback(const Transactions& transactions, const CallbackRequest& callback, Flow flow, Instant now,
                            std::string_view event);

/// What both flows do next: checks where the response came from, reads the provider's error or redeems the code. An
/// operator's fault is told to `records`.
Task<Result<TokenSet>> RedeemCallback(IdentityProvider& provider, ProviderRecords& records,
                                      const Transaction& transaction, const RedirectParameters& parameters);

}  // namespace latchkey::oauth
