import type { AccountHealth, AccountStatus, Audit, ConnectedAccount } from '@/shared/api/accounts';
import type { Calendar, CalendarEvent } from '@/shared/api/calendars';
import type { Label, Message, MessageSummary } from '@/shared/api/messages';
import type { Outgoing } from '@/shared/api/outbox';
import type { Session } from '@/shared/api/session';

/** People, accounts and mail for tests and for looking at pages. Everybody here is fictional. */

const hour = 3_600_000;
export const noon = Date.UTC(2026, 5, 17, 12, 0, 0);
export const before = (milliseconds: number): string => new Date(noon - milliseconds).toISOString();
const after = (milliseconds: number): string => new Date(noon + milliseconds).toISOString();
const id = (kind: number, n: number): string =>
  `01931f30-${String(kind).padStart(4, '0')}-7000-8000-${String(n).padStart(12, '0')}`;

export const session: Session = {
  user: {
    id: id(1, 1),
    email: 'ada@example.com',
    firstName: 'Ada',
    lastName: 'Example',
    auth_provider: 'google',
    is_admin: true,
    created_at: before(1000 * hour),
  },
  csrfToken: 'csrf-token-of-the-fixture',
  session: { id: id(2, 1), expires_at: after(700 * hour) },
  connectedAccounts: [],
  providers: [
    {
      id: 'google',
      name: 'Google',
      sign_in: true,
      connect: true,
      capabilities: ['read_mail', 'send_mail', 'read_calendar'],
    },
    {
      id: 'microsoft',
      name: 'Microsoft',
      sign_in: true,
      connect: true,
      capabilities: ['read_mail', 'send_mail', 'read_calendar'],
    },
  ],
  setup: { state: 'complete', bound_to_this_browser: false },
  end_reason: null,
  version: '0.1.0',
};

export const signedOut: Session = { ...session, user: null, csrfToken: null, session: null };

export function account(changes: Partial<ConnectedAccount> = {}): ConnectedAccount {
  return {
    id: id(3, 1),
    provider: 'google',
    email: 'ada@example.com',
    display_name: null,
    status: 'healthy',
    reason: null,
    action: 'sync_now',
    since: before(48 * hour),
    last_success_at: before(20_000),
    next_attempt_at: after(40_000),
    progress: null,
    capabilities: {
      read_mail: { requested: true, granted: true, status: 'ok' },
      send_mail: { requested: false, granted: false, status: 'off' },
      read_calendar: { requested: false, granted: false, status: 'off' },
    },
    message_count: 18_220,
    created_at: before(300 * hour),
    used_to_sign_in: true,
    ref: null,
    ...changes,
  };
}

export const work = account({
  id: id(3, 2),
  provider: 'microsoft',
  email: 'ada.example@mathematics.example.org',
  display_name: 'Work',
  used_to_sign_in: false,
  message_count: 4_311,
});

const states: Record<AccountStatus, Partial<ConnectedAccount>> = {
  pending: { action: 'none', message_count: 0, last_success_at: null, since: before(12_000) },
  authorizing: { action: 'continue', message_count: 0, last_success_at: null },
  importing: {
    action: 'pause',
    message_count: 12_400,
    progress: { stage: 'initial', done: 12_400, total: 32_600, rate: 84.2, eta_seconds: 240 },
  },
  healthy: { action: 'sync_now' },
  syncing: { action: 'none' },
  delayed: { action: 'sync_now', last_success_at: before(2 * hour), next_attempt_at: after(300_000) },
  rate_limited: { action: 'none', reason: 'rate_limited', next_attempt_at: after(120_000) },
  needs_reauth: { action: 'reconnect', reason: 'reauth_invalid_grant', since: before(30 * hour) },
  missing_scope: {
    action: 'grant',
    reason: 'missing_scope',
    capabilities: {
      read_mail: { requested: true, granted: true, status: 'ok' },
      send_mail: { requested: false, granted: false, status: 'off' },
      read_calendar: { requested: true, granted: false, status: 'missing_scope' },
    },
  },
  admin_blocked: {
    provider: 'microsoft',
    action: 'copy_admin_link',
    reason: 'admin_consent_required',
    admin_consent_url:
      'https://login.example.com/organizations/v2.0/adminconsent?client_id=5b1a6e0c-0000-4000-8000-000000000001',
  },
  provider_down: {
    provider: 'microsoft',
    action: 'none',
    reason: 'provider_unavailable',
    next_attempt_at: after(300_000),
  },
  error: { action: 'retry', reason: 'internal', ref: '7F3K9QX2' },
  paused: { action: 'resume', reason: 'paused_by_user' },
  disconnecting: {
    action: 'none',
    progress: { stage: 'erasing', done: 7_470, total: 18_220, rate: null, eta_seconds: null },
  },
  disconnected: { action: 'connect_again', message_count: 0 },
};

/** One account in each state of the model. */
export const everyState: ConnectedAccount[] = (Object.keys(states) as AccountStatus[]).map((status, index) =>
  account({
    id: id(3, 100 + index),
    email: `${status.replace('_', '.')}@example.com`,
    used_to_sign_in: false,
    status,
    ...states[status],
  }),
);

export function health(changes: Partial<AccountHealth> = {}): AccountHealth {
  return {
    account_id: id(3, 1),
    status: 'healthy',
    reason: null,
    services: {
      mail: { status: 'healthy', reason: null, action: 'sync_now', next_attempt_at: null },
      calendar: { status: 'healthy', reason: null, action: 'sync_now', next_attempt_at: null },
      send: { status: 'healthy', reason: null, action: 'none', next_attempt_at: null },
    },
    checks: [{ name: 'push', status: 'ok', code: null, checked_at: before(20_000) }],
    ...changes,
  };
}

const counts = { provider_count: 18_220, stored_count: 18_220, missing_count: 0, surplus_count: 0 };

export const audit: Audit = {
  state: 'complete',
  as_of: before(60_000),
  started_at: before(90_000),
  finished_at: before(60_000),
  error_code: null,
  mail: { ...counts, fetched_count: 3, missing: [] },
  calendar: { ...counts, provider_count: 312, stored_count: 312, fetched_count: 0, missing: [] },
};

const label = (changes: Partial<Label> & Pick<Label, 'id' | 'role'>): Label => ({
  account_id: id(3, 1),
  name: changes.id,
  kind: 'system',
  visible: true,
  unread: 0,
  total: 0,
  ...changes,
});

export const labels: Label[] = [
  label({ id: 'INBOX', role: 'inbox', unread: 3, total: 9 }),
  label({ id: 'STARRED', role: 'starred', unread: 0, total: 1 }),
  label({ id: 'SENT', role: 'sent', total: 220 }),
  label({ id: 'DRAFT', role: 'drafts', total: 2 }),
  label({ id: 'SPAM', role: 'spam', unread: 14, total: 14 }),
  label({ id: 'TRASH', role: 'trash', total: 31 }),
  label({ id: 'Label_1', name: 'Reading group', kind: 'user', role: null, unread: 1, total: 44 }),
  label({ id: 'Label_2', name: 'Invoices', kind: 'user', role: null, unread: 0, total: 180 }),
  label({ id: 'Label_3', name: 'عائلة', kind: 'user', role: null, unread: 2, total: 12 }),
];

const rows: [string, string, string, string, number, Partial<MessageSummary>][] = [
  [
    'Grace Example',
    'grace@example.org',
    'Minutes of the meeting, and two questions',
    'Here are the minutes, as promised. Two things are still open: who talks to the printers, and whether the room is ours on Thursday.',
    0.2,
    { is_read: false, has_attachments: true },
  ],
  [
    '紫 式部',
    'murasaki@example.jp',
    '来週の読書会について',
    'お世話になっております。来週の読書会は水曜日の午後七時からです。場所はいつもの図書館です。',
    1.5,
    { is_read: false, labels: ['INBOX', 'UNREAD', 'Label_1'] },
  ],
  [
    'ليلى حداد',
    'layla@example.net',
    'موعد الزيارة يوم الجمعة',
    'مرحبا آدا، هل ما زلت قادمة يوم الجمعة؟ سنكون في البيت بعد الساعة الخامسة.',
    3,
    { is_read: false },
  ],
  [
    'Northern Lights Newsletter',
    'news@lights.example',
    'June: the shortest nights, and where to sleep through them',
    'In this issue: three huts above the tree line, a recipe for cardamom buns, and a map of quiet beaches.',
    6,
    {},
  ],
  [
    'Олена Приклад',
    'olena@example.org',
    'Re: Рахунок за травень',
    'Дякую, все отримала. Підписаний примірник у вкладенні.',
    22,
    { has_attachments: true, is_starred: true },
  ],
  ['Pat Sample', 'pat@example.com', '', 'sent from my telephone', 27, {}],
  [
    'Δήμητρα Παράδειγμα',
    'dimitra@example.org',
    'Φωτογραφίες από το ταξίδι',
    'Σου στέλνω μερικές φωτογραφίες από την Ύδρα. Η τρίτη είναι η αγαπημένη μου.',
    50,
    { has_attachments: true },
  ],
  [
    'Railway Tickets',
    'noreply@railway.example',
    'Your booking K7Q2ZR: Zürich HB to Milano Centrale',
    'Thank you for your booking. Your ticket is attached. Please have it ready when the conductor comes.',
    75,
    { has_attachments: true },
  ],
  [
    'Ben Example',
    'ben@example.com',
    'lunch?',
    'I am in town on the 9th. The place with the long tables?',
    24 * 9,
    {},
  ],
];

export const messages: MessageSummary[] = rows.map(
  ([name, address, subject, snippet, hours, more], index) => ({
    id: id(4, index + 1),
    account_id: index === 3 ? work.id : id(3, 1),
    thread_id: `thread-${index}`,
    from: { name, address },
    to_count: 1,
    subject,
    snippet,
    received_at: before(hours * hour),
    is_read: true,
    is_starred: false,
    has_attachments: false,
    labels: ['INBOX'],
    ...more,
  }),
);

export function message(summary: MessageSummary, changes: Partial<Message> = {}): Message {
  return {
    ...summary,
    to: [{ name: 'Ada Example', address: 'ada@example.com' }],
    cc: [],
    bcc: [],
    reply_to: [],
    message_id_header: `${summary.id}@example.org`,
    text: `${summary.snippet}\n\nMore at https://example.org/more, or write to help@example.org.\n`,
    has_html: false,
    remote_images: 0,
    attachments: summary.has_attachments
      ? [
          {
            id: 'a1',
            name: 'minutes of the meeting.pdf',
            type: 'application/pdf',
            size: 48_213,
            inline: false,
          },
        ]
      : [],
    truncated: false,
    ...changes,
  };
}

export const maySend = {
  read_mail: { requested: true, granted: true, status: 'ok' },
  send_mail: { requested: true, granted: true, status: 'ok' },
  read_calendar: { requested: true, granted: true, status: 'ok' },
} as const;

export function outgoing(changes: Partial<Outgoing> = {}): Outgoing {
  return {
    id: id(5, 1),
    account_id: id(3, 1),
    state: 'queued',
    error_code: null,
    params: {},
    from: { name: 'Ada Example', address: 'ada@example.com' },
    to: [{ name: 'Grace Example', address: 'grace@example.org' }],
    cc: [],
    bcc: [],
    subject: 'Re: Minutes of the meeting, and two questions',
    created_at: before(2_000),
    send_at: after(8_000),
    sent_at: null,
    message_id: null,
    ...changes,
  };
}

export const outgoingStates: Outgoing[] = [
  outgoing({ id: id(5, 1) }),
  outgoing({ id: id(5, 2), error_code: 'provider_unavailable', send_at: after(300_000) }),
  outgoing({ id: id(5, 3), state: 'sending' }),
  outgoing({ id: id(5, 4), state: 'sent', sent_at: before(60_000), message_id: id(4, 1) }),
  outgoing({
    id: id(5, 5),
    state: 'failed',
    error_code: 'send_rejected',
    params: { address: 'nobody@example.org' },
  }),
  outgoing({ id: id(5, 6), state: 'unconfirmed', error_code: 'send_unconfirmed' }),
  outgoing({ id: id(5, 7), state: 'held' }),
  outgoing({ id: id(5, 8), state: 'cancelled' }),
];

const calendar = (n: number, changes: Partial<Calendar>): Calendar => ({
  id: id(6, n),
  account_id: id(3, 1),
  name: 'Ada Example',
  color: '#3f51b5',
  time_zone: 'Europe/Berlin',
  is_primary: true,
  access_role: 'owner',
  selected: true,
  event_count: 312,
  last_synced_at: before(20_000),
  ...changes,
});

export const calendars: Calendar[] = [
  calendar(1, {}),
  calendar(2, { name: 'Public holidays', color: '#0b8043', is_primary: false, access_role: 'reader' }),
  calendar(3, { account_id: id(3, 2), name: 'Calendar', color: null, time_zone: 'America/New_York' }),
  calendar(4, {
    account_id: id(3, 2),
    name: 'Team',
    color: '#e67c73',
    is_primary: false,
    selected: false,
    event_count: 0,
    last_synced_at: null,
  }),
];

let nextEvent = 1;

export function event(changes: Partial<CalendarEvent> = {}): CalendarEvent {
  return {
    id: `event-${nextEvent++}`,
    calendar_id: id(6, 1),
    account_id: id(3, 1),
    title: 'Planning',
    location: null,
    status: 'confirmed',
    is_all_day: false,
    start: '2026-06-17T09:00:00Z',
    end: '2026-06-17T10:00:00Z',
    start_date: null,
    end_date: null,
    time_zone: 'UTC',
    is_private: false,
    shows_as: 'busy',
    organizer: null,
    attendees: [],
    attendees_omitted: false,
    conference_url: null,
    series_id: null,
    is_exception: false,
    html_link: null,
    description: null,
    ...changes,
  };
}

/** The week of `noon`, with one of each kind. */
export const events: CalendarEvent[] = [
  event({
    id: 'holiday',
    calendar_id: id(6, 2),
    title: 'Midsummer',
    is_all_day: true,
    start: null,
    end: null,
    start_date: '2026-06-19',
    end_date: '2026-06-21',
    time_zone: null,
    shows_as: 'free',
  }),
  event({
    id: 'standup',
    start: '2026-06-15T08:00:00Z',
    end: '2026-06-15T08:15:00Z',
    title: 'Stand-up',
    series_id: 's1',
  }),
  event({
    id: 'planning',
    location: 'Room 4, https://maps.example.com/room4',
    time_zone: 'America/New_York',
    organizer: { name: 'Grace Example', email: 'grace@example.org', self: false },
    attendees: [
      {
        name: 'Ada Example',
        email: 'ada@example.com',
        response: 'needs_action',
        optional: false,
        self: true,
      },
      { name: null, email: 'pat@example.com', response: 'declined', optional: true, self: false },
    ],
    conference_url: 'https://meet.example.com/abc-defg',
    html_link: 'https://calendar.example.com/event?eid=abc',
    description: 'What comes next. Notes: https://example.org/notes',
  }),
  event({
    id: 'overlap',
    title: 'Call with the printers',
    start: '2026-06-17T09:30:00Z',
    end: '2026-06-17T11:00:00Z',
    calendar_id: id(6, 3),
    account_id: id(3, 2),
  }),
  event({
    id: 'cancelled',
    title: 'Lunch',
    status: 'cancelled',
    start: '2026-06-18T11:00:00Z',
    end: '2026-06-18T12:00:00Z',
  }),
  event({
    id: 'private',
    title: null,
    is_private: true,
    start: '2026-06-18T14:00:00Z',
    end: '2026-06-18T15:30:00Z',
  }),
  event({
    id: 'maybe',
    title: 'موعد الزيارة',
    status: 'tentative',
    start: '2026-06-16T15:00:00Z',
    end: '2026-06-16T16:00:00Z',
  }),
  event({
    id: 'night',
    title: 'Night train to Zürich',
    start: '2026-06-20T21:00:00Z',
    end: '2026-06-21T06:30:00Z',
  }),
];
