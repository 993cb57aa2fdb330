#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "connected_accounts/account.hpp"

namespace latchkey::connected_accounts {

/// What a provider's scopes mean to us. Pure; implemented beside the provider's adapter.
class ScopeCatalog {
 public:
  virtual ~ScopeCatalog() = default;
  virtual std::string_view provider() const = 0;
  /// The scopes to ask for; kInvalidArgument for a capability that the provider does not have.
  virtual Result<std::vector<std::string>> ScopesFor(const std::vector<Capability>& capabilities) const = 0;
  /// What granted scopes allow, whatever their order, spelling or surplus (a broader scope covers a narrower one).
  virtual std::vector<Capability> CapabilitiesOf(const std::vector<std::string>& scopes) const = 0;
};

class ScopeCatalogs {
 public:
  void Add(std::shared_ptr<const ScopeCatalog> catalog) { catalogs_.push_back(std::move(catalog)); }
  Result<std::shared_ptr<const ScopeCatalog>> Find(std::string_view provider) const;

 private:
  std::vector<std::shared_ptr<const ScopeCatalog>> catalogs_;
};

}  // namespace latchkey::connected_accounts
