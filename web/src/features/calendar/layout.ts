import type { Temporal } from 'temporal-polyfill';
import type { CalendarEvent } from '@/shared/api/calendars';
import { temporal } from '@/shared/lib/temporal';

/**
 * Where events stand in a week or an agenda. Pure arithmetic over days of one time zone: a day begins at its own first instant
 * and ends at the first of the next, so days of 23 and 25 hours need no care elsewhere.
 */

const minutesOfDay = 1440;
/** Shorter events are drawn this long, so that they can be hit and read. */
const leastMinutes = 20;

/** One day of the display zone. */
export interface Day {
  date: Temporal.PlainDate;
  /** Milliseconds since 1970 of its first instant, and of the next day's. */
  start: number;
  end: number;
}

/** The part of a timed event that lies in one day, in minutes of its clock, and its place among those it overlaps. */
export interface Block {
  event: CalendarEvent;
  from: number;
  to: number;
  column: number;
  columns: number;
  /** Whether the event goes on before or after this day. */
  before: boolean;
  after: boolean;
}

/** A bar over whole days: the first day's index, the index after the last, and its line. */
export interface Bar {
  event: CalendarEvent;
  first: number;
  last: number;
  lane: number;
  before: boolean;
  after: boolean;
}

export function daysFrom(first: Temporal.PlainDate, count: number, timeZone: string): Day[] {
  return Array.from({ length: count }, (_, index) => {
    const date = first.add({ days: index });
    return {
      date,
      start: date.toZonedDateTime(timeZone).epochMilliseconds,
      end: date.add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds,
    };
  });
}

/** The first day of the week that holds a date; `firstDay` is 1 for Monday up to 7 for Sunday. */
export function startOfWeek(date: Temporal.PlainDate, firstDay: number): Temporal.PlainDate {
  return date.subtract({ days: (date.dayOfWeek - firstDay + 7) % 7 });
}

/** Which day a week begins with, where these languages are spoken. */
export function firstDayOfWeek(languages: readonly string[]): number {
  try {
    const locale = new Intl.Locale(languages[0] ?? 'en-GB') as Intl.Locale & {
      getWeekInfo?: () => { firstDay: number };
      weekInfo?: { firstDay: number };
    };
    return (locale.getWeekInfo?.() ?? locale.weekInfo)?.firstDay ?? 1;
  } catch {
    return 1;
  }
}

interface Span {
  start: number;
  end: number;
}

function spanOf(event: CalendarEvent): Span | null {
  if (event.is_all_day || !event.start || !event.end) return null;
  const start = Date.parse(event.start);
  return { start, end: Math.max(start, Date.parse(event.end)) };
}

/** An event that covers whole days is drawn as a bar: all-day ones, and timed ones of a day or longer. */
function isBar(event: CalendarEvent): boolean {
  const span = spanOf(event);
  return span === null ? event.start_date !== null : span.end - span.start >= minutesOfDay * 60_000;
}

/** The minute of the clock on the wall; at the end of a day the last one. */
function clockMinute(instant: number, day: Day, timeZone: string): number {
  if (instant <= day.start) return 0;
  if (instant >= day.end) return minutesOfDay;
  const local = temporal().Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone);
  return local.hour * 60 + local.minute;
}

/** Timed events of one day, side by side where they overlap. */
export function blocksOf(events: readonly CalendarEvent[], day: Day, timeZone: string): Block[] {
  const blocks: Block[] = [];
  for (const event of events) {
    const span = spanOf(event);
    if (!span || isBar(event)) continue;
    const instantaneous = span.start === span.end;
    if (span.start >= day.end || (instantaneous ? span.start < day.start : span.end <= day.start)) continue;
    const from = Math.min(clockMinute(span.start, day, timeZone), minutesOfDay - leastMinutes);
    // In the hour that a clock repeats, an end may read earlier than its start.
    const to = Math.max(clockMinute(span.end, day, timeZone), from + leastMinutes);
    const before = span.start < day.start;
    blocks.push({ event, from, to, column: 0, columns: 1, before, after: span.end > day.end });
  }
  blocks.sort((a, b) => a.from - b.from || b.to - a.to);
  arrange(blocks);
  return blocks;
}

/** Gives the first free column to each block; blocks that touch one another directly or through others share their width. */
function arrange(blocks: Block[]): void {
  let group: Block[] = [];
  let ends: number[] = [];
  const close = () => {
    for (const block of group) block.columns = ends.length;
    group = [];
    ends = [];
  };
  for (const block of blocks) {
    if (group.length > 0 && ends.every((end) => end <= block.from)) close();
    const free = ends.findIndex((end) => end <= block.from);
    block.column = free < 0 ? ends.length : free;
    ends[block.column] = block.to;
    group.push(block);
  }
  close();
}

/** Bars over the days of a week, in as few lines as they fit. */
export function barsOf(events: readonly CalendarEvent[], days: readonly Day[]): Bar[] {
  const found: Bar[] = [];
  for (const event of events) {
    if (!isBar(event)) continue;
    const covered = days.flatMap((day, index) => (covers(event, day) ? [index] : []));
    const first = covered[0];
    const last = covered.at(-1);
    if (first === undefined || last === undefined) continue;
    found.push({
      event,
      first,
      last: last + 1,
      lane: 0,
      before: first === 0 && begins(event, days[0]!),
      after: last === days.length - 1 && goesOn(event, days.at(-1)!),
    });
  }
  found.sort((a, b) => a.first - b.first || b.last - a.last);
  const ends: number[] = [];
  for (const bar of found) {
    const free = ends.findIndex((end) => end <= bar.first);
    bar.lane = free < 0 ? ends.length : free;
    ends[bar.lane] = bar.last;
  }
  return found;
}

function begins(event: CalendarEvent, day: Day): boolean {
  const span = spanOf(event);
  return span ? span.start < day.start : (event.start_date ?? '') < day.date.toString();
}

function goesOn(event: CalendarEvent, day: Day): boolean {
  const span = spanOf(event);
  return span
    ? span.end > day.end
    : (event.end_date ?? event.start_date ?? '') > day.date.add({ days: 1 }).toString();
}

/** Whether an event is on at some time of a day. The last day of an all-day event is not its own. */
export function covers(event: CalendarEvent, day: Day): boolean {
  const span = spanOf(event);
  if (span) {
    if (span.start === span.end) return span.start >= day.start && span.start < day.end;
    return span.start < day.end && span.end > day.start;
  }
  const date = day.date.toString();
  const { start_date: first, end_date: end } = event;
  if (!first) return false;
  return first <= date && (end && end > first ? date < end : date === first);
}

/** The events of a day in the order an agenda reads: all-day ones first, then by start. */
export function agendaOf(events: readonly CalendarEvent[], day: Day): CalendarEvent[] {
  const startIn = (event: CalendarEvent) => Math.max(day.start, spanOf(event)?.start ?? 0);
  return events
    .filter((event) => covers(event, day))
    .sort(
      (a, b) =>
        Number(b.is_all_day) - Number(a.is_all_day) ||
        startIn(a) - startIn(b) ||
        (a.title ?? '').localeCompare(b.title ?? ''),
    );
}
