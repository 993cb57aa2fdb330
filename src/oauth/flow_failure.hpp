#pragma once

#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/error.hpp"
#include "oauth/identity_provider.hpp"
#include "oauth/provider_records.hpp"

namespace latchkey::oauth {

/// What an `error` of the authorization response means: kAccessDenied, kPolicyEnforced, kProviderUnavailable,
/// kInvalidClient (we are set up wrongly), or kSignInFailed.
ErrorCode MeaningOfRedirectError(const RedirectError& error);

/// The code that a person may be shown for a failed flow: of a fixed set, the provider's ways of not answering joined.
std::string_view ShownCode(ErrorCode code);

/// After a failure behind the redemption: revokes the new grant, best effort and within the provider's deadline, unless
/// a connected mailbox lives from the same grant. `subject` is the verified one; when empty, the subject that the
/// unverified ID token claims decides, which can only make us revoke less.
Task<void> RevokeUnused(IdentityProvider& provider, ProviderRecords& records, const TokenSet& tokens,
                        std::string subject);

}  // namespace latchkey::oauth
