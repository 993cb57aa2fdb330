#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "simulator/accounts.hpp"

namespace latchkey::simulator {

/// One message of the sample mailbox.
struct SampleMessage {
  std::string raw;                  ///< RFC 5322 bytes, CRLF.
  std::vector<std::string> labels;  ///< System label ids, or names of user labels.
  Instant date;
};

/// The project's own mailbox: about 150 messages of fictional people in a dozen languages and scripts, addressed to
/// `owner`, with dates that end minutes before `now`. Oldest first. The same arguments give the same bytes.
std::vector<SampleMessage> MakeSampleMailbox(const Account& owner, Instant now);

}  // namespace latchkey::simulator
