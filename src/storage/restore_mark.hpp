#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/rows.hpp"

namespace latchkey::storage {

/// An account that was erased after the copy was made: its receipt, from the database that is replaced.
struct LaterErasure {
  std::string receipt_id;
  UserId user_id;
  ConnectedAccountId account_id;
  Instant requested_at{};
};

/// What a restore changed beyond going back in time.
struct RestoreMark {
  std::int64_t held_mails = 0;
  std::int64_t ended_sessions = 0;
  std::int64_t revoked_families = 0;
  std::int64_t erased_again = 0;
  /// The ids of all events from now on are above this.
  std::int64_t event_floor = 0;
};

/// Makes a database that came out of the past safe to go on with. What happened between the copy and now is unknown to
/// it, so:
/// - mails that were on their way are held: they may be out. Their jobs are cancelled; a person decides, and a mail is
///   looked for at the provider before it is sent on;
/// - event ids go on above everything that the lost time can have given out (microseconds since 1970: no database
///   writes a million events a second), and every browser has to reload;
/// - sessions end and refresh-token families are revoked: some of them may have been ended meanwhile;
/// - accounts of `erased` are erased again;
/// - push channels and audits are due now, cursors are left to the providers, who know how old they are.
/// `highest_event`: the highest id the replaced database had given out, where it could be read. In the transaction of
/// the caller, before a server starts. Engine thread.
RestoreMark MarkRestored(Transaction& transaction, Instant now, std::int64_t highest_event,
                         const std::vector<LaterErasure>& erased);

}  // namespace latchkey::storage
