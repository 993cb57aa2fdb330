#pragma once

#include <deque>
#include <utility>
#include <vector>

#include "simulator/outgoing.hpp"

namespace latchkey::simulator::testing_outgoing {

/// Remembers what would have been posted, and answers as it is told. For tests only.
class RecordedOutgoing final : public Outgoing {
 public:
  bool Send(OutgoingRequest request, Done done) override {
    requests.push_back(std::move(request));
    waiting.push_back(std::move(done));
    return true;
  }
  /// Answers the oldest request without an answer.
  void Answer(int status) {
    Done done = std::move(waiting.front());
    waiting.pop_front();
    done({.status = status});
  }
  std::vector<OutgoingRequest> requests;
  std::deque<Done> waiting;
};

}  // namespace latchkey::simulator::testing_outgoing
