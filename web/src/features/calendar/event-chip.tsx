import type { Calendar, CalendarEvent } from '@/shared/api/calendars';
import { cn } from '@/shared/lib/cn';
import { marksOf, timesText, titleOf } from './words';

const plain = 'var(--accent)';

/** Only a colour as the contract has it; anything else is ours. */
export function colorOf(calendar: Calendar | undefined): string {
  return calendar?.color && /^#[0-9a-f]{6}$/i.test(calendar.color) ? calendar.color : plain;
}

interface EventChipProps {
  event: CalendarEvent;
  calendar: Calendar | undefined;
  timeZone: string;
  onOpen: (event: CalendarEvent) => void;
  /** One line for small places. */
  line?: boolean;
  className?: string;
}

/** An event as a button. Its calendar is named to the ear and shown as a stripe; its words carry everything that matters. */
export function EventChip({ event, calendar, timeZone, onOpen, line = false, className }: EventChipProps) {
  const title = titleOf(event);
  const times = timesText(event, timeZone);
  const marks = marksOf(event);
  const struck = event.status === 'cancelled' || (marks.length > 0 && isDeclined(event));
  return (
    <button
      type="button"
      data-event=""
      aria-label={[title, times, ...marks, calendar?.name].filter(Boolean).join(', ')}
      onClick={() => onOpen(event)}
      style={{ borderInlineStartColor: colorOf(calendar) }}
      className={cn(
        'flex min-h-6 w-full overflow-hidden rounded-md border border-s-4 border-line px-1.5 text-start text-xs hover:border-line-strong',
        line ? 'items-center gap-1.5' : 'flex-col py-0.5',
        event.shows_as === 'free' || event.status === 'tentative'
          ? 'border-dashed bg-surface'
          : 'bg-accent-soft',
        className,
      )}
    >
      <bdi
        className={cn(
          'min-w-0 font-medium text-ink',
          line ? 'truncate' : 'break-words',
          struck && 'line-through',
        )}
      >
        {title}
      </bdi>
      {marks.length > 0 && <span className="shrink-0 text-muted">{marks.join(', ')}</span>}
      {!event.is_all_day && <span className="tabular shrink-0 text-muted">{times}</span>}
    </button>
  );
}

export function isDeclined(event: CalendarEvent): boolean {
  return event.attendees.some((attendee) => attendee.self && attendee.response === 'declined');
}
