#pragma once

#include <map>
#include <string>
#include <vector>

#include "connected_accounts/scope_catalog.hpp"
#include "crypto/vault.hpp"
#include "legacy/connection.hpp"
#include "legacy/import_store.hpp"

namespace latchkey::legacy {

/// What became of one row.
enum class RowOutcome {
  kImported,  ///< Taken over now; in a dry run: would be.
  kImportedBefore,
  kSkipped,  ///< Cannot be taken over; the reason says why.
};
std::string_view ToString(RowOutcome outcome);

struct RowReport {
  std::string org_name, provider;
  RowOutcome outcome = RowOutcome::kSkipped;
  /// A stable word: "no_tokens", "unknown_provider", "bad_organisation", "fernet_key_missing", "fernet_unreadable",
  /// "bad_token", "owner_not_found", "owner_not_unique", "not_stored"; beside kImported "no_refresh_token" or
  /// "not_marked"; otherwise empty.
  std::string reason;
  std::string user_id, account_id;
  std::vector<connected_accounts::Capability> capabilities;
};

struct ImportReport {
  std::vector<RowReport> rows;
  int imported = 0, imported_before = 0, skipped = 0;
};

struct ImportOptions {
  bool dry_run = false;
  /// Organisation, or address of a user of an adopted database, to the verified address of a user who is here already
  /// and shall have the accounts.
  std::map<std::string, std::string> owners;
  /// Keys of Fernet tokens (32 bytes each); the vault's keys are tried as well.
  std::vector<SecretString> fernet_keys;
  /// The source is our own database.
  bool own_database = false;
};

struct ImportParts {
  ImportStore& store;
  const crypto::Vault& vault;
  const connected_accounts::ScopeCatalogs& scopes;
  const Clock& clock;
};

/// Takes over every row of `source` that can be: each in a transaction of its own, so that a kill leaves whole rows and
/// a second run goes on where it ended. Fails only when a database does not answer; a bad row is reported and skipped.
Task<Result<ImportReport>> Import(Source& source, const ImportParts& parts, const ImportOptions& options);

/// The same for the accounts of a database that was adopted where it is: their tokens are opened with the older
/// program's keys and sealed with ours.
Task<Result<ImportReport>> ImportAdopted(const ImportParts& parts, const ImportOptions& options);

/// One Fernet key per line, blank lines and lines that begin with '#' aside. kInvalidArgument names the line.
Result<std::vector<SecretString>> ParseFernetKeys(std::string_view text);

}  // namespace latchkey::legacy
