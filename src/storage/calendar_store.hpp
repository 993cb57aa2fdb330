#pragma once

#include "calendar/calendar_store.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// calendar::CalendarStore over the database. Loop thread.
class CalendarStore final : public calendar::CalendarStore {
 public:
  CalendarStore(Engine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}

  using Fence = calendar::WriteFence;
  using Id = calendar::CalendarId;

  Task<Result<std::vector<calendar::StoredCalendar>>> ReplaceCalendars(
      const Fence& fence, const std::vector<calendar::Calendar>& calendars) override;
  Task<Result<calendar::Cursor>> BeginEpoch(const Fence& fence, const Id& calendar,
                                            const calendar::Window& window) override;
  Task<Result<calendar::CalendarCommitResult>> Apply(const calendar::CalendarCommit& commit) override;
  Task<Result<std::int64_t>> Sweep(const Fence& fence, const Id& calendar, const calendar::Cursor& cursor, bool parts,
                                   int limit) override;
  Task<Result<std::int64_t>> MarkDeparted(const Fence& fence, const Id& calendar) override;
  Task<Result<std::int64_t>> DropDeparted(const Fence& fence, const Id& calendar, int limit) override;
  Task<Result<bool>> HasDeparted(const Id& calendar) override;
  Task<Result<std::vector<std::string>>> MissingMasters(const Id& calendar, int limit) override;
  Task<Result<void>> StoreMasters(const Fence& fence, const Id& calendar,
                                  const std::vector<calendar::Event>& masters) override;
  Task<Result<void>> NoteSearched(const Fence& fence, const Id& calendar) override;
  Task<Result<void>> SetCalendarFault(const Fence& fence, const Id& calendar, std::optional<ErrorCode> fault) override;
  Task<Result<std::int64_t>> EmptyUnselected(const Fence& fence, int limit) override;
  Task<Result<void>> Conclude(const Fence& fence, const Outcome& outcome) override;
  Task<Result<int>> ScheduleDue(Instant now, Instant next, int limit) override;
  Task<Result<void>> Select(const UserId& user, const Id& calendar, bool selected) override;

 private:
  Engine& engine_;
  const Clock& clock_;
};

}  // namespace latchkey::storage
