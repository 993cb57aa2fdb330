#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace latchkey::http {

// What a server does at the edge of its means: connections are descriptors, and running out of them must end in an
// answer, not in silence.

/// Kept free for everything that is no connection of a client: providers, the database, files.
inline constexpr std::size_t kDescriptorReserve = 256;

/// Raises the process's soft limit of descriptors to the hard one as far as `wanted` connections need it, and returns
/// how many connections leave kDescriptorReserve for everything else.
std::size_t AffordableConnections(std::size_t wanted);

/// A descriptor kept for the day when there is none left: given up for a moment, it lets the waiting client be told so
/// instead of leaving it in the kernel's queue. One thread.
class SpareDescriptor {
 public:
  SpareDescriptor();
  ~SpareDescriptor();
  SpareDescriptor(const SpareDescriptor&) = delete;
  SpareDescriptor& operator=(const SpareDescriptor&) = delete;

  /// Takes one waiting client off `listener` (non-blocking) and tells it to come back later. False when there was no
  /// spare left or nobody waits.
  bool TurnAway(int listener);

 private:
  int spare_ = -1;
};

/// "503, come back later", without having read the request: written as far as the socket takes it, never waiting. The
/// caller closes.
void SayOverloaded(int socket);

/// From here on the kernel completes no new handshake on `listener`, so that closing it can reset nobody who was let in
/// already: whoever knocks now finds the door closed when it knocks again. False when the system does not know how.
bool RefuseNewHandshakes(int listener);

}  // namespace latchkey::http
