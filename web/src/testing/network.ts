import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import { account, audit, calendars, events, health, labels, message, messages, session } from './fixtures';

const list = (items: unknown[]) => HttpResponse.json({ items, next_cursor: null });

export function problem(status: number, code: string, more: Record<string, unknown> = {}) {
  return HttpResponse.json(
    { type: 'about:blank', title: code, status, code, ref: '7F3K9QX2', ...more },
    { status, headers: { 'Content-Type': 'application/problem+json' } },
  );
}

/** A server on which everything is well; a test changes what it is about. */
export const network = setupServer(
  http.get('/auth/session', () => HttpResponse.json(session)),
  http.get('/auth/sessions', () => list([])),
  http.get('/api/v1/connected-accounts', () => list([account()])),
  http.get('/api/v1/connected-accounts/:id/health', () => HttpResponse.json(health())),
  http.get('/api/v1/connected-accounts/:id/audit', () => HttpResponse.json(audit)),
  http.get('/api/v1/labels', () => list(labels)),
  http.get('/api/v1/messages', () => list(messages)),
  http.get('/api/v1/messages/:id', ({ params }) => {
    const summary = messages.find((one) => one.id === params.id);
    return summary ? HttpResponse.json(message(summary)) : problem(404, 'not_found');
  }),
  http.get('/api/v1/outbox', () => list([])),
  http.get('/api/v1/connected-accounts/:id/send-addresses', () =>
    HttpResponse.json({ addresses: [{ address: 'ada@example.com', name: 'Ada Example', is_default: true }] }),
  ),
  http.get('/api/v1/calendars', () => HttpResponse.json({ calendars })),
  http.get('/api/v1/calendar-events', () => HttpResponse.json({ events, next_cursor: null })),
  http.get('/api/v1/admin/notices', () => list([])),
  http.get('/api/v1/jobs', () => list([])),
);

export { http, HttpResponse, list };
