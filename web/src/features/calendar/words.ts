import type { Temporal } from 'temporal-polyfill';
import type { CalendarEvent } from '@/shared/api/calendars';
import { locale, t } from '@/shared/i18n/i18n';
import { temporal } from '@/shared/lib/temporal';

const cache = new Map<string, Intl.DateTimeFormat>();

function formatter(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify(options);
  let made = cache.get(key);
  if (!made) cache.set(key, (made = new Intl.DateTimeFormat(locale(), options)));
  return made;
}

/** A date as such, wherever somebody is: formatted in UTC from its own midnight there. */
export function dateText(date: Temporal.PlainDate, options: Intl.DateTimeFormatOptions): string {
  return formatter({ ...options, timeZone: 'UTC' }).format(date.toZonedDateTime('UTC').epochMilliseconds);
}

export function datesText(
  first: Temporal.PlainDate,
  last: Temporal.PlainDate,
  options: Intl.DateTimeFormatOptions,
): string {
  return formatter({ ...options, timeZone: 'UTC' }).formatRange(
    first.toZonedDateTime('UTC').epochMilliseconds,
    last.toZonedDateTime('UTC').epochMilliseconds,
  );
}

export function hourText(hour: number): string {
  return formatter({ hour: 'numeric', minute: '2-digit', timeZone: 'UTC' }).format(hour * 3_600_000);
}

/** "09:00 – 10:30", or the first of them with the day it belongs to when it began before. */
export function timesText(event: CalendarEvent, timeZone: string): string {
  if (event.is_all_day || !event.start || !event.end) return t('calendar.allDay');
  return formatter({ hour: 'numeric', minute: '2-digit', timeZone }).formatRange(
    Date.parse(event.start),
    Math.max(Date.parse(event.start), Date.parse(event.end)),
  );
}

/** When an event is, in full. */
export function whenText(event: CalendarEvent, timeZone: string): string {
  if (event.is_all_day && event.start_date) {
    const first = temporal().PlainDate.from(event.start_date);
    const end = event.end_date ? temporal().PlainDate.from(event.end_date).subtract({ days: 1 }) : first;
    const last = temporal().PlainDate.compare(end, first) > 0 ? end : first;
    return datesText(first, last, { weekday: 'short', day: 'numeric', month: 'long', year: 'numeric' });
  }
  if (!event.start || !event.end) return '';
  return formatter({
    weekday: 'short',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZone,
    timeZoneName: 'short',
  }).formatRange(Date.parse(event.start), Math.max(Date.parse(event.start), Date.parse(event.end)));
}

/** "Berlin (GMT+2)" at a given instant. */
export function zoneText(timeZone: string, at: number): string {
  const offset = new Intl.DateTimeFormat(locale() as string[], { timeZone, timeZoneName: 'shortOffset' })
    .formatToParts(at)
    .find((part) => part.type === 'timeZoneName')?.value;
  const city = timeZone.split('/').at(-1)?.replaceAll('_', ' ') ?? timeZone;
  return offset ? `${city} (${offset})` : city;
}

export function titleOf(event: CalendarEvent): string {
  if (event.title?.trim()) return event.title;
  return event.is_private || event.title === null ? t('calendar.busy') : t('calendar.noTitle');
}

/** What else is true of it, for the eye as text and not by colour alone. */
export function marksOf(event: CalendarEvent): string[] {
  const self = event.attendees.find((attendee) => attendee.self);
  return [
    event.status === 'cancelled' ? t('calendar.cancelled') : null,
    event.status === 'tentative' ? t('calendar.tentative') : null,
    self?.response === 'declined' ? t('calendar.response.declined') : null,
    self?.response === 'needs_action' ? t('calendar.unanswered') : null,
    event.is_private ? t('calendar.private') : null,
  ].filter((mark) => mark !== null);
}
