#pragma once

#include "identity/identity_store.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// identity::IdentityStore over the database. Loop thread.
class IdentityStore final : public identity::IdentityStore {
 public:
  IdentityStore(Engine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}

  Task<Result<identity::User>> CompleteSignIn(const SignIn& sign_in) override;
  Task<Result<Authenticated>> FindSession(std::string_view token_hash, Instant seen_since) override;
  Task<Result<std::vector<identity::Session>>> ListSessions(const UserId& user) override;
  Task<Result<void>> EndSession(const UserId& user, const SessionId& id) override;
  Task<Result<void>> EndAllSessions(const UserId& user) override;
  Task<Result<bool>> SetupOpen() override;
  Task<Result<void>> StoreSetupToken(std::string_view token_hash) override;
  Task<Result<bool>> CheckSetupToken(std::string_view token_hash) override;
  Task<Result<void>> Audit(std::string_view event, const UserId& user, std::string_view detail_json) override;
  Task<Result<int>> PruneExpired(int limit) override;

 private:
  Engine& engine_;
  const Clock& clock_;
};

}  // namespace latchkey::storage
