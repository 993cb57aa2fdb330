#pragma once

#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulator/graph/router.hpp"
#include "simulator/settings.hpp"

namespace latchkey::simulator::graph {

/// A part of Graph with routes of its own: mail, calendars, subscriptions. Owned by the service's owner.
class Area {
 public:
  virtual ~Area() = default;
  virtual void AddRoutes(Router& router) = 0;
};

/// Everything under /v1.0: routing, scopes, throttling, $batch. The token was checked already. Loop thread only; clock
/// and settings outlive it.
class GraphService {
 public:
  /// Runs the gate a single request passes (faults, counters) for one part of a batch. A value replaces the answer.
  using PartGate = std::function<std::optional<Response>(const Request& part, const Account& account)>;
  /// How many requests of the account are in progress, the present one included.
  using InProgress = std::function<std::uint64_t(const Account& account)>;
  /// Told the status of each part of a batch.
  using PartCount = std::function<void(const std::string& route, int status)>;

  GraphService(const Clock& clock, const Settings& settings);

  /// Takes the area's routes. The area outlives the service.
  void Add(Area& area) { area.AddRoutes(router_); }
  Router& router() { return router_; }

  static bool Owns(const Request& request) { return !request.segments.empty() && request.segments[0] == "v1.0"; }
  /// Brings the path into its canonical form; false when it names somebody else's mailbox. Before everything else.
  static bool Prepare(Request& request, const Account* account) { return Canonicalise(request, account); }

  Response Handle(Request& request, const Grant& grant);
  /// The same text for the counters whatever ids the path holds.
  std::string RouteName(const Request& request) const {
    const bool batch = request.segments.size() == 2 && request.segments[1] == "$batch";
    return batch ? request.method + " /v1.0/$batch" : router_.Name(request);
  }
  /// Why a request without a valid token is refused: empty, unknown or expired.
  Response RefuseToken(const Request& request, bool expired, bool wrong_audience) const;

  void SetPartGate(PartGate gate) { gate_ = std::move(gate); }
  void SetInProgress(InProgress count) { in_progress_ = std::move(count); }
  void SetPartCount(PartCount count) { count_part_ = std::move(count); }

 private:
  /// Requests of one mailbox, by second.
  struct Window {
    std::deque<std::pair<Instant, std::uint64_t>> seconds;
    std::uint64_t count = 0;
  };

  Response HandleOne(Request& request, const Grant& grant, std::uint64_t in_progress);
  Response HandleBatch(Request& request, const Grant& grant);
  boost::json::object RunPart(const Request& outer, const boost::json::object& part, const Grant& grant,
                              std::uint64_t in_progress);
  Response Me(Call& call) const;
  /// nullopt: within both limits.
  std::optional<Response> Throttle(const Account& account, std::uint64_t in_progress);
  void SetRetryAfter(Response& response, double seconds) const;

  const Clock& clock_;
  const Settings& settings_;
  Router router_;
  std::map<const Account*, Window> windows_;
  PartGate gate_;
  InProgress in_progress_ = [](const Account&) { return std::uint64_t{1}; };
  PartCount count_part_ = [](const std::string&, int) {};
};

/// A $batch request's parts in the order they may run, or the sentence that refuses the whole batch.
struct BatchPart {
  std::string id;
  std::string method;
  std::string url;
  std::vector<std::string> depends_on;
  const boost::json::object* source = nullptr;
};
/// At most 20, ids unique, dependencies on earlier parts only, relative URLs.
std::expected<std::vector<BatchPart>, std::string> ParseBatch(const boost::json::object& body);

}  // namespace latchkey::simulator::graph
