#pragma once

#include <expected>
#include <string>

#include <boost/json/object.hpp>

#include "base/clock.hpp"
#include "simulator/google/grant_store.hpp"

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

  /// Gives the saved grants to `grants` (people who are not in `accounts` are left out) and saves every change from now
  /// on. `grants` must not change after this object is gone.
  std::expected<void, std::string> Attach(GrantStore& grants, const AccountRegistry& accounts);

 private:
  bool Save(const GrantStore& grants) const;

  std::string path_;
  Instant began_;
  boost::json::object saved_grants_;
};

}  // namespace latchkey::simulator
