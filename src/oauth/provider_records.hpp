#pragma once

#include <string_view>

#include "async/task.hpp"
#include "base/error.hpp"

namespace latchkey::oauth {

/// What the authorization flows must know and tell beyond their own transaction. Implemented by
/// connected_accounts/store_provider_records.hpp.
class ProviderRecords {
 public:
  virtual ~ProviderRecords() = default;
  /// Whether a connected mailbox lives from the grant of this person: revoking would break it (providers such as
  /// Google end all scopes of a client at once). True when in doubt.
  virtual Task<bool> GrantInUse(std::string_view provider, std::string_view subject) = 0;
  /// An operator's fault was met (one notice however often; `reason` as in TokenRefusal), or the provider accepted our
  /// client again.
  virtual Task<void> RaiseOperatorFault(std::string_view provider, ErrorCode code, std::string_view reason) = 0;
  virtual Task<void> ResolveOperatorFaults(std::string_view provider) = 0;
};

}  // namespace latchkey::oauth
