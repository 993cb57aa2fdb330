import { useNavigate, useSearch } from '@tanstack/react-router';
import { CalendarPage, type View } from '@/features/calendar/calendar-page';

export function CalendarRoute() {
  const { view, date } = useSearch({ from: '/signed-in/calendar' });
  const navigate = useNavigate();
  return (
    <CalendarPage
      view={view === 'week' || view === 'agenda' ? view : null}
      date={date ?? null}
      onGo={(change: { view?: View; date?: string | null }) =>
        void navigate({
          to: '/calendar',
          search: {
            view: change.view ?? view,
            date: change.date === undefined ? date : (change.date ?? undefined),
          },
          replace: true,
        })
      }
    />
  );
}
