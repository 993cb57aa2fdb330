#pragma once

#include "push/push_store.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// push::PushStore over the database. Loop thread.
class PushStore final : public push::PushStore {
 public:
  explicit PushStore(Engine& engine) : engine_(engine) {}

  Task<Result<std::vector<push::Channel>>> List(const ConnectedAccountId& account) override;
  Task<Result<void>> Insert(const push::Channel& channel) override;
  Task<Result<void>> Activate(const std::string& id, const std::string& external_id, Instant expires_at) override;
  Task<Result<void>> Remove(const std::string& id) override;
  Task<Result<std::optional<push::Channel>>> Find(std::string_view id) override;
  Task<Result<std::optional<push::Channel>>> FindExternal(std::string_view provider,
                                                          std::string_view external_id) override;
  Task<Result<std::vector<push::Channel>>> FindByResource(std::string_view provider, push::Service service,
                                                          std::string_view resource) override;
  Task<Result<bool>> AnyCreating(std::string_view provider, Instant since) override;
  Task<Result<void>> Notified(const std::string& id, Instant now) override;
  Task<Result<std::vector<std::string>>> SelectedCalendars(const ConnectedAccountId& account) override;
  Task<Result<int>> ScheduleDue(Instant now, std::chrono::microseconds interval, int limit) override;
  Task<Result<void>> LookAgain(const ConnectedAccountId& account, Instant at) override;
  Task<Result<void>> Rest(const ConnectedAccountId& account, Instant started, Instant until) override;
  Task<Result<push::Standing>> Stand(const ConnectedAccountId& account, Instant now) override;

 private:
  Engine& engine_;
};

}  // namespace latchkey::storage
