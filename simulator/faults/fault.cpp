#include "simulator/faults/fault.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "simulator/faults/payloads.hpp"
#include "simulator/json_fields.hpp"
#include "simulator/send_plan.hpp"

namespace latchkey::simulator {
namespace {

struct KindName {
  std::string_view name;
  FaultKind kind;
};
constexpr KindName kKinds[] = {
    {"respond", FaultKind::kRespond},
    {"latency", FaultKind::kLatency},
    {"reset", FaultKind::kReset},
    {"lose_answer", FaultKind::kLoseAnswer},
    {"truncate", FaultKind::kTruncate},
    {"drip", FaultKind::kDrip},
    {"history_expired", FaultKind::kHistoryExpired},
    {"revoke_grant", FaultKind::kRevokeGrant},
    {"rotate_keys", FaultKind::kRotateKeys},
    {"id_token", FaultKind::kIdToken},
    {"lose_message", FaultKind::kLoseMessage},
    {"duplicate_send", FaultKind::kDuplicateSend},
    {"delay_send", FaultKind::kDelaySend},
};

/// Where a kind makes sense when no path was given.
std::string_view DefaultPath(FaultKind kind) {
  if (kind == FaultKind::kHistoryExpired) return "/gmail/v1/users/*/history";
  if (kind == FaultKind::kIdToken) return "/google/token";
  return "/**";
}

std::chrono::microseconds Micros(double seconds) {
  return std::chrono::microseconds(static_cast<std::int64_t>(std::min(seconds, 1e9) * 1e6));
}

void ReadSelection(Fault& fault, JsonFields& fields, Instant now) {
  fault.path = fields.Text("path").value_or(std::string(DefaultPath(fault.kind)));
  if (!fault.path.starts_with('/')) fields.Complain("\"path\" must start with a slash");
  fault.method = fields.Text("method").value_or("");
  fault.account = fields.Text("account").value_or("");
  fault.skip = fields.Count("skip").value_or(0);
  fault.count = fields.Count("count");
  fault.probability = fields.Number("probability").value_or(1);
  if (fault.probability > 1) fields.Complain("\"probability\" must be between 0 and 1");
  fault.from = now + Micros(fields.Number("after_seconds").value_or(0));
  if (const auto duration = fields.Number("for_seconds")) fault.until = fault.from + Micros(*duration);
}

void ReadResponse(Fault& fault, JsonFields& fields, Instant now) {
  fault.payload = fields.Text("payload").value_or("");
  const auto status = fields.Count("status");
  if (const auto seconds = fields.Number("retry_after_seconds")) {
    fault.retry_after = std::chrono::ceil<std::chrono::milliseconds>(Micros(*seconds));
    fault.retry_after_text = fmt::format("{}", *seconds);
    fault.retry_after_header = fault.payload.empty();
  }
  fault.retry_after_header = fields.Flag("retry_after_header").value_or(fault.retry_after_header);
  fault.response.body = fields.Text("body").value_or("");
  if (const boost::json::object* headers = fields.Object("headers")) {
    for (const auto& member : *headers) {
      if (const auto* text = member.value().if_string()) {
        fault.response.headers.Set(std::string(member.key()), std::string(*text));
      } else {
        fields.Complain("\"headers\" must map names to strings");
      }
    }
  }
  if (!fault.payload.empty()) {
    if (!MakePayload(fault.payload, now)) {
      fields.Complain(
          fmt::format("there is no payload \"{}\"; GET /control/faults/payloads lists them", fault.payload));
    }
    if (status) fields.Complain("give either \"payload\" or \"status\", not both");
  } else if (!status || *status < 200 || *status > 599) {
    fields.Complain("kind \"respond\" needs \"payload\" or a \"status\" from 200 to 599");
  } else {
    fault.response.status = static_cast<int>(*status);
    if (!fault.response.headers.Find("Content-Type")) {
      const bool json = fault.response.body.starts_with('{');
      fault.response.headers.Add("Content-Type",
                                 json ? "application/json; charset=UTF-8" : "text/plain; charset=utf-8");
    }
  }
}

void ReadAction(Fault& fault, JsonFields& fields, Instant now) {
  switch (fault.kind) {
    case FaultKind::kRespond:
      ReadResponse(fault, fields, now);
      break;
    case FaultKind::kLatency:
      fault.latency = std::chrono::milliseconds(fields.Count("milliseconds").value_or(0));
      fault.jitter = std::chrono::milliseconds(fields.Count("jitter_milliseconds").value_or(0));
      if (fault.latency.count() + fault.jitter.count() == 0) fields.Complain("kind \"latency\" needs \"milliseconds\"");
      if (fault.latency > std::chrono::hours(1) || fault.jitter > std::chrono::hours(1)) {
        fields.Complain("an hour of latency is the most there is");
      }
      break;
    case FaultKind::kReset:
    case FaultKind::kLoseAnswer: {
      const std::string scope = fields.Text("scope").value_or("connection");
      if (scope == "stream") fault.reset = Delivery::Reset::kStream;
      if (scope != "stream" && scope != "connection") fields.Complain("\"scope\" must be \"connection\" or \"stream\"");
      break;
    }
    case FaultKind::kTruncate:
      fault.bytes = fields.Count("bytes");
      break;
    case FaultKind::kDrip:
      fault.bytes_per_second = fields.Count("bytes_per_second").value_or(0);
      if (fault.bytes_per_second == 0) fields.Complain("kind \"drip\" needs \"bytes_per_second\"");
      break;
    case FaultKind::kIdToken:
      if (const auto variant = ParseIdTokenVariant(fields.Text("variant").value_or(""))) {
        fault.variant = *variant;
      } else {
        fields.Complain("kind \"id_token\" needs a \"variant\" of the README's list");
      }
      break;
    case FaultKind::kDuplicateSend:
      fault.copies = fields.Count("copies").value_or(1);
      if (fault.copies < 1 || fault.copies > 10) fields.Complain("\"copies\" must be from 1 to 10");
      break;
    case FaultKind::kDelaySend:
      fault.send_delay =
          std::chrono::duration_cast<std::chrono::milliseconds>(Micros(fields.Number("delay_seconds").value_or(0)));
      if (fault.send_delay.count() == 0) fields.Complain("kind \"delay_send\" needs \"delay_seconds\"");
      break;
    case FaultKind::kHistoryExpired:
    case FaultKind::kRevokeGrant:
    case FaultKind::kRotateKeys:
    case FaultKind::kLoseMessage:
      break;
  }
}

bool GlobMatches(std::string_view pattern, std::string_view path) {
  while (!pattern.empty()) {
    if (pattern.starts_with("**")) {
      for (std::size_t taken = 0; taken <= path.size(); ++taken) {
        if (GlobMatches(pattern.substr(2), path.substr(taken))) return true;
      }
      return false;
    }
    if (pattern.front() == '*') {
      for (std::size_t taken = 0;; ++taken) {
        if (GlobMatches(pattern.substr(1), path.substr(taken))) return true;
        if (taken == path.size() || path[taken] == '/') return false;
      }
    }
    if (path.empty() || path.front() != pattern.front()) return false;
    pattern.remove_prefix(1);
    path.remove_prefix(1);
  }
  return path.empty();
}

}  // namespace

bool PathMatches(std::string_view pattern, std::string_view path) {
  if (pattern == "/**") return true;
  if (pattern.contains('*')) return GlobMatches(pattern, path);
  if (!path.starts_with(pattern)) return false;
  return path.size() == pattern.size() || pattern.ends_with('/') || path[pattern.size()] == '/';
}

std::string_view ToString(FaultKind kind) { return std::ranges::find(kKinds, kind, &KindName::kind)->name; }

std::expected<Fault, std::string> Fault::Parse(const boost::json::object& description, Instant now, std::uint64_t seed,
                                               std::uint64_t number) {
  JsonFields fields(description);
  const std::string kind_name = fields.Text("kind").value_or("");
  const auto* const kind = std::ranges::find(kKinds, std::string_view(kind_name), &KindName::name);
  if (kind == std::end(kKinds)) {
    return std::unexpected(fmt::format(
        "\"kind\" must be one of respond, latency, reset, lose_answer, truncate, drip, "
        "history_expired, revoke_grant, rotate_keys, id_token, lose_message, duplicate_send, delay_send, not \"{}\"",
        kind_name));
  }
  Fault fault;
  fault.id = fmt::format("f{}", number);
  fault.kind = kind->kind;
  fault.description = description;
  ReadSelection(fault, fields, now);
  ReadAction(fault, fields, now);
  fault.dice.seed(fields.Count("seed").value_or(seed + number));
  if (auto complaint = fields.Finish()) return std::unexpected(std::move(*complaint));
  return fault;
}

bool Fault::ReplacesAnswer() const {
  switch (kind) {
    case FaultKind::kRespond:
    case FaultKind::kReset:
    case FaultKind::kLoseAnswer:
    case FaultKind::kTruncate:
    case FaultKind::kHistoryExpired:
      return true;
    default:
      return false;
  }
}

bool Fault::Fires(const Request& request, const Account* who, Instant now) {
  if (count && fired >= *count) return false;
  if (now < from || (until && now >= *until)) return false;
  if (!method.empty() && !EqualsIgnoreCase(method, request.method)) return false;
  if (!account.empty() && (!who || !EqualsIgnoreCase(account, who->email))) return false;
  if (!PathMatches(path, request.path)) return false;
  const bool about_sending =
      kind == FaultKind::kLoseMessage || kind == FaultKind::kDuplicateSend || kind == FaultKind::kDelaySend;
  if (about_sending && !SendsMail(request.method, request.path)) return false;
  ++seen;
  if (seen <= skip) return false;
  // Not std::bernoulli_distribution: its way from bits to a number may differ between standard libraries.
  const double roll = static_cast<double>(dice() >> 11) * 0x1p-53;
  if (roll >= probability) return false;
  ++fired;
  return true;
}

}  // namespace latchkey::simulator
