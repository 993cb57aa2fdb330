#pragma once

#include "legacy/import_store.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// legacy::ImportStore over the database. Loop thread.
class LegacyStore final : public legacy::ImportStore {
 public:
  LegacyStore(Engine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}

  Task<Result<std::optional<UserId>>> FindOrganisation(std::string_view org_name) override;
  Task<Result<std::vector<UserId>>> FindUsersByEmail(std::string_view email) override;
  Task<Result<bool>> WasImported(std::string_view org_name, std::string_view provider) override;
  Task<Result<void>> StoreImported(const legacy::ImportedConnection& connection) override;
  Task<Result<std::optional<UserId>>> FindAdoptedUser(std::string_view email) override;
  Task<Result<int>> GiveAdopted(const UserId& from, const UserId& to) override;
  Task<Result<std::vector<legacy::AdoptedAccount>>> ListAdopted(const ConnectedAccountId& after, int limit) override;
  Task<Result<void>> StoreAdopted(const connected_accounts::ConnectedAccount& account,
                                  const connected_accounts::SealedTokens& tokens,
                                  const std::vector<jobs::NewJob>& first_jobs) override;

 private:
  Engine& engine_;
  const Clock& clock_;
};

}  // namespace latchkey::storage
