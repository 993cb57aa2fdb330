// The calendar sync over a real database, against a provider that changes while it is read, forgets its tokens, fails,
// and whose reader loses its job at any point: in the end the same events, and none that was always there ever gone.

#include "calendar/calendar_sync.hpp"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>
#include <sstream>

#include "storage/testing/scratch_store.hpp"

namespace latchkey::calendar {
namespace {

using std::chrono::days;
using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;

const Instant kToday = *ParseInstant("2026-03-01T00:00:00Z");

/// One calendar's events at the provider, with the record of their changes.
struct FakeCalendar {
  std::map<std::string, Instant> events;
  struct Change {
    std::string id;
    std::optional<Instant> before, after;
  };
  std::vector<Change> log;
  int generation = 0;  ///< Tokens of older ones are no longer known.
  std::optional<ErrorCode> fault;

  void Put(const std::string& id, Instant start) {
    const auto old = events.find(id);
    log.push_back({id, old == events.end() ? std::nullopt : std::optional(old->second), start});
    events[id] = start;
  }
  void Remove(const std::string& id) {
    if (!events.contains(id)) return;
    log.push_back({id, events[id], std::nullopt});
    events.erase(id);
  }
};

/// `parts`: like Graph, a record per year; otherwise like Google, one for the calendar.
class FakeProvider final : public CalendarProvider {
 public:
  explicit FakeProvider(bool parts) : parts_(parts) {}

  std::map<std::string, FakeCalendar> calendars;
  std::optional<Error> list_fault;
  std::function<Task<Result<void>>()> before_call;
  std::vector<std::string> full_reads;

  bool windows_are_parts() const override { return parts_; }

  Task<Result<std::vector<Calendar>>> ListCalendars() override {
    if (list_fault) co_return std::unexpected(*list_fault);
    std::vector<Calendar> list;
    for (const auto& [id, calendar] : calendars) {
      list.push_back({.external_id = id, .name = id, .time_zone = "UTC", .is_primary = id == "a"});
    }
    co_return list;
  }

  Task<Result<std::vector<Window>>> Windows(const Calendar& calendar, const std::vector<Window>& known, Instant,
                                            bool search) override {
    if (!parts_) co_return std::vector<Window>{Window()};
    std::set<int> years{2026};
    for (const Window& window : known) years.insert(std::stoi(window.name));
    if (search) {
      for (const auto& [id, start] : calendars[calendar.external_id].events) years.insert(YearOf(start));
    }
    std::vector<Window> windows;
    for (const int year : years) {
      windows.push_back({.name = std::to_string(year), .from = Year(year), .to = Year(year + 1), .near = year == 2026});
    }
    co_return windows;
  }

  Task<Result<ChangePage>> Changes(const Calendar& calendar, const Window& window, const std::string& token) override {
    if (before_call) {
      auto allowed = co_await before_call();
      if (!allowed) co_return std::unexpected(std::move(allowed.error()));
    }
    FakeCalendar& source = calendars[calendar.external_id];
    if (source.fault) co_return Fail(*source.fault, "scripted");
    constexpr std::size_t kPage = 3;
    ChangePage page;
    std::istringstream words(token);
    std::string kind = "full", place;
    std::size_t position = source.log.size();
    int generation = source.generation;
    if (!token.empty()) words >> kind >> generation >> position >> place;
    if (generation != source.generation) co_return Fail(ErrorCode::kCursorExpired, "scripted");
    if (token.empty()) full_reads.push_back(calendar.external_id + window.name);
    if (kind == "full") {
      // What changes meanwhile is in the record behind `position`.
      for (auto it = source.events.upper_bound(place); it != source.events.end(); ++it) {
        if (page.events.size() == kPage) {
          page.more = true;
          break;
        }
        place = it->first;
        if (Holds(window, it->second)) page.events.push_back(EventOf(it->first, it->second));
      }
      page.next_token = fmt::format("{} {} {} {}", page.more ? "full" : "log", generation, position, place);
      co_return page;
    }
    for (std::size_t read = 0; position < source.log.size() && read < kPage; ++read, ++position) {
      const auto& change = source.log[position];
      const auto now = source.events.find(change.id);
      const bool inside = now != source.events.end() && Holds(window, now->second);
      const bool was = change.before && Holds(window, *change.before);
      if (inside) page.events.push_back(EventOf(change.id, now->second));
      if (!inside && (was || !parts_)) page.removed.push_back(change.id);
    }
    page.more = position < source.log.size();
    page.next_token = fmt::format("log {} {} -", generation, position);
    co_return page;
  }

  Task<Result<Event>> GetEvent(const Calendar&, const std::string&) override { co_return Fail(ErrorCode::kGone); }
  Task<Result<EventIdPage>> ListIds(const Calendar&, const std::vector<Window>&, const std::string&) override {
    co_return EventIdPage();
  }

  static Instant Year(int year) { return std::chrono::sys_days(std::chrono::year(year) / std::chrono::January / 1); }
  static int YearOf(Instant start) {
    return static_cast<int>(std::chrono::year_month_day(std::chrono::floor<days>(start)).year());
  }

 private:
  bool Holds(const Window& window, Instant start) const {
    return !parts_ || (start >= *window.from && start < *window.to);
  }
  static Event EventOf(const std::string& id, Instant start) {
    Event event;
    event.external_id = id;
    event.title = id;
    event.time.start = start;
    event.time.end = start + hours(1);
    return event;
  }
  const bool parts_;
};

class FakeProviders final : public CalendarProviders {
 public:
  explicit FakeProviders(bool parts) : provider(std::make_shared<FakeProvider>(parts)) {}
  Result<std::shared_ptr<CalendarProvider>> For(const ConnectedAccountId&, std::string_view) override {
    return std::shared_ptr<CalendarProvider>(provider);
  }
  std::shared_ptr<FakeProvider> provider;
};

class FakeStatus final : public AccountStatus {
 public:
  Account account{.provider = "google", .generation = 1, .may_work = true};
  std::vector<ErrorCode> faults, notices;
  Task<Result<Account>> Find(const ConnectedAccountId&) override { co_return account; }
  Task<void> ReportFault(const jobs::Job&, const Error& error) override {
    faults.push_back(error.code);
    co_return;
  }
  Task<void> ResolveNotice(std::string_view provider) override {
    resolved.emplace_back(provider);
    co_return;
  }
  std::vector<std::string> resolved;
  Task<void> RaiseNotice(std::string_view, const Error& error) override {
    notices.push_back(error.code);
    co_return;
  }
};

class CalendarSyncTest : public ::testing::TestWithParam<bool> {
 protected:
  using Kind = jobs::Outcome::Kind;

  jobs::Outcome Visit() {
    const jobs::NewJob job{.kind = "fetch_calendar",
                           .unique_key = jobs::AccountKey("fetch_calendar", account.id),
                           .account_id = account.id,
                           .generation = account.generation};
    store.Get(store.database().jobs().Insert(job));
    claimed = store.Get(store.database().jobs().Claim({.kinds = {"fetch_calendar"}})).at(0);
    auto outcome = latchkey::testing::RunTask(store.loop(), sync->Run(claimed));
    (void)store.Try(store.database().jobs().Finish({.job_id = claimed.id, .token = claimed.lease_token},
                                                   jobs::Outcome::Completed(), {}));
    return outcome;
  }
  std::map<std::string, Instant> Stored(const std::string& calendar = "a") {
    CalendarId id;
    for (const auto& listed : Listed()) {
      if (listed.calendar.external_id == calendar) id = listed.id;
    }
    std::map<std::string, Instant> found;
    for (int year = 2020; year < 2034; ++year) {
      EventQuery query{.user_id = user.id, .from = FakeProvider::Year(year), .to = FakeProvider::Year(year + 1)};
      query.calendar_id = id;
      query.limit = 500;
      for (const auto& item : store.Get(store.database().calendar_reader().ListEvents(query)).items) {
        EXPECT_EQ(found.count(item.event.external_id), 0u) << "twice: " << item.event.external_id;
        found[item.event.external_id] = item.event.time.start;
      }
    }
    return found;
  }
  std::vector<ListedCalendar> Listed() {
    return store.Get(store.database().calendar_reader().ListCalendars(user.id, account.id));
  }
  FakeCalendar& Source(const std::string& id = "a") { return providers.provider->calendars[id]; }

  storage::testing::ScratchStore store;
  identity::User user = store.AddUser("ada");
  connected_accounts::ConnectedAccount account = store.AddAccount(user, "ada.mail");
  FakeProviders providers{GetParam()};
  FakeStatus status;
  jobs::Job claimed;
  std::optional<CalendarSync> sync{CalendarSyncParts{
      .store = store.database().calendars(), .providers = providers, .status = status, .clock = store.clock()}};
};
INSTANTIATE_TEST_SUITE_P(WholeAndParts, CalendarSyncTest, ::testing::Bool());

TEST_P(CalendarSyncTest, ReadsEverythingThenFollowsTheChanges) {
  for (int i = 0; i < 10; ++i) Source().Put("e" + std::to_string(i), kToday + days(i));
  Source().Put("old", kToday - days(1200));
  Source().Put("far", kToday + days(1200));
  EXPECT_EQ(Visit().kind, Kind::kCompleted);
  EXPECT_EQ(Stored(), Source().events);
  const auto reads = providers.provider->full_reads.size();
  Source().Put("e3", kToday + days(30));
  Source().Remove("e4");
  Source().Put("new", kToday + hours(5));
  Visit();
  EXPECT_EQ(Stored(), Source().events);
  EXPECT_EQ(providers.provider->full_reads.size(), reads) << "from the cursors";
  EXPECT_EQ(Listed().at(0).last_synced_at, store.clock().Now());
}

TEST_P(CalendarSyncTest, AnExpiredTokenHealsInPlaceAndNothingVanishes) {
  for (int i = 0; i < 10; ++i) Source().Put("e" + std::to_string(i), kToday + days(i));
  Visit();
  Source().Remove("e1");
  Source().generation++;
  const auto before = Source().events;
  int calls = 0;
  providers.provider->before_call = [&]() -> Task<Result<void>> {
    if (++calls == 3) co_return Fail(ErrorCode::kProviderUnavailable, "in the middle of the new read");
    co_return Result<void>();
  };
  EXPECT_EQ(Visit().kind, Kind::kSnooze);
  for (const auto& [id, start] : before) EXPECT_TRUE(Stored().contains(id)) << id;
  providers.provider->before_call = nullptr;
  EXPECT_EQ(Visit().kind, Kind::kCompleted);
  EXPECT_EQ(Stored(), before);
}

TEST_P(CalendarSyncTest, OneCalendarThatCannotBeReadDoesNotKeepTheOthersWaiting) {
  for (const auto* id : {"a", "b", "c"}) Source(id).Put(std::string("in ") + id, kToday);
  for (const auto code : {ErrorCode::kForbidden, ErrorCode::kNotFound, ErrorCode::kMalformedReply}) {
    Source("b").fault = code;
    Source("c").Put("more", kToday);
    EXPECT_EQ(Visit().kind, Kind::kCompleted);
    EXPECT_THAT(Stored("b"), IsEmpty());
    EXPECT_EQ(Stored("c"), Source("c").events);
  }
  Source("b").fault.reset();
  Visit();
  EXPECT_THAT(Stored("b"), SizeIs(1));
}

TEST_P(CalendarSyncTest, MoreCalendarsThanAVisitReadsAreReadInSeveralAndTheRoundEnds) {
  CalendarSyncParts parts{
      .store = store.database().calendars(), .providers = providers, .status = status, .clock = store.clock()};
  parts.options.pages_per_visit = 4;
  sync.emplace(parts);
  const auto id = [](int number) { return "calendar " + std::to_string(number); };
  for (int i = 10; i < 20; ++i) Source(id(i)).Put("e", kToday + days(i));
  const auto round = [&] {
    int visits = 1;
    while (Visit().kind == Kind::kSnooze && visits < 20) ++visits;
    return visits;
  };
  EXPECT_EQ(round(), 3);
  for (int i = 10; i < 20; ++i) EXPECT_EQ(Stored(id(i)), Source(id(i)).events) << i;
  const auto reads = providers.provider->full_reads.size();
  store.clock().Advance(std::chrono::minutes(2));
  // The next one finds what changed anywhere, also when the provider asks to wait in the middle of it.
  for (int i = 10; i < 20; ++i) Source(id(i)).Put("e", kToday + days(i + 30));
  int calls = 0;
  providers.provider->before_call = [&]() -> Task<Result<void>> {
    if (++calls % 3 == 0) {
      co_return std::unexpected(
          Error{.code = ErrorCode::kRateLimited, .detail = "scripted", .retry_after = std::chrono::seconds(1)});
    }
    co_return Result<void>();
  };
  EXPECT_EQ(round(), 5) << "two calendars each, whatever was asked for in vain";
  for (int i = 10; i < 20; ++i) EXPECT_EQ(Stored(id(i)), Source(id(i)).events) << i;
  EXPECT_EQ(providers.provider->full_reads.size(), reads);
  providers.provider->before_call = nullptr;
  store.clock().Advance(std::chrono::minutes(2));
  Source(id(10)).Put("e", kToday);
  EXPECT_EQ(round(), 3) << "a new round reads them all";
  EXPECT_EQ(Stored(id(10)), Source(id(10)).events);
}

TEST_P(CalendarSyncTest, AVisitThatEndsBetweenWindowsForgetsNoneOfThoseThatWereFound) {
  CalendarSyncParts parts{
      .store = store.database().calendars(), .providers = providers, .status = status, .clock = store.clock()};
  parts.options.pages_per_visit = 2;
  sync.emplace(parts);
  for (int year = 2021; year < 2032; ++year) Source().Put("e" + std::to_string(year), FakeProvider::Year(year));
  int visits = 1;
  while (Visit().kind == Kind::kSnooze && visits < 50) ++visits;
  EXPECT_LT(visits, 50);
  EXPECT_EQ(Stored(), Source().events);
}

TEST_P(CalendarSyncTest, CalendarsComeAndGoAndAreChosen) {
  Source("a").Put("x", kToday);
  Source("b").Put("y", kToday);
  Visit();
  EXPECT_THAT(Listed(), SizeIs(2));
  const auto b = Listed().at(1).id;
  store.Get(store.database().calendars().Select(user.id, b, false));
  Visit();
  EXPECT_THAT(Stored("a"), SizeIs(1));
  EXPECT_THAT(Stored("b"), IsEmpty());
  Source("b").Put("z", kToday);
  store.Get(store.database().calendars().Select(user.id, b, true));
  Visit();
  EXPECT_EQ(Stored("b"), Source("b").events);
  providers.provider->calendars.erase("b");
  Visit();
  EXPECT_THAT(Listed(), SizeIs(1));
}

TEST_P(CalendarSyncTest, EachKindOfFaultIsTakenForWhatItIs) {
  const auto fail = [&](ErrorCode code) {
    providers.provider->list_fault = Error{.code = code, .detail = "scripted", .retry_after = std::nullopt};
    return Visit();
  };
  const auto facts = [&] { return store.Get(store.database().accounts().Get(user.id, account.id)).calendar; };
  EXPECT_EQ(fail(ErrorCode::kMissingScope).kind, Kind::kCancelled);
  EXPECT_THAT(status.faults, IsEmpty()) << "the mail goes on";
  EXPECT_EQ(facts().fault, ErrorCode::kMissingScope);
  EXPECT_EQ(facts().next_attempt_at, std::nullopt);
  EXPECT_EQ(fail(ErrorCode::kReauthInvalidGrant).kind, Kind::kCancelled);
  EXPECT_THAT(status.faults, ElementsAre(ErrorCode::kReauthInvalidGrant));
  EXPECT_EQ(fail(ErrorCode::kApiNotEnabled).kind, Kind::kSnooze);
  EXPECT_THAT(status.notices, ElementsAre(ErrorCode::kApiNotEnabled));
  EXPECT_EQ(facts().next_attempt_at, store.clock().Now() + jobs::Probe::kSoon) << "one looks whether it is over";
  EXPECT_EQ(fail(ErrorCode::kApiNotEnabled).delay, jobs::Probe::kLong) << "the others wait to be woken";
  EXPECT_THAT(status.resolved, IsEmpty());
  const auto first = fail(ErrorCode::kProviderUnavailable), second = fail(ErrorCode::kProviderUnavailable);
  EXPECT_EQ(first.kind, Kind::kSnooze);
  EXPECT_GT(second.delay, first.delay);
  EXPECT_EQ(facts().fault, ErrorCode::kProviderUnavailable);
  EXPECT_EQ(fail(ErrorCode::kStorageUnavailable).kind, Kind::kRetry);
  providers.provider->list_fault.reset();
  EXPECT_EQ(Visit().kind, Kind::kCompleted);
  EXPECT_EQ(facts().fault, std::nullopt);
  EXPECT_THAT(status.resolved, SizeIs(1)) << "and wakes them";
  EXPECT_EQ(Visit().kind, Kind::kCompleted);
  EXPECT_THAT(status.resolved, SizeIs(1)) << "not with every visit";
}

TEST_P(CalendarSyncTest, AnyInterruptionEndsInTheSameState) {
  for (unsigned seed = 1; seed <= 25; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
    const auto some_day = [&] { return kToday + days(below(2400) - 1200) + hours(below(24)); };
    const auto change = [&](FakeCalendar& source) {
      const std::string id = "e" + std::to_string(below(30));
      if (below(4) == 0) {
        source.Remove(id);
      } else {
        source.Put(id, some_day());
      }
    };
    providers.provider->calendars.clear();
    Visit();
    FakeCalendar& source = Source();
    // Never touched: it must be there at every moment once it has been seen.
    source.Put("rock", kToday);
    for (int i = 0; i < 20; ++i) change(source);
    bool rock_seen = false;
    providers.provider->before_call = [&]() -> Task<Result<void>> {
      if (below(3) == 0) change(source);
      if (below(25) == 0) ++source.generation;
      if (below(12) == 0) co_return Fail(ErrorCode::kProviderUnavailable, "scripted");
      if (below(12) == 0) {
        // Killed here, as far as the database is concerned: nothing of this visit can be written any more.
        const jobs::Lease lease{.job_id = claimed.id, .token = claimed.lease_token};
        (void)co_await store.database().jobs().Finish(lease, jobs::Outcome::Completed(), {});
      }
      co_return Result<void>();
    };
    for (int round = 0; round < 12; ++round) {
      Visit();
      const bool there = Stored().contains("rock");
      EXPECT_TRUE(there || !rock_seen) << "seed " << seed << " round " << round;
      rock_seen = rock_seen || there;
      store.clock().Advance(std::chrono::minutes(25));
    }
    providers.provider->before_call = nullptr;
    store.clock().Advance(hours(25));
    Visit();
    EXPECT_EQ(Stored(), source.events) << "seed " << seed;
  }
}

}  // namespace
}  // namespace latchkey::calendar
