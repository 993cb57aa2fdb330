import {
  Ban,
  CircleCheck,
  CircleDashed,
  CloudOff,
  Download,
  Gauge,
  History,
  Hourglass,
  KeyRound,
  OctagonAlert,
  Pause,
  RefreshCw,
  ShieldQuestion,
  Trash2,
  type LucideIcon,
} from 'lucide-react';
import type { AccountHealth, AccountStatus, Capability, ConnectedAccount } from './api/accounts';
import { problemWords, providerName } from './error-words';
import { hasMessage, locale, t } from './i18n/i18n';
import { ago, clockTime, dayOf, duration, number, percent } from './lib/time';

export type StatusTone = 'neutral' | 'busy' | 'ok' | 'warn' | 'bad';

/** How each status looks. A status the server learns later does not compile here until it has a look and words. */
export const statusLooks = {
  pending: { icon: Hourglass, tone: 'neutral', needsPerson: false },
  authorizing: { icon: CircleDashed, tone: 'warn', needsPerson: true },
  importing: { icon: Download, tone: 'busy', needsPerson: false },
  healthy: { icon: CircleCheck, tone: 'ok', needsPerson: false },
  syncing: { icon: RefreshCw, tone: 'busy', needsPerson: false },
  delayed: { icon: History, tone: 'warn', needsPerson: false },
  rate_limited: { icon: Gauge, tone: 'warn', needsPerson: false },
  needs_reauth: { icon: KeyRound, tone: 'bad', needsPerson: true },
  missing_scope: { icon: ShieldQuestion, tone: 'warn', needsPerson: true },
  admin_blocked: { icon: Ban, tone: 'bad', needsPerson: true },
  provider_down: { icon: CloudOff, tone: 'warn', needsPerson: false },
  error: { icon: OctagonAlert, tone: 'bad', needsPerson: true },
  paused: { icon: Pause, tone: 'neutral', needsPerson: false },
  disconnecting: { icon: Trash2, tone: 'busy', needsPerson: false },
  disconnected: { icon: Trash2, tone: 'neutral', needsPerson: false },
} satisfies Record<AccountStatus, { icon: LucideIcon; tone: StatusTone; needsPerson: boolean }>;

export const toneText = {
  neutral: 'text-muted',
  busy: 'text-accent',
  ok: 'text-ok',
  warn: 'text-warn',
  bad: 'text-bad',
} satisfies Record<StatusTone, string>;

const services = {
  read_mail: 'service.mail',
  send_mail: 'service.send',
  read_calendar: 'service.calendar',
} as const satisfies Record<Capability, string>;

export const capabilities = Object.keys(services) as Capability[];

export function serviceNames(wanted: readonly Capability[]): string {
  const names = wanted.map((capability) => t(services[capability]));
  return new Intl.ListFormat(locale(), { type: 'conjunction' }).format(names);
}

export function missingCapabilities(account: ConnectedAccount): Capability[] {
  return capabilities.filter((capability) => account.capabilities[capability].status === 'missing_scope');
}

function percentDone(account: ConnectedAccount): string | null {
  const { progress } = account;
  return progress?.total ? percent(progress.done, progress.total) : null;
}

export function statusLabel(account: ConnectedAccount): string {
  const provider = providerName(account.provider);
  switch (account.status) {
    case 'importing': {
      const share = percentDone(account);
      return share ? t('status.importingPercent', { percent: share }) : t('status.importing');
    }
    case 'missing_scope':
      return t('status.missing_scope', { services: serviceNames(missingCapabilities(account)) });
    default:
      return t(`status.${account.status}`, { provider });
  }
}

/** The second line: what it means, what still works, and when something happens next. */
export function statusLine(account: ConnectedAccount, now: number, health?: AccountHealth): string {
  return parts(account, now, health)
    .filter((part) => part !== null)
    .join(' · ');
}

function parts(account: ConnectedAccount, now: number, health?: AccountHealth): (string | null)[] {
  const { progress, next_attempt_at: next, last_success_at: success, since } = account;
  const retry = next ? t('line.retryAt', { time: clockTime(next, now) }) : null;
  const lastSuccess = success ? t('line.delayed', { ago: ago(success, now) }) : t('line.neverChecked');
  switch (account.status) {
    case 'pending':
      return [t('line.pending', { ago: ago(since, now) })];
    case 'importing':
      if (!progress) return [t('line.importingUnknown', { done: number(account.message_count) })];
      return [
        progress.total
          ? t('line.importing', { done: number(progress.done), total: number(progress.total) })
          : t('line.importingUnknown', { done: number(progress.done) }),
        progress.eta_seconds === null ? null : t('line.eta', { time: duration(progress.eta_seconds) }),
        progress.done > 0 ? t('line.readable') : null,
      ];
    case 'healthy':
      return [
        success ? t('line.checked', { ago: ago(success, now) }) : t('line.neverChecked'),
        health?.checks.some((check) => check.name === 'push' && check.status === 'ok')
          ? t('line.push')
          : null,
      ];
    case 'delayed':
      return [lastSuccess, retry];
    case 'rate_limited':
      return [next ? t('line.resumesAt', { time: clockTime(next, now) }) : t('line.resumesSoon')];
    case 'needs_reauth':
      return [
        account.reason === 'reauth_test_mode'
          ? problemWords(account.reason, {}, account.provider).body
          : account.reason === 'mfa_required'
            ? problemWords(account.reason, {}, account.provider).title
            : t('line.needs_reauth', { date: dayOf(since), provider: providerName(account.provider) }),
      ];
    case 'admin_blocked':
      return [
        account.reason && hasMessage(`error.${account.reason}.title`)
          ? problemWords(account.reason, {}, account.provider).title
          : t('line.admin_blocked'),
      ];
    case 'provider_down':
      return [t('line.provider_down'), retry];
    case 'error':
      return [errorLine(account), retry];
    case 'paused':
      return [t('line.paused', { date: dayOf(since) })];
    case 'disconnecting':
      return [
        progress?.total
          ? t('line.disconnecting', {
              percent: percent(progress.done, progress.total),
              total: number(progress.total),
            })
          : t('line.disconnectingStart'),
      ];
    default:
      return [t(`line.${account.status}`)];
  }
}

/** Faults that only an administrator can mend; the person is told so and asked for nothing. */
const operatorFaults = new Set([
  'invalid_client',
  'redirect_uri_mismatch',
  'api_not_enabled',
  'provider_not_configured',
  'key_unavailable',
]);

function errorLine(account: ConnectedAccount): string {
  const { reason, ref } = account;
  if (reason && operatorFaults.has(reason)) return t('line.operator');
  if (reason && reason !== 'internal' && hasMessage(`error.${reason}.title`)) {
    return problemWords(reason, { email: account.email }, account.provider).title;
  }
  return ref ? t('line.errorRef', { ref }) : t('line.error');
}
