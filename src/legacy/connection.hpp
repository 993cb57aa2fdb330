#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"

namespace latchkey::legacy {

/// A row of the older program's oauth_connections, as it stands there: tokens in clear or as Fernet tokens.
struct OrgConnection {
  std::string org_name;
  std::string provider;
  SecretString access_token;
  SecretString refresh_token;
  /// Seconds since 1970.
  std::optional<std::int64_t> expires_at, last_refresh_at;
  std::string scope;
  bool migrated = false;
};

/// The older program's database. Blocking; one thread.
class Source {
 public:
  virtual ~Source() = default;
  /// Rows by organisation and provider, from the `offset`-th on, at most `limit`. kNotFound when there is no such
  /// table, kStorageUnavailable when the database does not answer.
  virtual Result<std::vector<OrgConnection>> List(int offset, int limit) = 0;
  /// Writes down that a row was taken over; adds the column where the table does not have it yet. A row that is marked
  /// stays as it is.
  virtual Result<void> MarkMigrated(const OrgConnection& row, Instant now) = 0;
};

/// "sqlite:PATH" or "postgresql://…". kInvalidArgument for anything else. The error's detail names no password.
Result<std::unique_ptr<Source>> OpenSource(const std::string& url);

}  // namespace latchkey::legacy
