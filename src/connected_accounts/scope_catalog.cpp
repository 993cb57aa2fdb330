#include "connected_accounts/scope_catalog.hpp"

#include <algorithm>

namespace latchkey::connected_accounts {

Result<std::shared_ptr<const ScopeCatalog>> ScopeCatalogs::Find(std::string_view provider) const {
  const auto it = std::ranges::find_if(catalogs_, [&](const auto& catalog) { return catalog->provider() == provider; });
  if (it == catalogs_.end()) return Fail(ErrorCode::kProviderNotConfigured, "no mailboxes of this provider");
  return *it;
}

}  // namespace latchkey::connected_accounts
