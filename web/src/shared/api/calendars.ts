import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, unwrap } from './client';
import type { components } from './schema';

export type Calendar = components['schemas']['Calendar'];
export type CalendarEvent = components['schemas']['CalendarEvent'];

export const calendarsQuery = queryOptions({
  queryKey: ['calendars'],
  queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/calendars', { signal }))).calendars,
  // The event stream tells of changes; this is the net below it, closer while a calendar is read for the first time.
  refetchInterval: ({ state }) =>
    state.data?.some((calendar) => calendar.selected && calendar.last_synced_at === null) ? 5_000 : 60_000,
});

export interface EventRange {
  /** Instants. */
  from: string;
  to: string;
  timeZone: string;
}

// A range with more than this is cut: nobody reads ten thousand events of a month.
const mostPages = 20;

export const eventsQuery = ({ from, to, timeZone }: EventRange) =>
  queryOptions({
    queryKey: ['calendar-events', from, to, timeZone],
    queryFn: async ({ signal }) => {
      const events: CalendarEvent[] = [];
      let cursor: string | null = null;
      for (let page = 0; page < mostPages; ++page) {
        const answer: { events: CalendarEvent[]; next_cursor: string | null } = await unwrap(
          api.GET('/api/v1/calendar-events', {
            params: { query: { from, to, time_zone: timeZone, limit: 500, ...(cursor ? { cursor } : {}) } },
            signal,
          }),
        );
        events.push(...answer.events);
        cursor = answer.next_cursor;
        if (!cursor) break;
      }
      return events;
    },
    placeholderData: keepPreviousData,
  });

export const eventQuery = (id: string) =>
  queryOptions({
    queryKey: ['calendar-events', 'one', id],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/calendar-events/{id}', { params: { path: { id } }, signal })),
  });

/** Unselecting removes this calendar's events from here, and nothing else. */
export function selectCalendar(id: string, selected: boolean): Promise<Calendar> {
  return unwrap(api.PATCH('/api/v1/calendars/{id}', { params: { path: { id } }, body: { selected } }));
}
