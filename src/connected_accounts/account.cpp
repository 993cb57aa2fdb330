#include "connected_accounts/account.hpp"

#include <algorithm>
#include <array>

namespace latchkey::connected_accounts {
namespace {

constexpr std::array<std::pair<Capability, std::string_view>, 3> kCapabilities{{
    {Capability::kReadMail, "read_mail"},
    {Capability::kSendMail, "send_mail"},
    {Capability::kReadCalendar, "read_calendar"},
}};

}  // namespace

std::string_view ToString(Capability capability) {
  for (const auto& [value, name] : kCapabilities) {
    if (value == capability) return name;
  }
  return "";
}

std::optional<Capability> ParseCapability(std::string_view text) {
  for (const auto& [value, name] : kCapabilities) {
    if (name == text) return value;
  }
  return std::nullopt;
}

std::string_view ToString(Status status) {
  switch (status) {
    case Status::kPending:
      return "pending";
    case Status::kAuthorizing:
      return "authorizing";
    case Status::kImporting:
      return "importing";
    case Status::kHealthy:
      return "healthy";
    case Status::kSyncing:
      return "syncing";
    case Status::kDelayed:
      return "delayed";
    case Status::kRateLimited:
      return "rate_limited";
    case Status::kNeedsReauth:
      return "needs_reauth";
    case Status::kMissingScope:
      return "missing_scope";
    case Status::kAdminBlocked:
      return "admin_blocked";
    case Status::kProviderDown:
      return "provider_down";
    case Status::kError:
      return "error";
    case Status::kPaused:
      return "paused";
    case Status::kDisconnecting:
      return "disconnecting";
    case Status::kDisconnected:
      return "disconnected";
  }
  return "error";
}

std::string_view ToString(Action action) {
  switch (action) {
    case Action::kNone:
      return "none";
    case Action::kReconnect:
      return "reconnect";
    case Action::kGrant:
      return "grant";
    case Action::kResume:
      return "resume";
    case Action::kSyncNow:
      return "sync_now";
    case Action::kRetry:
      return "retry";
    case Action::kPause:
      return "pause";
    case Action::kContinue:
      return "continue";
    case Action::kCopyAdminLink:
      return "copy_admin_link";
  }
  return "none";
}

}  // namespace latchkey::connected_accounts
