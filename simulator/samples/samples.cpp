#include "simulator/samples/samples.hpp"

namespace latchkey::simulator {
std::vector<SampleMessage> MakeSampleMailbox(const Account& owner, Instant now) {
  return {{.raw = "From: Ada <ada@example.com>\r\nTo: " + owner.email + "\r\nSubject: Hi\r\n\r\nHello\r\n",
           .labels = {"INBOX"},
           .date = now}};
}
}  // namespace latchkey::simulator
