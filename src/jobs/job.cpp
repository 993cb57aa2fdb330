#include "jobs/job.hpp"

#include <array>
#include <utility>

namespace latchkey::jobs {
namespace {

constexpr std::array<std::pair<JobState, std::string_view>, 7> kNames{{
    {JobState::kAvailable, "available"},
    {JobState::kScheduled, "scheduled"},
    {JobState::kRunning, "running"},
    {JobState::kRetryable, "retryable"},
    {JobState::kCompleted, "completed"},
    {JobState::kDiscarded, "discarded"},
    {JobState::kCancelled, "cancelled"},
}};

}  // namespace

std::string_view ToString(JobState state) {
  for (const auto& [known, name] : kNames) {
    if (known == state) return name;
  }
  return "available";
}

std::optional<JobState> ParseJobState(std::string_view text) {
  for (const auto& [known, name] : kNames) {
    if (name == text) return known;
  }
  return std::nullopt;
}

std::string AccountKey(std::string_view kind, const ConnectedAccountId& account) {
  return std::string(kind) + ":" + account.text();
}

}  // namespace latchkey::jobs
