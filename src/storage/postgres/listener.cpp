#include "storage/postgres/listener.hpp"

#include <algorithm>
#include <memory>
#include <string_view>

#include "telemetry/log.hpp"

namespace latchkey::storage::postgres {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kJobs = "latchkey_jobs";
constexpr const char* kEvents = "latchkey_events";
constexpr std::string_view kEverybody = "*";
// A payload holds less than 8000 bytes.
constexpr std::size_t kMaxPayload = 7000;
constexpr std::size_t kMaxUsers = 1000;
/// Between two NOTIFYs of ours: what happens meanwhile goes out together.
constexpr milliseconds kGap(5);
/// A server that says nothing may be dead.
constexpr seconds kPing(15);
constexpr seconds kAnswer(5);

}  // namespace

Listener::Listener(Loop& loop, const Address& address, std::function<void(Wakes)> heard)
    : loop_(loop),
      sleeper_(loop.context),
      address_(address),
      session_(loop, sleeper_, address_, types_),
      heard_(std::move(heard)),
      fiber_([this] { Run(); }) {}

void Listener::Notify(const Wakes& wakes) {
  pending_.jobs |= wakes.jobs;
  if (!everybody_) pending_.users.insert(wakes.users.begin(), wakes.users.end());
  if (pending_.users.size() > kMaxUsers) {
    pending_.users.clear();
    everybody_ = true;
  }
  sleeper_.Wake();
}

void Listener::Run() {
  milliseconds delay(50);
  bool first = true;
  while (!loop_.stopping) {
    std::string why;
    try {
      session_.Open(Clock::now() + kAnswer);
      session_.Execute("LISTEN latchkey_jobs");
      session_.Execute("LISTEN latchkey_events");
      if (!first) heard_(Wakes{.jobs = true, .users = {UserId()}});
      first = false;
      delay = milliseconds(50);
      Serve();
    } catch (const DatabaseError& error) {
      why = error.what();
    }
    session_.Close();
    if (loop_.stopping) break;
    log::Warn("storage.listener_lost", {{"detail", why}});
    sleeper_.Pause(delay, loop_.stopping);
    delay = std::min(delay * 2, milliseconds(2000));
  }
  session_.Close();
  sleeper_.Rest();
}

void Listener::Serve() {
  auto ping = Clock::now() + kPing;
  for (;;) {
    Hear();
    auto until = ping;
    if (pending_.Any() || everybody_) {
      if (Clock::now() >= told_ + kGap) {
        Tell();
        continue;
      }
      until = std::min(until, told_ + kGap);
    }
    session_.link().Receive(until, "listening");
    if (Clock::now() < ping) continue;
    session_.SetDeadline(Clock::now() + kAnswer);
    session_.Execute("SELECT 1");
    ping = Clock::now() + kPing;
  }
}

void Listener::Hear() {
  Wakes wakes;
  for (;;) {
    const std::unique_ptr<PGnotify, void (*)(void*)> note(PQnotifies(session_.link().get()), &PQfreemem);
    if (!note) break;
    // Our own were told where they happened.
    if (note->be_pid == session_.backend()) continue;
    if (std::string_view(note->relname) == kJobs) wakes.jobs = true;
    std::string_view users = std::string_view(note->relname) == kEvents ? note->extra : "";
    while (!users.empty()) {
      const std::string_view user = users.substr(0, users.find(','));
      users.remove_prefix(std::min(user.size() + 1, users.size()));
      // Anybody who may connect may send: what is no id of a user wakes nobody.
      if (user == kEverybody) {
        wakes.users.insert(UserId());
      } else if (const auto id = UserId::Parse(user)) {
        wakes.users.insert(*id);
      }
    }
  }
  if (wakes.Any()) heard_(std::move(wakes));
}

void Listener::Send(const char* channel, const std::string& payload) {
  session_.Send("SELECT pg_notify($1, $2)", channel, payload);
}

void Listener::Tell() {
  told_ = Clock::now();
  session_.SetDeadline(told_ + kAnswer);
  // Taken first: what comes while we wait belongs to the next round.
  const Wakes now = std::exchange(pending_, {});
  const bool everybody = std::exchange(everybody_, false);
  if (now.jobs) Send(kJobs, "");
  if (everybody) Send(kEvents, std::string(kEverybody));
  std::string payload;
  for (const UserId& user : now.users) {
    if (payload.size() + user.text().size() >= kMaxPayload) Send(kEvents, std::exchange(payload, {}));
    if (!payload.empty()) payload += ',';
    payload += user.text();
  }
  if (!payload.empty()) Send(kEvents, payload);
  session_.Execute("SELECT 1");
}

}  // namespace latchkey::storage::postgres
