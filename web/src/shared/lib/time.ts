import { useSyncExternalStore } from 'react';
import { locale } from '@/shared/i18n/i18n';

const day = 86_400_000;
const cache = new Map<string, Intl.DateTimeFormat>();

function format(date: Date, options: Intl.DateTimeFormatOptions): string {
  const key = JSON.stringify(options);
  let formatter = cache.get(key);
  if (!formatter) cache.set(key, (formatter = new Intl.DateTimeFormat(locale(), options)));
  return formatter.format(date);
}

function startOfDay(instant: number): number {
  return new Date(instant).setHours(0, 0, 0, 0);
}

/** The short form of lists: the time today, the weekday this week, the date before. */
export function shortTime(instant: string, now: number): string {
  const date = new Date(instant);
  const days = Math.round((startOfDay(now) - startOfDay(date.getTime())) / day);
  if (days === 0) return format(date, { hour: 'numeric', minute: '2-digit' });
  if (days > 0 && days < 7) return format(date, { weekday: 'short' });
  if (date.getFullYear() === new Date(now).getFullYear())
    return format(date, { day: 'numeric', month: 'short' });
  return format(date, { day: 'numeric', month: 'short', year: 'numeric' });
}

/** Date and time in full, for details and tooltips. */
export function fullTime(instant: string): string {
  return format(new Date(instant), { dateStyle: 'medium', timeStyle: 'short' });
}

/** A time of today, or date and time on other days; for "trying again at …". */
export function clockTime(instant: string, now: number): string {
  const date = new Date(instant);
  return startOfDay(now) === startOfDay(date.getTime())
    ? format(date, { hour: 'numeric', minute: '2-digit' })
    : fullTime(instant);
}

export function dayOf(instant: string): string {
  return format(new Date(instant), { dateStyle: 'medium' });
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** "12 seconds ago". Instants in the future count as now: clocks of browser and server differ. */
export function ago(instant: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - new Date(instant).getTime()) / 1000));
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' });
  const [unit, length] = steps.find(([, size]) => seconds >= size) ?? ['second', 1];
  return relative.format(-Math.floor(seconds / length), unit);
}

/** "4 min", "2 hr". At least a minute: nobody plans by seconds. */
export function duration(seconds: number): string {
  const minutes = Math.max(1, Math.round(seconds / 60));
  const unit = minutes < 90 ? 'minute' : 'hour';
  const value = unit === 'minute' ? minutes : Math.round(minutes / 60);
  return new Intl.NumberFormat(locale(), { style: 'unit', unit, unitDisplay: 'short' }).format(value);
}

export function bytes(size: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  let step = 0;
  let value = size;
  while (value >= 1000 && step < units.length - 1) {
    value /= 1000;
    step += 1;
  }
  return new Intl.NumberFormat(locale(), {
    style: 'unit',
    unit: units[step] ?? 'byte',
    unitDisplay: 'short',
    maximumFractionDigits: value < 10 && step > 0 ? 1 : 0,
  }).format(value);
}

export function number(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

export function percent(done: number, total: number): string {
  return new Intl.NumberFormat(locale(), { style: 'percent' }).format(
    total > 0 ? Math.min(1, done / total) : 0,
  );
}

// One clock for the whole page: it ticks while somebody watches, every ten seconds, because nothing shown is finer.
let current = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const watchers = new Set<() => void>();

function watch(watcher: () => void): () => void {
  if (watchers.size === 0) {
    current = Date.now();
    timer = setInterval(() => {
      current = Date.now();
      watchers.forEach((notify) => notify());
    }, 10_000);
  }
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) clearInterval(timer);
  };
}

/** The present in milliseconds; re-renders as it passes. */
export function useNow(): number {
  return useSyncExternalStore(watch, () => current);
}
