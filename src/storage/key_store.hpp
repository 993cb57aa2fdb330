#pragma once

#include "crypto/key_store.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// crypto::KeyStore over the database. Loop thread.
class KeyStore final : public crypto::KeyStore {
 public:
  KeyStore(Engine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}

  Task<Result<std::vector<KeyCheck>>> ListKeyChecks() override;
  Task<Result<void>> InsertKeyCheck(const KeyCheck& check) override;
  Task<Result<std::vector<SealedRow>>> ListSealedRows(std::string_view after_account_id, int limit) override;
  Task<Result<bool>> ReplaceSealedRow(const SealedRow& row) override;

 private:
  Engine& engine_;
  const Clock& clock_;
};

}  // namespace latchkey::storage
