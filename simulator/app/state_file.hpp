#pragma once

#include <expected>
#include <string>

#include <boost/json/object.hpp>

#include "base/clock.hpp"
#include "simulator/google/grant_store.hpp"
#include "simulator/microsoft/entra_grants.hpp"

namespace latchkey::simulator {

/// Writes under another name first and renames: nobody ever reads half of it. Mode 0600, since it may hold tokens.
bool WriteFileAtomically(const std::string& path, const boost::json::object& content);

/// What outlives the program: consents, refresh tokens, and when the mailboxes began, so that the sample mail has the
/// same dates and ids again. Without a path it keeps nothing.
class StateFile {
 public:
  /// Reads the file if there is one. The error says what to do.
  static std::expected<StateFile, std::string> Open(std::string path, Instant now);

  /// When the first run began.
  Instant began() const { return began_; }

  /// Gives the saved grants to the two stores (people who are not in `accounts` are left out) and saves every change
  /// from now on. Neither store may change after this object is gone.
  std::expected<void, std::string> Attach(GrantStore& grants, entra::EntraGrants& microsoft,
                                          const AccountRegistry& accounts);

 private:
  bool Save() const;

  std::string path_;
  Instant began_;
  boost::json::object saved_grants_;
  boost::json::object saved_microsoft_;
  const GrantStore* grants_ = nullptr;
  const entra::EntraGrants* microsoft_ = nullptr;
};

}  // namespace latchkey::simulator
