#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/chaos/cluster.hpp"

namespace latchkey::chaos {

using Random = std::mt19937_64;

/// Something that breaks and is put right again.
struct Fault {
  std::string name;
  /// Breaks it; how often the fault was really met (processes stopped, connections reset, ...). 0: it met nothing.
  std::function<long()> begin;
  /// Puts it right; what begin could not know yet (bytes swallowed meanwhile).
  std::function<long()> end;
};

/// All that apply on this machine. What cannot be done here is named in `skipped`, with the reason.
std::vector<Fault> FaultsOf(Cluster& cluster, Random& random, std::vector<std::string>& skipped);

}  // namespace latchkey::chaos
