#include "connected_accounts/accounts.hpp"

#include <algorithm>

#include "oauth/email_address.hpp"

namespace latchkey::connected_accounts {
namespace {

constexpr std::size_t kMaxCharacters = 100;
constexpr std::size_t kMaxBytes = 4 * kMaxCharacters;

bool IsNewCharacter(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

/// Whatever is left out of the clean form was not fit for a name.
bool IsGoodName(std::string_view name) {
  return name.find_first_not_of(' ') != std::string_view::npos &&
         std::ranges::count_if(name, IsNewCharacter) <= static_cast<std::ptrdiff_t>(kMaxCharacters) &&
         oauth::CleanDisplayText(name, kMaxBytes) == name;
}

}  // namespace

Task<Result<std::vector<AccountView>>> Accounts::List(const UserId& user) {
  auto accounts = co_await store_.List(user);
  if (!accounts) co_return Fail(accounts.error());
  const Instant now = clock_.Now();
  std::vector<AccountView> views;
  views.reserve(accounts->size());
  for (ConnectedAccount& account : *accounts) {
    AccountHealth health = HealthOf(account, now);
    views.push_back({.account = std::move(account), .health = std::move(health)});
  }
  co_return views;
}

Task<Result<AccountView>> Accounts::Get(const UserId& user, const ConnectedAccountId& id) {
  auto account = co_await store_.Get(user, id);
  if (!account) co_return Fail(account.error());
  AccountHealth health = HealthOf(*account, clock_.Now());
  co_return AccountView{.account = std::move(*account), .health = std::move(health)};
}

Task<Result<AccountView>> Accounts::Rename(const UserId& user, const ConnectedAccountId& id,
                                           std::string_view display_name) {
  if (!IsGoodName(display_name)) co_return Fail(ErrorCode::kInvalidArgument, "not a name of 1 to 100 characters");
  const auto renamed = co_await store_.Rename(user, id, display_name);
  if (!renamed) co_return Fail(renamed.error());
  co_return co_await Get(user, id);
}

Task<Result<AccountView>> Accounts::Pause(const UserId& user, const ConnectedAccountId& id) {
  const auto paused = co_await store_.SetPaused(user, id, true);
  if (!paused) co_return Fail(paused.error());
  co_return co_await Get(user, id);
}

Task<Result<AccountView>> Accounts::Resume(const UserId& user, const ConnectedAccountId& id) {
  const auto resumed = co_await store_.SetPaused(user, id, false);
  if (!resumed) co_return Fail(resumed.error());
  co_return co_await Get(user, id);
}

Task<Result<AccountView>> Accounts::RequestSync(const UserId& user, const ConnectedAccountId& id) {
  const auto view = co_await Get(user, id);
  if (!view) co_return Fail(view.error());
  const Status status = view->health.status;
  if (status == Status::kPaused || status == Status::kDisconnecting || status == Status::kNeedsReauth) {
    co_return Fail(ErrorCode::kConflict, "the account does not sync now");
  }
  const auto requested = co_await store_.RequestSync(user, id);
  if (!requested) co_return Fail(requested.error());
  co_return co_await Get(user, id);
}

}  // namespace latchkey::connected_accounts
