#include "storage/message_events.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace latchkey::storage {
namespace {

// A browser asks for a page again anyway; naming more than a page of ids tells it nothing new.
constexpr std::size_t kMaxEventIds = 50;

void WriteIds(Transaction& transaction, std::string_view type, const UserId& user, const ConnectedAccountId& account,
              const std::vector<std::string>& ids, Instant now) {
  if (ids.empty()) return;
  const std::vector<std::string> named(ids.begin(),
                                       ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), kMaxEventIds)));
  const events::NewEvent event{
      .type = std::string(type),
      .user_id = user,
      .account_id = account,
      .payload = fmt::format(R"({{"account_id":"{}","ids":{},"count":{}}})", account, ToJsonArray(named), ids.size())};
  WriteEvent(transaction, event, now);
}

}  // namespace

void WriteUpserted(Transaction& transaction, const UserId& user, const ConnectedAccountId& account,
                   const std::vector<std::string>& ids, Instant now) {
  WriteIds(transaction, "message.upserted", user, account, ids, now);
}

void WriteDeleted(Transaction& transaction, const UserId& user, const ConnectedAccountId& account,
                  const std::vector<std::string>& ids, Instant now) {
  WriteIds(transaction, "message.deleted", user, account, ids, now);
}

void WriteProgressEvent(Transaction& transaction, const UserId& user, const ConnectedAccountId& account,
                        const mail::BackfillState& state, Instant now) {
  const events::NewEvent event{
      .type = "sync.progress",
      .user_id = user,
      .account_id = account,
      .payload = fmt::format(R"({{"account_id":"{}","stage":"{}","done":{},"total":{},"complete":{}}})", account,
                             state.epoch <= 1 ? "initial" : "resync", state.done, state.total, state.complete)};
  WriteEvent(transaction, event, now);
}

}  // namespace latchkey::storage
