import { useMemo } from 'react';
import type { Calendar, CalendarEvent } from '@/shared/api/calendars';
import { t } from '@/shared/i18n/i18n';
import { cn } from '@/shared/lib/cn';
import { useNow } from '@/shared/lib/time';
import { colorOf, isDeclined } from './event-chip';
import { agendaOf, type Day } from './layout';
import { dateText, marksOf, timesText, titleOf } from './words';

interface AgendaProps {
  days: Day[];
  events: readonly CalendarEvent[];
  calendars: ReadonlyMap<string, Calendar>;
  timeZone: string;
  onOpen: (event: CalendarEvent) => void;
}

/** Day after day, only those with something in them. */
export function Agenda({ days, events, calendars, timeZone, onOpen }: AgendaProps) {
  const now = useNow();
  const filled = useMemo(
    () => days.map((day) => ({ day, list: agendaOf(events, day) })).filter(({ list }) => list.length > 0),
    [days, events],
  );
  return (
    <div className="thin-scroll min-h-0 flex-1 overflow-y-auto px-4 py-3 md:px-6">
      {filled.map(({ day, list }) => {
        const today = now >= day.start && now < day.end;
        const name = dateText(day.date, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
        return (
          <section key={day.start} aria-label={name} className="mb-4 max-w-2xl">
            <h2 className={cn('py-1 text-sm font-semibold', today ? 'text-accent' : 'text-muted')}>
              {name}
              {today && ` · ${t('calendar.today')}`}
            </h2>
            <ul className="divide-y divide-line rounded-xl border border-line bg-surface">
              {list.map((event) => (
                <li key={event.id}>
                  <AgendaRow
                    event={event}
                    calendar={calendars.get(event.calendar_id)}
                    timeZone={timeZone}
                    onOpen={onOpen}
                  />
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}

interface AgendaRowProps {
  event: CalendarEvent;
  calendar: Calendar | undefined;
  timeZone: string;
  onOpen: (event: CalendarEvent) => void;
}

function AgendaRow({ event, calendar, timeZone, onOpen }: AgendaRowProps) {
  const struck = event.status === 'cancelled' || isDeclined(event);
  const details = [event.location, ...marksOf(event), calendar?.name].filter(Boolean) as string[];
  return (
    <button
      type="button"
      onClick={() => onOpen(event)}
      className="flex min-h-11 w-full items-stretch gap-3 px-3 py-2 text-start hover:bg-hover"
    >
      <span aria-hidden className="w-1 shrink-0 rounded-full" style={{ background: colorOf(calendar) }} />
      <span className="tabular w-28 shrink-0 text-sm text-muted">{timesText(event, timeZone)}</span>
      <span className="min-w-0 flex-1">
        <bdi className={cn('block font-medium break-words', struck && 'line-through')}>{titleOf(event)}</bdi>
        {details.length > 0 && (
          <span className="block text-sm break-words text-muted">
            {details.map((detail, index) => (
              <bdi key={index}>
                {index > 0 && ' · '}
                {detail}
              </bdi>
            ))}
          </span>
        )}
      </span>
    </button>
  );
}
