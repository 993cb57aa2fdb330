import { beforeAll, describe, expect, it } from 'vitest';
import type { CalendarEvent } from '@/shared/api/calendars';
import { loadTemporal, temporal } from '@/shared/lib/temporal';
import { event } from '@/testing/fixtures';
import { agendaOf, barsOf, blocksOf, covers, daysFrom, startOfWeek } from './layout';

beforeAll(loadTemporal);

const date = (text: string) => temporal().PlainDate.from(text);
const days = (first: string, count: number, zone: string) => daysFrom(date(first), count, zone);
const timed = (start: string, end: string, more: Partial<CalendarEvent> = {}) =>
  event({ start, end, ...more });
const allDay = (first: string, end: string, more: Partial<CalendarEvent> = {}) =>
  event({ is_all_day: true, start: null, end: null, start_date: first, end_date: end, ...more });
const places = (events: CalendarEvent[], day: string, zone: string) =>
  blocksOf(events, days(day, 1, zone)[0]!, zone).map(({ from, to }) => [from, to]);

describe('days of a time zone', () => {
  it.each([
    ['Europe/Berlin', '2026-03-29', 23],
    ['Europe/Berlin', '2026-10-25', 25],
    ['America/New_York', '2026-03-08', 23],
    ['Australia/Lord_Howe', '2026-10-04', 23.5],
    // A day that begins at one o'clock, because midnight is skipped.
    ['Africa/Cairo', '2026-04-24', 23],
    ['Asia/Kathmandu', '2026-03-29', 24],
  ])('%s %s has %d hours', (zone, day, hours) => {
    const [one, next] = days(day, 2, zone);
    expect((one!.end - one!.start) / 3_600_000).toBe(hours);
    expect(next!.start).toBe(one!.end);
  });

  it('begins weeks where people begin them', () => {
    expect(startOfWeek(date('2026-06-17'), 1).toString()).toBe('2026-06-15');
    expect(startOfWeek(date('2026-06-17'), 7).toString()).toBe('2026-06-14');
    expect(startOfWeek(date('2026-06-14'), 7).toString()).toBe('2026-06-14');
    expect(startOfWeek(date('2026-06-14'), 1).toString()).toBe('2026-06-08');
  });
});

describe('timed events', () => {
  it('stand at the time of the clock, before and after it changes', () => {
    // Nine o'clock in Berlin, one day in winter time, the next in summer time.
    expect(
      places([timed('2026-03-28T08:00:00Z', '2026-03-28T09:00:00Z')], '2026-03-28', 'Europe/Berlin'),
    ).toEqual([[540, 600]]);
    expect(
      places([timed('2026-03-29T07:00:00Z', '2026-03-29T08:00:00Z')], '2026-03-29', 'Europe/Berlin'),
    ).toEqual([[540, 600]]);
    // Over the skipped hour: from half past one to half past three, one hour long.
    expect(
      places([timed('2026-03-29T00:30:00Z', '2026-03-29T01:30:00Z')], '2026-03-29', 'Europe/Berlin'),
    ).toEqual([[90, 210]]);
  });

  it('can be seen in the hour that comes twice', () => {
    // 02:45 in summer time to 02:15 in winter time, half an hour later.
    expect(
      places([timed('2026-10-25T00:45:00Z', '2026-10-25T01:15:00Z')], '2026-10-25', 'Europe/Berlin'),
    ).toEqual([[165, 185]]);
  });

  it('are on the day the display zone says', () => {
    const late = timed('2026-06-17T22:30:00Z', '2026-06-17T23:00:00Z');
    expect(places([late], '2026-06-17', 'UTC')).toEqual([[1350, 1380]]);
    expect(places([late], '2026-06-18', 'Europe/Berlin')).toEqual([[30, 60]]);
    expect(places([late], '2026-06-17', 'Europe/Berlin')).toEqual([]);
    expect(places([late], '2026-06-17', 'America/Los_Angeles')).toEqual([[930, 960]]);
  });

  it('are cut at midnight and end where they end', () => {
    const night = timed('2026-06-17T22:00:00Z', '2026-06-18T02:00:00Z');
    expect(places([night], '2026-06-17', 'UTC')).toEqual([[1320, 1440]]);
    expect(places([night], '2026-06-18', 'UTC')).toEqual([[0, 120]]);
    expect(places([timed('2026-06-17T22:00:00Z', '2026-06-18T00:00:00Z')], '2026-06-18', 'UTC')).toEqual([]);
  });

  it('can be hit when they take no time', () => {
    const moment = timed('2026-06-17T00:00:00Z', '2026-06-17T00:00:00Z');
    expect(places([moment], '2026-06-17', 'UTC')).toEqual([[0, 20]]);
    expect(places([moment], '2026-06-16', 'UTC')).toEqual([]);
    expect(places([timed('2026-06-17T23:59:00Z', '2026-06-17T23:59:00Z')], '2026-06-17', 'UTC')).toEqual([
      [1420, 1440],
    ]);
  });

  it('share the width with those they overlap, and with nobody else', () => {
    const at = (id: string, from: string, to: string) =>
      timed(`2026-06-17T${from}:00Z`, `2026-06-17T${to}:00Z`, { id });
    const found = blocksOf(
      [
        at('d', '14:00', '15:00'),
        at('a', '09:00', '12:00'),
        at('b', '09:30', '10:00'),
        at('c', '10:00', '11:00'),
      ],
      days('2026-06-17', 1, 'UTC')[0]!,
      'UTC',
    );
    expect(found.map(({ event: { id }, column, columns }) => [id, column, columns])).toEqual([
      ['a', 0, 2],
      ['b', 1, 2],
      ['c', 1, 2],
      ['d', 0, 1],
    ]);
  });
});

describe('whole days', () => {
  it('are the same dates everywhere', () => {
    for (const zone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago', 'UTC']) {
      const week = days('2026-06-15', 7, zone);
      const [bar] = barsOf([allDay('2026-06-17', '2026-06-19')], week);
      expect([bar!.first, bar!.last], zone).toEqual([2, 4]);
    }
  });

  it('go over the edges of the week and use few lines', () => {
    const week = days('2026-06-15', 7, 'UTC');
    const bars = barsOf(
      [
        allDay('2026-06-20', '2026-06-25', { id: 'after' }),
        allDay('2026-06-10', '2026-06-16', { id: 'before' }),
        allDay('2026-06-15', '2026-06-22', { id: 'week' }),
        timed('2026-06-16T10:00:00Z', '2026-06-18T10:00:00Z', { id: 'long' }),
      ],
      week,
    );
    expect(
      bars.map(({ event: { id }, first, last, lane, before, after }) => [
        id,
        first,
        last,
        lane,
        before,
        after,
      ]),
    ).toEqual([
      ['week', 0, 7, 0, false, false],
      ['before', 0, 1, 1, true, false],
      ['long', 1, 4, 1, false, false],
      ['after', 5, 7, 1, false, true],
    ]);
  });

  it('end before their end date, and last a day when they have none', () => {
    const [first, second] = days('2026-06-17', 2, 'UTC');
    expect(covers(allDay('2026-06-17', '2026-06-18'), first!)).toBe(true);
    expect(covers(allDay('2026-06-17', '2026-06-18'), second!)).toBe(false);
    expect(covers(allDay('2026-06-17', '2026-06-17'), first!)).toBe(true);
  });
});

it('reads a day in order: whole days first, then by time', () => {
  const list = agendaOf(
    [
      timed('2026-06-17T14:00:00Z', '2026-06-17T15:00:00Z', { id: 'late' }),
      timed('2026-06-16T22:00:00Z', '2026-06-17T09:30:00Z', { id: 'from yesterday' }),
      allDay('2026-06-17', '2026-06-18', { id: 'day' }),
      timed('2026-06-18T00:00:00Z', '2026-06-18T01:00:00Z', { id: 'tomorrow' }),
    ],
    days('2026-06-17', 1, 'UTC')[0]!,
  );
  expect(list.map(({ id }) => id)).toEqual(['day', 'from yesterday', 'late']);
});
