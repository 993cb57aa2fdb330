import { useEffect, useMemo, useRef, type KeyboardEvent } from 'react';
import type { Calendar, CalendarEvent } from '@/shared/api/calendars';
import { t } from '@/shared/i18n/i18n';
import { cn } from '@/shared/lib/cn';
import { temporal } from '@/shared/lib/temporal';
import { useNow } from '@/shared/lib/time';
import { EventChip } from './event-chip';
import { barsOf, blocksOf, type Day } from './layout';
import { dateText, hourText } from './words';

const hourHeight = 48;
const hours = Array.from({ length: 24 }, (_, hour) => hour);
const columns = { gridTemplateColumns: 'repeat(7, minmax(0, 1fr))' };

interface WeekGridProps {
  days: Day[];
  events: readonly CalendarEvent[];
  calendars: ReadonlyMap<string, Calendar>;
  timeZone: string;
  onOpen: (event: CalendarEvent) => void;
}

/** Seven days side by side: whole days above, hours below. Events of a day are a list, so that they can be read in order. */
export function WeekGrid({ days, events, calendars, timeZone, onOpen }: WeekGridProps) {
  const bars = useMemo(() => barsOf(events, days), [events, days]);
  const blocks = useMemo(() => days.map((day) => blocksOf(events, day, timeZone)), [events, days, timeZone]);
  const scroller = useRef<HTMLDivElement>(null);
  const now = useNow();
  const lanes = Math.max(0, ...bars.map((bar) => bar.lane + 1));

  useEffect(() => {
    scroller.current?.scrollTo({ top: 7 * hourHeight });
  }, []);

  return (
    /* eslint-disable jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/no-noninteractive-tabindex --
       it listens for the arrow keys that its events, buttons of their own, do not take */
    // The whole grid listens, so that arrow keys go from event to event; each event is a button of its own. It scrolls, so the
    // keyboard can reach it even when it holds no event.
    <div
      ref={scroller}
      role="region"
      aria-label={t('calendar.view.week')}
      tabIndex={0}
      onKeyDown={walk}
      className="thin-scroll min-h-0 flex-1 overflow-auto -outline-offset-2"
    >
      <div className="min-w-180">
        <div className="sticky top-0 z-10 border-b border-line bg-bg">
          <div className="flex">
            <span className="w-14 shrink-0" />
            <div className="grid flex-1" style={columns}>
              {days.map((day) => (
                <DayHead key={day.start} day={day} now={now} />
              ))}
            </div>
          </div>
          <div className="flex">
            <span className="w-14 shrink-0 pe-2 pt-1 text-end text-2xs text-muted">
              {t('calendar.allDay')}
            </span>
            <ul
              aria-label={t('calendar.allDayEvents')}
              className="thin-scroll grid max-h-32 min-h-7 flex-1 gap-0.5 overflow-y-auto pb-1"
              style={{ ...columns, gridTemplateRows: `repeat(${Math.max(1, lanes)}, minmax(1.5rem, auto))` }}
            >
              {bars.map((bar) => (
                <li
                  key={bar.event.id}
                  className="min-w-0 px-0.5"
                  style={{ gridColumn: `${bar.first + 1} / ${bar.last + 1}`, gridRow: bar.lane + 1 }}
                >
                  <EventChip
                    line
                    event={bar.event}
                    calendar={calendars.get(bar.event.calendar_id)}
                    timeZone={timeZone}
                    onOpen={onOpen}
                    className={cn(bar.before && 'rounded-s-none', bar.after && 'rounded-e-none')}
                  />
                </li>
              ))}
            </ul>
          </div>
        </div>
        <div className="relative flex" style={{ height: 24 * hourHeight }}>
          <div aria-hidden className="w-14 shrink-0">
            {hours.map((hour) => (
              <div key={hour} style={{ height: hourHeight }} className="relative">
                {hour > 0 && (
                  <span className="tabular absolute end-2 -top-2 text-2xs text-muted">{hourText(hour)}</span>
                )}
              </div>
            ))}
          </div>
          <div className="grid flex-1" style={columns}>
            {days.map((day, index) => (
              <section
                key={day.start}
                aria-label={t('calendar.dayOf', {
                  day: dateText(day.date, { weekday: 'long', day: 'numeric', month: 'long' }),
                  count: blocks[index]?.length ?? 0,
                })}
                className="relative border-s border-line"
              >
                <div aria-hidden className="absolute inset-0">
                  {hours.map((hour) => (
                    <div key={hour} style={{ height: hourHeight }} className="border-b border-line" />
                  ))}
                </div>
                <NowLine day={day} now={now} timeZone={timeZone} />
                <ol>
                  {blocks[index]?.map(({ event, from, to, column, columns: among }) => (
                    <li
                      key={event.id}
                      className="absolute p-px"
                      style={{
                        top: (from / 60) * hourHeight,
                        height: ((to - from) / 60) * hourHeight,
                        insetInlineStart: `${(column / among) * 100}%`,
                        width: `${100 / among}%`,
                      }}
                    >
                      <EventChip
                        event={event}
                        calendar={calendars.get(event.calendar_id)}
                        timeZone={timeZone}
                        onOpen={onOpen}
                        className="h-full"
                      />
                    </li>
                  ))}
                </ol>
              </section>
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}

function DayHead({ day, now }: { day: Day; now: number }) {
  const today = now >= day.start && now < day.end;
  return (
    <p
      aria-current={today ? 'date' : undefined}
      className={cn('px-1 py-1.5 text-center text-sm', today ? 'font-semibold text-accent' : 'text-muted')}
    >
      {dateText(day.date, { weekday: 'short', day: 'numeric' })}
      {today && <span className="sr-only">, {t('calendar.today')}</span>}
    </p>
  );
}

function NowLine({ day, now, timeZone }: { day: Day; now: number; timeZone: string }) {
  if (now < day.start || now >= day.end) return null;
  const local = temporal().Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone);
  return (
    <div
      aria-hidden
      className="pointer-events-none absolute inset-x-0 z-5 h-0.5 bg-bad"
      style={{ top: (local.hour + local.minute / 60) * hourHeight }}
    />
  );
}

/** Up and down go through the events in their order, as Tab does, but without leaving the grid. */
function walk(event: KeyboardEvent<HTMLDivElement>): void {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step || !(event.target instanceof HTMLElement) || !('event' in event.target.dataset)) return;
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-event]')];
  const next = all[all.indexOf(event.target) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
