#pragma once

#include <list>

#include <boost/json/array.hpp>

#include "simulator/faults/fault.hpp"
#include "simulator/send_plan.hpp"

namespace latchkey::simulator {

/// What the faults have decided for one request.
struct Verdict {
  std::optional<Response> answer;  ///< Instead of the real one; the request is not carried out.
  Delivery delivery;               ///< Delays, drip, truncation, and a reset after the request was carried out.
  std::optional<std::uint64_t> truncate_bytes;
  bool truncate = false;
  SendPlan send;  ///< For requests that send mail.
  bool revoke_grant = false;
  bool rotate_keys = false;
  IdTokenVariant id_token = IdTokenVariant::kCorrect;

  /// Puts the delivery onto an answer.
  void Apply(Response& response) const;
};

/// The injected faults, oldest first. Loop thread only; the clock outlives it.
class FaultTable {
 public:
  FaultTable(const Clock& clock, std::uint64_t seed) : clock_(clock), seed_(seed) {}

  std::expected<boost::json::object, std::string> Add(const boost::json::object& description);
  bool Remove(std::string_view id);
  void Clear();
  bool empty() const { return faults_.empty(); }

  /// `account` may be nullptr (not known, or nobody's request).
  Verdict Consult(const Request& request, const Account* account);

  /// Live faults with seen and fired.
  boost::json::array Describe() const;
  /// {"f1": {"kind", "seen", "fired"}}, removed faults included.
  boost::json::object Counters() const;
  /// Forgets the counts of removed faults.
  void ResetCounters() { removed_ = {}; }

 private:
  const Clock& clock_;
  std::uint64_t seed_;
  std::uint64_t next_number_ = 1;
  std::list<Fault> faults_;
  boost::json::object removed_;
};

}  // namespace latchkey::simulator
