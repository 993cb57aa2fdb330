#include "mail/fetch_window.hpp"

#include <algorithm>

#include "mail/fault_policy.hpp"

namespace latchkey::mail {
namespace {

std::size_t BytesOf(const Message& message) {
  return message.text.size() + message.html.size() + message.subject.size() + message.snippet.size() + 1024 +
         64 * (message.to.size() + message.cc.size() + message.attachments.size());
}

}  // namespace

FetchWindow::FetchWindow(Executor executor, std::shared_ptr<Mailbox> provider, Lane lane, const SyncParts& parts)
    : executor_(executor),
      provider_(std::move(provider)),
      lane_(lane),
      parts_(parts),
      progress_(executor),
      group_(executor) {}

FetchWindow::~FetchWindow() = default;

void FetchWindow::Push(Item item) {
  auto slot = std::make_unique<Slot>();
  slot->done = item.marker;
  slot->fetched.item = std::move(item);
  slots_.push_back(std::move(slot));
  StartFetchers();
}

bool FetchWindow::more() const {
  if (failure_) return false;
  const std::size_t unstarted = slots_.size() - std::min(next_, slots_.size());
  return unstarted < 2 * static_cast<std::size_t>(std::max(1, provider_->MaxConcurrency()));
}

std::size_t FetchWindow::ready(std::size_t wanted) const {
  std::size_t count = 0;
  while (count < wanted && count < slots_.size() && slots_[count]->done) ++count;
  return count;
}

bool FetchWindow::Satisfied(std::size_t wanted, bool or_more) const {
  return failure_ || slots_.empty() || ready(wanted) >= std::min(wanted, slots_.size()) || (or_more && more());
}

Task<bool> FetchWindow::WaitFor(std::size_t wanted, bool or_more, std::chrono::milliseconds patience) {
  using SteadyClock = std::chrono::steady_clock;
  wanted_ = wanted;
  wake_for_more_ = or_more;
  const SteadyClock::time_point end = SteadyClock::now() + patience;
  while (!Satisfied(wanted, or_more)) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - SteadyClock::now());
    if (left.count() <= 0) co_return false;
    co_await progress_.Wait(left);
  }
  co_return true;
}

std::vector<FetchWindow::Fetched> FetchWindow::Take(std::size_t count) {
  std::vector<Fetched> taken;
  taken.reserve(count);
  while (taken.size() < count && !slots_.empty() && slots_.front()->done) {
    buffered_bytes_ -= slots_.front()->bytes;
    taken.push_back(std::move(slots_.front()->fetched));
    slots_.pop_front();
    if (next_ > 0) --next_;
  }
  StartFetchers();
  return taken;
}

bool FetchWindow::CanStart() const {
  return !failure_ && next_ < slots_.size() && next_ < parts_.options.window_items &&
         buffered_bytes_ < parts_.options.window_bytes;
}

void FetchWindow::StartFetchers() {
  while (next_ < slots_.size() && (slots_[next_]->done || slots_[next_]->fetching)) ++next_;
  const auto limit = static_cast<std::size_t>(std::max(1, provider_->MaxConcurrency()));
  std::size_t startable = std::min(slots_.size() - std::min(next_, slots_.size()), limit);
  while (CanStart() && fetchers_ < limit && startable-- > 0) {
    ++fetchers_;
    if (!group_.Spawn("mail.fetch", [this] { return RunFetcher(); })) {
      --fetchers_;
      return;
    }
  }
}

Task<void> FetchWindow::RunFetcher() {
  struct Leave {
    FetchWindow& window;
    ~Leave() {
      --window.fetchers_;
      window.progress_.Raise();
    }
  } leave{*this};
  while (CanStart()) {
    if (lane_ == Lane::kBackfill) {
      co_await parts_.Yield();
      if (!CanStart()) co_return;
    }
    Slot& slot = *slots_[next_++];
    if (slot.done || slot.fetching) continue;
    slot.fetching = true;
    slot.done = co_await Fetch(slot);
    slot.fetching = false;
    if (Satisfied(wanted_, wake_for_more_)) progress_.Raise();
  }
}

Task<bool> FetchWindow::Fetch(Slot& slot) {
  Fetched& fetched = slot.fetched;
  const std::string& id = fetched.item.external_id;
  if (fetched.item.known_version) {
    auto state = co_await provider_->GetMessageState(id, lane_);
    if (state && state->version == *fetched.item.known_version) {
      ++succeeded_;
      co_return true;
    }
    if (!state && state.error().code == ErrorCode::kGone) {
      fetched.gone = true;
      co_return true;
    }
    // Anything else: the full read decides.
  }
  auto message = co_await provider_->GetMessage(id, lane_);
  if (message) {
    ++succeeded_;
    slot.bytes = BytesOf(*message);
    buffered_bytes_ += slot.bytes;
    fetched.message = std::move(*message);
    co_return true;
  }
  if (message.error().code == ErrorCode::kGone) {
    fetched.gone = true;
    co_return true;
  }
  if (IsItemFailure(message.error().code)) {
    fetched.failure = std::move(message.error());
    co_return true;
  }
  // A failure of the account or the provider: what is complete can still be stored, nothing new is begun.
  if (!failure_) {
    failure_ = std::move(message.error());
    failed_item_ = id;
  }
  co_return false;
}

void FetchWindow::ForgiveFailure() {
  for (const auto& slot : slots_) {
    if (slot->done || slot->fetched.item.external_id != failed_item_) continue;
    slot->done = true;
    slot->fetched.failure = failure_;
  }
  failure_.reset();
  failed_item_.clear();
  // Others that failed at the same time are fetched again.
  next_ = 0;
  StartFetchers();
}

Task<void> FetchWindow::Stop() { co_await group_.Stop(); }

}  // namespace latchkey::mail
