#include "api/lifecycle.hpp"

#include "telemetry/log.hpp"

namespace latchkey::api {
namespace {

/// A disk that is nearly full takes small writes now and then: only a while without any failure is the end of it.
constexpr std::chrono::seconds kQuietFor{5};

}  // namespace

void StoreTrouble::Note(std::optional<ErrorCode> fault, Instant now) {
  if (fault) {
    if (!notice_) {
      notice_ = Notice{.code = *fault, .since = now, .last_seen = now};
      log::Failure("storage.writes_fail", {{"error_code", ToString(*fault)}});
    }
    // The disk is what somebody can do something about.
    if (*fault == ErrorCode::kDiskFull) notice_->code = *fault;
    notice_->last_seen = now;
  } else if (notice_ && now - notice_->last_seen >= kQuietFor) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - notice_->since).count();
    log::Info("storage.writes_resumed", {{"error_code", ToString(notice_->code)}, {"after_seconds", seconds}});
    notice_.reset();
  }
}

}  // namespace latchkey::api
