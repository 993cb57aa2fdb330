#include "simulator/faults/fault_table.hpp"

#include <algorithm>

#include "simulator/faults/payloads.hpp"

namespace latchkey::simulator {
namespace {

/// Faults at a time.
constexpr std::size_t kMaxFaults = 1000;

boost::json::object Count(const Fault& fault) {
  boost::json::object counts;
  counts["kind"] = ToString(fault.kind);
  counts["seen"] = fault.seen;
  counts["fired"] = fault.fired;
  return counts;
}

boost::json::object Describe(const Fault& fault) {
  boost::json::object description = fault.description;
  description["id"] = fault.id;
  description["seen"] = fault.seen;
  description["fired"] = fault.fired;
  return description;
}

Response AnswerOf(const Fault& fault, Instant now) {
  Response response = fault.payload.empty() ? fault.response : *MakePayload(fault.payload, now + fault.retry_after);
  if (fault.retry_after_header) response.headers.Set("Retry-After", fault.retry_after_text);
  return response;
}

void Act(Fault& fault, Verdict& verdict, Instant now) {
  switch (fault.kind) {
    case FaultKind::kRespond:
      verdict.answer = AnswerOf(fault, now);
      break;
    case FaultKind::kHistoryExpired:
      verdict.answer = MakePayload("gmail.notFound.404", now);
      break;
    case FaultKind::kReset:
      verdict.answer = Response{};
      verdict.delivery.reset = fault.reset;
      break;
    case FaultKind::kLoseAnswer:
      verdict.delivery.reset = fault.reset;
      break;
    case FaultKind::kTruncate:
      verdict.truncate = true;
      verdict.truncate_bytes = fault.bytes;
      break;
    case FaultKind::kLatency:
      verdict.delivery.delay += fault.latency;
      if (fault.jitter.count() > 0) {
        verdict.delivery.delay +=
            std::chrono::milliseconds(fault.dice() % (static_cast<std::uint64_t>(fault.jitter.count()) + 1));
      }
      break;
    case FaultKind::kDrip:
      verdict.delivery.bytes_per_second = fault.bytes_per_second;
      break;
    case FaultKind::kRevokeGrant:
      verdict.revoke_grant = true;
      break;
    case FaultKind::kRotateKeys:
      verdict.rotate_keys = true;
      break;
    case FaultKind::kLoseMessage:
      verdict.send.lose = true;
      break;
    case FaultKind::kDuplicateSend:
      verdict.send.extra_copies += fault.copies;
      break;
    case FaultKind::kDelaySend:
      verdict.send.delay += fault.send_delay;
      break;
    case FaultKind::kIdToken:
      verdict.id_token = fault.variant;
      break;
  }
}

}  // namespace

void Verdict::Apply(Response& response) const {
  response.delivery = delivery;
  if (truncate) response.delivery.truncate_after = truncate_bytes.value_or(response.body.size() / 2);
}

std::expected<boost::json::object, std::string> FaultTable::Add(const boost::json::object& description) {
  if (faults_.size() >= kMaxFaults) return std::unexpected(std::string("there are 1000 faults already: clear some"));
  auto fault = Fault::Parse(description, clock_.Now(), seed_, next_number_);
  if (!fault) return std::unexpected(std::move(fault.error()));
  ++next_number_;
  faults_.push_back(std::move(*fault));
  return simulator::Describe(faults_.back());
}

bool FaultTable::Remove(std::string_view id) {
  const auto found = std::ranges::find(faults_, id, &Fault::id);
  if (found == faults_.end()) return false;
  removed_[found->id] = Count(*found);
  faults_.erase(found);
  return true;
}

void FaultTable::Clear() {
  for (const Fault& fault : faults_) removed_[fault.id] = Count(fault);
  faults_.clear();
}

Verdict FaultTable::Consult(const Request& request, const Account* account) {
  Verdict verdict;
  if (faults_.empty()) return verdict;
  const Instant now = clock_.Now();
  bool replaced = false;
  for (Fault& fault : faults_) {
    if (fault.ReplacesAnswer() && replaced) continue;
    if (!fault.Fires(request, account, now)) continue;
    replaced = replaced || fault.ReplacesAnswer();
    Act(fault, verdict, now);
  }
  return verdict;
}

boost::json::array FaultTable::Describe() const {
  boost::json::array list;
  for (const Fault& fault : faults_) list.push_back(simulator::Describe(fault));
  return list;
}

boost::json::object FaultTable::Counters() const {
  boost::json::object counters = removed_;
  for (const Fault& fault : faults_) counters[fault.id] = Count(fault);
  return counters;
}

}  // namespace latchkey::simulator
