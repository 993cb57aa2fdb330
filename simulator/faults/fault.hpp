#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <random>
#include <string>

#include <boost/json/object.hpp>

#include "base/clock.hpp"
#include "simulator/accounts.hpp"
#include "simulator/google/id_token.hpp"
#include "simulator/http/message.hpp"

namespace latchkey::simulator {

enum class FaultKind {
  kRespond,
  kLatency,
  kReset,
  kLoseAnswer,
  kTruncate,
  kDrip,
  kHistoryExpired,
  kRevokeGrant,
  kRotateKeys,
  kIdToken,
  kLoseMessage,
  kDuplicateSend,
  kDelaySend,
};

/// One thing that goes wrong on purpose: which requests it meets, how often, and what it does to them.
struct Fault {
  std::string id;
  FaultKind kind = FaultKind::kRespond;
  boost::json::object description;  ///< As it was asked for.

  // Selection.
  std::string path;  ///< Glob or prefix, see PathMatches.
  std::string method;
  std::string account;
  std::uint64_t skip = 0;
  std::optional<std::uint64_t> count;
  double probability = 1;
  Instant from;
  std::optional<Instant> until;

  // Action.
  std::string payload;
  Response response;  ///< For kRespond without a payload name.
  std::chrono::milliseconds retry_after{0};
  bool retry_after_header = false;
  std::string retry_after_text;  ///< As given, so that fractions survive.
  std::chrono::milliseconds latency{0};
  std::chrono::milliseconds jitter{0};
  std::optional<std::uint64_t> bytes;
  std::uint64_t bytes_per_second = 0;
  std::uint64_t copies = 1;  ///< For kDuplicateSend: further ones.
  std::chrono::milliseconds send_delay{0};
  Delivery::Reset reset = Delivery::Reset::kConnection;
  IdTokenVariant variant = IdTokenVariant::kCorrect;

  // State.
  std::mt19937_64 dice;
  std::uint64_t seen = 0;
  std::uint64_t fired = 0;

  /// `number` makes the default seed differ from fault to fault. The error says what is wrong with the description.
  static std::expected<Fault, std::string> Parse(const boost::json::object& description, Instant now,
                                                 std::uint64_t seed, std::uint64_t number);

  /// True when at most one such fault may act on a request.
  bool ReplacesAnswer() const;
  /// Counts the request if it is selected, and rolls the dice.
  bool Fires(const Request& request, const Account* account, Instant now);
};

std::string_view ToString(FaultKind kind);

/// '*' matches within a segment, '**' across segments; a pattern without any star is a prefix that ends at a segment.
bool PathMatches(std::string_view pattern, std::string_view path);

}  // namespace latchkey::simulator
