#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/integration/support/simulator.hpp"

namespace latchkey::integration {

/// What goes wrong around sending, drawn by lot among the kinds that came least often
/// and injected into the simulator. Every fault meets one request of one
/// mailbox, so that those of many mailboxes do not wait for each other. Counts which were reached.
class SendFaults {
 public:
  using Random = std::mt19937_64;
  SendFaults(Simulator& simulator, Random& random) : simulator_(simulator), random_(random) {}

  /// One more, for a mailbox of "google" or "microsoft".
  void Add(const std::string& provider, const std::string& mailbox);
  /// The next attempt of this mailbox at Gmail that goes on with a draft hears late that the draft is still there: the
  /// moment before it is handed over is so short otherwise that hardly any kill meets it.
  void LingerBeforeSending(const std::string& mailbox);
  /// No more from now on; counts stay.
  void End() { simulator_.Delete("/faults"); }

  struct Counts {
    unsigned long injected = 0;
    unsigned long reached = 0;
    /// "google: the answer is lost" -> times. Every kind that can be drawn is there, also at 0.
    std::map<std::string, unsigned long> by_kind;
    bool EveryKind() const;
  };
  Counts Count();

 private:
  bool Pending(const std::string& id);

  Simulator& simulator_;
  Random& random_;
  /// How often each kind was drawn.
  std::map<std::string, int> given_;
  /// Kind by the simulator's id of the fault.
  std::map<std::string, std::string> kinds_;
  /// The refusal of a token that is still to come, by mailbox: a second one in a row would end the grant.
  std::map<std::string, std::string> refusals_;
  /// By mailbox.
  std::map<std::string, std::string> lingering_;
};

}  // namespace latchkey::integration
