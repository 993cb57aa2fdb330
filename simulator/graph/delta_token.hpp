#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace latchkey::simulator::graph {

/// All that a delta round must remember between its pages and between rounds; it travels inside the link, so that the
/// simulator keeps nothing per client.
struct DeltaToken {
  enum class Phase : char { kInitial = 'i', kChanges = 'c' };
  Phase phase = Phase::kInitial;
  std::uint64_t generation = 0;
  std::uint32_t folder = 0;
  /// kInitial: the mailbox's change number when the round began, from which the next one starts. kChanges: the same,
  /// and the round ends there.
  std::uint64_t until = 0;
  /// kChanges: changes up to this one were given.
  std::uint64_t after = 0;
  /// kInitial: the last message given, by date and key; nothing yet when key is 0.
  std::int64_t received = 0;
  std::uint64_t key = 0;
  std::uint64_t given = 0;       ///< Messages given in this round; a filtered one ends at 5,000.
  std::uint64_t page = 0;        ///< Page size of the first request; 0: none was asked for.
  bool after_empty = false;      ///< The empty page that a quirk puts first was given.
  char filter = 0;               ///< 'g' for gt, 'e' for ge on receivedDateTime; 0: none.
  std::int64_t filter_time = 0;  ///< Microseconds.
  std::string change_type;       ///< "created", "updated" or "deleted".
  std::string select;            ///< As in the first request.
  bool expand_attachments = false;
  std::string expand_select;  ///< What to show of them; empty: everything.

  /// Opaque to clients; a changed character makes it invalid.
  std::string Encode() const;
  static std::optional<DeltaToken> Decode(std::string_view text);
};

}  // namespace latchkey::simulator::graph
