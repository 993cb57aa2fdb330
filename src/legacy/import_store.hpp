#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "connected_accounts/account.hpp"
#include "connected_accounts/account_store.hpp"
#include "jobs/job.hpp"

namespace latchkey::legacy {

/// A row of the older program as it is to stand here.
struct ImportedConnection {
  std::string org_name;
  /// The user of the organisation, or of its owner; made when it is not there.
  UserId user_id;
  /// Known by "org:" and the organisation (connected_accounts/imported.hpp); the email is empty when nothing tells it.
  connected_accounts::ConnectedAccount account;
  connected_accounts::SealedTokens tokens;
  std::optional<Instant> last_refresh_at;
  std::vector<jobs::NewJob> first_jobs;
  /// The row is in this database too: marked in the same transaction.
  bool marks_own_row = false;
};

/// An account whose database was adopted where it is: its tokens as the older program sealed them.
struct AdoptedAccount {
  connected_accounts::ConnectedAccount account;
  SecretString access_token, refresh_token;
};

/// What the import needs of our database; implemented in storage/.
class ImportStore {
 public:
  virtual ~ImportStore() = default;
  /// The user that an earlier row of this organisation made or was given.
  virtual Task<Result<std::optional<UserId>>> FindOrganisation(std::string_view org_name) = 0;
  /// Everybody with this verified address who can sign in.
  virtual Task<Result<std::vector<UserId>>> FindUsersByEmail(std::string_view email) = 0;
  /// True when this row was taken over before, whatever became of the account since.
  virtual Task<Result<bool>> WasImported(std::string_view org_name, std::string_view provider) = 0;
  /// User (unless there), the record that the row was taken over, account, first jobs and event in one transaction.
  /// Nothing that is there is changed: kAlreadyExists when the row was taken over before; kConflict when another user
  /// stands for the organisation meanwhile.
  virtual Task<Result<void>> StoreImported(const ImportedConnection& connection) = 0;

  /// The user of an adopted database with this address, as long as nobody can sign in as them.
  virtual Task<Result<std::optional<UserId>>> FindAdoptedUser(std::string_view email) = 0;
  /// Gives the accounts of such a user, as far as nothing of them is sealed for that user yet, to another one; what the
  /// other one has connected already stays where it is. The number of accounts given.
  virtual Task<Result<int>> GiveAdopted(const UserId& from, const UserId& to) = 0;
  /// Accounts of an adopted database that still have tokens of the older program, by id, after `after`.
  virtual Task<Result<std::vector<AdoptedAccount>>> ListAdopted(const ConnectedAccountId& after, int limit) = 0;
  /// Puts the tokens in place, ends the fault that stood for their absence, forgets the adopted ones and queues the
  /// first jobs. kConflict when the person has signed in again meanwhile: their tokens are newer.
  virtual Task<Result<void>> StoreAdopted(const connected_accounts::ConnectedAccount& account,
                                          const connected_accounts::SealedTokens& tokens,
                                          const std::vector<jobs::NewJob>& first_jobs) = 0;
};

}  // namespace latchkey::legacy
