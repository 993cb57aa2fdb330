import { existsSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page, Route } from '@playwright/test';
import * as fixtures from '../../src/testing/fixtures';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** What the server sends with every page. */
const policy =
  "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; frame-src 'self'";
const viewPolicy =
  "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

type Answer = Record<string, unknown> | number | ((route: Route) => Promise<void>);
export type Answers = Record<string, Answer>;

const list = (items: unknown[]) => ({ items, next_cursor: null });

const view = `<!doctype html><meta charset="utf-8"><style>body{font:15px/1.6 Georgia,serif;margin:0;padding:28px;color:#222}
h1{font-size:26px;color:#274690}table{border-collapse:collapse}td{border-bottom:1px solid #ddd;padding:6px 18px 6px 0}</style>
<h1>June: the shortest nights</h1><p>In this issue: three huts above the tree line, a recipe for cardamom buns, and a map of quiet beaches.</p>
<table><tr><td>Hut</td><td>Beds</td><td>Open until</td></tr><tr><td>Storhögda</td><td>12</td><td>September</td></tr><tr><td>Vindfjell</td><td>8</td><td>August</td></tr></table>
<p><a href="https://lights.example/june">Read it on the web</a></p>`;

export const everything: Answers = {
  'GET /auth/session': fixtures.session,
  'GET /auth/sessions': list([
    {
      id: '1',
      current: true,
      user_agent: 'Firefox on Linux',
      created_at: fixtures.before(9e7),
      last_seen_at: fixtures.before(0),
      expires_at: fixtures.before(-9e8),
    },
    {
      id: '2',
      current: false,
      user_agent: 'Chrome on Android',
      created_at: fixtures.before(9e8),
      last_seen_at: fixtures.before(9e6),
      expires_at: fixtures.before(-9e8),
    },
  ]),
  'GET /api/v1/connected-accounts': list([
    fixtures.account({ capabilities: fixtures.maySend }),
    { ...fixtures.work, capabilities: fixtures.maySend },
  ]),
  'GET /api/v1/outbox': list([]),
  'GET /api/v1/calendars': { calendars: fixtures.calendars },
  'GET /api/v1/calendar-events': { events: fixtures.events, next_cursor: null },
  'GET /api/v1/labels': list(fixtures.labels),
  'GET /api/v1/messages': list(fixtures.messages),
  'GET /api/v1/admin/notices': list([]),
  'GET /api/v1/jobs': list(
    (['running', 'completed', 'retryable', 'discarded', 'scheduled'] as const).map((state, index) => ({
      id: String(index),
      kind: index % 2 ? 'fetch_emails' : 'backfill_emails',
      state,
      priority: 1,
      account_id: fixtures.work.id,
      attempt: index + 1,
      max_attempts: 20,
      error_code:
        state === 'retryable' ? 'provider_unavailable' : state === 'discarded' ? 'malformed_reply' : null,
      created_at: fixtures.before(6e6),
      scheduled_at: fixtures.before(5e6 * index),
      started_at: fixtures.before(4e6),
      finished_at: state === 'completed' ? fixtures.before(3e6) : null,
    })),
  ),
};

/** Serves the built app and the given answers to a page, without any server. */
export async function stage(page: Page, changes: Answers = {}): Promise<{ violations: string[] }> {
  const answers = { ...everything, ...changes };
  const violations: string[] = [];
  page.on('console', (line) => {
    if (/Content.Security.Policy/i.test(line.text())) violations.push(line.text());
  });
  page.on('pageerror', (error) => violations.push(String(error)));
  await page.clock.setFixedTime(fixtures.noon);
  await page.route('**/*', async (route) => {
    const request = route.request();
    const { pathname } = new URL(request.url());
    const answer = answers[`${request.method()} ${pathname}`];
    if (typeof answer === 'function') return answer(route);
    if (typeof answer === 'number') {
      return route.fulfill({
        status: answer,
        contentType: 'application/problem+json',
        json: {
          type: 'about:blank',
          title: 'x',
          status: answer,
          code: answer === 404 ? 'not_found' : 'internal',
          ref: '7F3K9QX2',
        },
      });
    }
    if (answer) return route.fulfill({ json: answer });
    if (pathname === '/api/v1/events') {
      return route.fulfill({ contentType: 'text/event-stream', body: 'retry: 600000\n\n' });
    }
    if (pathname.endsWith('/view')) {
      return route.fulfill({
        contentType: 'text/html; charset=utf-8',
        headers: { 'Content-Security-Policy': viewPolicy },
        body: view,
      });
    }
    const part = /^\/api\/v1\/connected-accounts\/([^/]+)\/(health|audit|send-addresses)$/.exec(pathname);
    if (part && request.method() === 'GET') {
      const account = fixtures.everyState
        .concat(fixtures.account(), fixtures.work)
        .find((one) => one.id === part[1]);
      if (part[2] === 'health') return route.fulfill({ json: fixtures.health() });
      if (part[2] === 'audit') return route.fulfill({ json: fixtures.audit });
      return route.fulfill({
        json: { addresses: [{ address: account?.email ?? '', name: 'Ada Example', is_default: true }] },
      });
    }
    const one = /^\/api\/v1\/messages\/([^/]+)$/.exec(pathname);
    const summary = one && fixtures.messages.find((message) => message.id === one[1]);
    if (summary) {
      const html = summary.from?.address === 'news@lights.example';
      return route.fulfill({
        json: fixtures.message(summary, { has_html: html, remote_images: html ? 4 : 0 }),
      });
    }
    if (pathname.startsWith('/api/') || pathname.startsWith('/auth/login'))
      return route.fulfill({ status: 404, json: { code: 'not_found', ref: 'X' } });
    const file = existsSync(dist + pathname) && extname(pathname) ? dist + pathname : `${dist}/index.html`;
    return route.fulfill({
      contentType: types[extname(file)] ?? 'application/octet-stream',
      headers: {
        'Content-Security-Policy': policy,
        'Cross-Origin-Opener-Policy': 'same-origin-allow-popups',
      },
      body: readFileSync(file),
    });
  });
  return { violations };
}

/**
 * Waits until everything that fades or moves has arrived. In its first frame a dialog has no opacity at all: axe does not see it yet,
 * only the page behind it, which is hidden already.
 */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    document.getAnimations().every((one) => one.effect?.getComputedTiming().endTime === Infinity),
  );
}
