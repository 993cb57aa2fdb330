import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import type { Audit } from '@/shared/api/accounts';
import { account, audit, everyState, health, session } from '@/testing/fixtures';
import { FakeEventSource } from '@/testing/event-source';
import { http, HttpResponse, list, network, problem } from '@/testing/network';
import { expectAccessible, visit } from '@/testing/render-app';

const withAccounts = (...accounts: ReturnType<typeof account>[]) =>
  network.use(http.get('/api/v1/connected-accounts', () => list(accounts)));

const attempt = {
  id: '01931f30-4444-7000-8000-000000000001',
  provider: 'google',
  mode: 'popup',
  status: 'pending',
  url: '/auth/apis/connect/google?attempt=01931f30-4444-7000-8000-000000000001',
  error_code: null,
  params: {},
  account: null,
  created_at: '2026-01-04T09:57:00Z',
  expires_at: '2026-01-04T10:07:00Z',
};

function popup() {
  const window_ = { location: { replace: vi.fn() }, close: vi.fn(), focus: vi.fn(), closed: false };
  const open = vi.spyOn(window, 'open').mockReturnValue(window_ as unknown as Window);
  return { ...window_, open, window: window_ };
}

async function toPermissions(user: Awaited<ReturnType<typeof visit>>['user']) {
  await user.click(await screen.findByRole('button', { name: 'Add account' }));
  await user.click(await screen.findByRole('button', { name: /^Google/ }));
}

describe('connected accounts', () => {
  it('gives every state of the model words, a line and its one action', async () => {
    withAccounts(...everyState);
    visit('/accounts');
    const expectations: Record<string, [string, string | null]> = {
      pending: ['Waiting to start', null],
      authorizing: ['Finish connecting', 'Continue'],
      importing: ['Importing · 38%', 'Pause'],
      healthy: ['Up to date', 'Sync now'],
      syncing: ['Checking', null],
      delayed: ['Behind', 'Sync now'],
      'rate.limited': ['Slowed by Google', null],
      'needs.reauth': ['Sign-in needed', 'Reconnect'],
      'missing.scope': ['Permission missing: Calendar', 'Grant Calendar'],
      'admin.blocked': ['Organisation approval needed', 'It was approved, try again'],
      'provider.down': ['Microsoft is not answering', null],
      error: ['Not syncing', 'Try again'],
      paused: ['Paused', 'Resume'],
      disconnecting: ['Removing data', null],
      disconnected: ['Removed', 'Connect again'],
    };
    for (const [name, [label, action]] of Object.entries(expectations)) {
      const card = await screen.findByRole('article', { name: `${name}@example.com` });
      expect(within(card).getByText(label)).toBeVisible();
      const buttons = within(card)
        .queryAllByRole('button')
        .map((button) => button.textContent)
        .filter((text) => text && text !== 'Copy link for the administrator');
      expect(buttons).toEqual(action ? [action] : []);
    }
    await expectAccessible();
  });

  it('tells the owner of an account with an operator fault that nothing is asked of them', async () => {
    withAccounts(account({ status: 'error', reason: 'invalid_client', action: 'none' }));
    visit('/accounts');
    expect(await screen.findByText(/You need not do anything/)).toBeVisible();
  });

  it('shows an operator fault once, to administrators', async () => {
    network.use(
      http.get('/api/v1/admin/notices', () =>
        list([
          {
            id: '1',
            code: 'invalid_client',
            provider: 'google',
            params: {},
            count: 4,
            since: session.user?.created_at,
            last_seen_at: session.user?.created_at,
          },
        ]),
      ),
    );
    visit('/accounts');
    expect(await screen.findByText(/Google rejected the client secret/)).toBeVisible();
    expect(screen.getByText(/Seen 4 times/)).toBeVisible();
  });

  it('connects in a window that is opened in the click itself, and believes only the server', async () => {
    const opened = popup();
    let current = attempt;
    const requests: unknown[] = [];
    network.use(
      http.post('/api/v1/connect-attempts', async ({ request }) => {
        requests.push(await request.json());
        return HttpResponse.json(attempt, { status: 201 });
      }),
      http.get('/api/v1/connect-attempts/:id', () => HttpResponse.json(current)),
    );
    const { user } = visit('/accounts');
    await toPermissions(user);
    await user.click(screen.getByRole('switch', { name: 'Send mail' }));
    await user.click(screen.getByRole('button', { name: 'Continue to Google' }));
    expect(opened.open).toHaveBeenCalledTimes(1);
    expect(await screen.findByText('Finish in the Google window')).toBeVisible();
    expect(requests).toEqual([
      { provider: 'google', capabilities: ['read_mail', 'send_mail'], mode: 'popup' },
    ]);
    expect(String(opened.location.replace.mock.calls[0]?.[0])).toBe(`http://localhost:8000${attempt.url}`);

    // The provider's opener policy makes the window look closed; that means nothing.
    opened.window.closed = true;
    await expectAccessible();

    current = {
      ...attempt,
      status: 'succeeded',
      url: null as never,
      account: { id: account().id, email: 'grace@example.org' } as never,
    };
    FakeEventSource.say('connect.finished', { attempt_id: attempt.id });
    expect(await screen.findByText(/is connected/)).toHaveTextContent('grace@example.org is connected');
    expect(opened.close).toHaveBeenCalled();
  });

  it('offers this tab when the browser blocks the window', async () => {
    vi.spyOn(window, 'open').mockReturnValue(null);
    const modes: string[] = [];
    network.use(
      http.post('/api/v1/connect-attempts', async ({ request }) => {
        modes.push(((await request.json()) as { mode: string }).mode);
        return problem(429, 'too_many_requests');
      }),
    );
    const { user } = visit('/accounts');
    await toPermissions(user);
    await user.click(screen.getByRole('button', { name: 'Continue to Google' }));
    expect(await screen.findByText('Your browser blocked the sign-in window')).toBeVisible();
    expect(modes).toEqual([]);
    await user.click(screen.getByRole('button', { name: 'Continue in this tab' }));
    expect(await screen.findByText('Too many tries')).toBeVisible();
    expect(modes).toEqual(['page']);
  });

  it.each([
    ['access_denied', {}, 'You chose not to give access', 'Choose permissions'],
    ['required_scope_missing', {}, 'One needed permission was not given', 'Try again'],
    ['no_refresh_token', {}, 'Google did not give lasting access', 'Connect again'],
    [
      'wrong_account',
      { actual: 'b@example.org', expected: 'a@example.com' },
      'You signed in as b@example.org, but a@example.com was expected',
      'Use a@example.com',
    ],
    ['state_expired', {}, 'This sign-in link is too old', 'Try again'],
    ['mfa_required', {}, 'Google wants a second check', 'Continue at Google'],
    [
      'admin_consent_required',
      { admin_consent_url: 'https://login.example.com/adminconsent' },
      'Your organisation has to approve this app',
      'Copy link for the administrator',
    ],
    ['conditional_access', {}, 'A rule of your organisation blocked this sign-in', 'Try again'],
    ['policy_enforced', {}, 'A protection of this account blocks this app', 'Try again'],
    ['no_mailbox', {}, 'This account has no mailbox', 'Use another account'],
    ['already_connected', { email: 'a@example.com' }, 'a@example.com is already connected', 'Try again'],
    ['tenant_not_allowed', {}, /not one of those this installation serves/, 'Try again'],
  ])('says what %s means and what to do', async (code, params, title, remedy) => {
    popup();
    network.use(
      http.post('/api/v1/connect-attempts', () => HttpResponse.json(attempt, { status: 201 })),
      http.get('/api/v1/connect-attempts/:id', () =>
        HttpResponse.json({ ...attempt, status: 'failed', url: null, error_code: code, params }),
      ),
    );
    const { user } = visit('/accounts');
    await toPermissions(user);
    await user.click(screen.getByRole('button', { name: 'Continue to Google' }));
    expect(await screen.findByText(title)).toBeVisible();
    expect(screen.getByRole('button', { name: remedy })).toBeVisible();
  });

  it('offers to grant what was not allowed, and to keep the account without it', async () => {
    popup();
    network.use(
      http.post('/api/v1/connect-attempts', () => HttpResponse.json(attempt, { status: 201 })),
      http.get('/api/v1/connect-attempts/:id', () =>
        HttpResponse.json({
          ...attempt,
          status: 'succeeded',
          url: null,
          error_code: 'partial_consent',
          account: { id: account().id, email: 'ada@example.com', missing_capabilities: ['read_calendar'] },
        }),
      ),
    );
    const { user } = visit('/accounts');
    await toPermissions(user);
    await user.click(screen.getByRole('button', { name: 'Continue to Google' }));
    expect(await screen.findByText('Connected, but something was not allowed')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Grant Calendar' })).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Keep without' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  });

  it('asks before disconnecting, with counts and the focus on the harmless choice, and ends with a receipt', async () => {
    const erasure = {
      id: '01931f30-6666-7000-8000-000000000001',
      account_id: account().id,
      provider: 'google',
      email: 'ada@example.com',
      status: 'completed',
      counts: { synced_messages: 18_220 },
      progress: { done: 18_220, total: 18_220 },
      revocation: 'done',
      requested_at: '2026-01-04T14:11:00Z',
      finished_at: '2026-01-04T14:11:00Z',
    };
    network.use(
      http.get('/api/v1/connected-accounts/:id/erasure-preview', () =>
        HttpResponse.json({
          account_id: account().id,
          counts: { synced_messages: 18_220, attachments: 941 },
          revokes_grant: true,
        }),
      ),
      http.delete('/api/v1/connected-accounts/:id', () => HttpResponse.json(erasure, { status: 202 })),
      http.get('/api/v1/erasures/:id', () => HttpResponse.json(erasure)),
    );
    const { user } = visit('/accounts');
    await user.click(await screen.findByRole('button', { name: 'Actions for ada@example.com' }));
    await user.click(await screen.findByRole('menuitem', { name: 'Disconnect' }));
    const dialog = await screen.findByRole('alertdialog', { name: 'Disconnect ada@example.com?' });
    expect(await within(dialog).findByText('18,220 messages')).toBeVisible();
    expect(within(dialog).getByText(/Nothing is deleted at Google/)).toBeVisible();
    expect(within(dialog).getByRole('button', { name: 'Cancel' })).toHaveFocus();
    await expectAccessible();
    await user.click(within(dialog).getByRole('button', { name: 'Disconnect and delete' }));
    // The account leaves the list; the receipt stays until it is closed.
    withAccounts();
    FakeEventSource.say('account.updated', { account_id: account().id });
    expect(await screen.findByText(/Receipt: 18,220 items deleted/)).toBeVisible();
    await waitFor(() => expect(screen.queryByRole('article')).toBeNull());
    expect(screen.getByText(/Receipt: 18,220 items deleted/)).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Close' }));
    expect(await screen.findByText('No mailbox connected')).toBeVisible();
  });

  it('grants a missing permission with one click, in a window of that click', async () => {
    const opened = popup();
    const requests: unknown[] = [];
    network.use(
      http.post('/api/v1/connect-attempts', async ({ request }) => {
        requests.push(await request.json());
        return HttpResponse.json(attempt, { status: 201 });
      }),
      http.get('/api/v1/connect-attempts/:id', () => HttpResponse.json(attempt)),
    );
    const missing = everyState.find((one) => one.status === 'missing_scope')!;
    withAccounts(missing);
    const { user } = visit('/accounts');
    await user.click(await screen.findByRole('button', { name: 'Grant Calendar' }));
    expect(opened.open).toHaveBeenCalledTimes(1);
    expect(await screen.findByText('Finish in the Google window')).toBeVisible();
    expect(requests).toEqual([
      {
        provider: 'google',
        account: missing.id,
        capabilities: ['read_mail', 'read_calendar'],
        mode: 'popup',
      },
    ]);
  });

  it('copies the link for the administrator of a blocked organisation', async () => {
    const { user } = visit('/accounts');
    withAccounts(everyState.find((one) => one.status === 'admin_blocked')!);
    FakeEventSource.say('account.updated', {});
    await user.click(await screen.findByRole('button', { name: 'Copy link for the administrator' }));
    expect(await navigator.clipboard.readText()).toMatch(/adminconsent\?client_id=/);
  });

  it('says how each service is and that push is active', async () => {
    network.use(
      http.get('/api/v1/connected-accounts/:id/health', () =>
        HttpResponse.json(
          health({
            services: {
              mail: { status: 'healthy', reason: null, action: 'none', next_attempt_at: null },
              calendar: { status: 'importing', reason: null, action: 'none', next_attempt_at: null },
              send: { status: 'off', reason: null, action: 'none', next_attempt_at: null },
            },
          }),
        ),
      ),
    );
    const ok = { requested: true, granted: true, status: 'ok' } as const;
    const off = { requested: false, granted: false, status: 'off' } as const;
    withAccounts(account({ capabilities: { read_mail: ok, read_calendar: ok, send_mail: off } }));
    visit('/accounts');
    expect(await screen.findByText(/push active/)).toBeVisible();
    const services = screen.getAllByRole('listitem').map((item) => item.textContent);
    expect(services).toEqual(expect.arrayContaining(['MailOn', 'CalendarImporting', 'SendOff']));
  });

  it('checks completeness on request and says what is missing', async () => {
    const missing = { ...audit.mail!, missing_count: 1, missing: ['18c2f0'] };
    let current: Audit = { ...audit, state: 'never', as_of: null, mail: null, calendar: null };
    network.use(
      http.get('/api/v1/connected-accounts/:id/audit', () => HttpResponse.json(current)),
      http.post('/api/v1/connected-accounts/:id/audit', () => {
        current = { ...current, state: 'running' };
        return HttpResponse.json(current, { status: 202 });
      }),
    );
    const { user } = visit('/accounts');
    await user.click(await screen.findByRole('button', { name: 'Actions for ada@example.com' }));
    await user.click(await screen.findByRole('menuitem', { name: 'Check completeness' }));
    expect(await screen.findByText('Not checked yet.')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Check now' }));
    expect(await screen.findByRole('progressbar', { name: 'Checking' })).toBeVisible();
    await expectAccessible();
    current = { ...audit, state: 'incomplete', mail: missing };
    FakeEventSource.say('audit.finished', { account_id: account().id });
    expect(await screen.findByText(/Not complete as of/)).toBeVisible();
    expect(screen.getByText('1 id that is missing')).toBeVisible();
    current = audit;
    FakeEventSource.say('audit.finished', { account_id: account().id });
    expect(await screen.findByText(/^Complete as of/)).toBeVisible();
  });

  it('shows progress as the stream tells of it', async () => {
    const importing = everyState.find((one) => one.status === 'importing')!;
    withAccounts(importing);
    visit('/accounts');
    expect(await screen.findByText('Importing · 38%')).toBeVisible();
    await waitFor(() => expect(FakeEventSource.count).toBe(1));
    FakeEventSource.say('sync.progress', {
      account_id: importing.id,
      progress: { stage: 'initial', done: 16_300, total: 32_600, rate: null, eta_seconds: null },
    });
    expect(await screen.findByText('Importing · 50%')).toBeVisible();
    expect(screen.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '50');
  });

  it('renames an account', async () => {
    const bodies: unknown[] = [];
    network.use(
      http.patch('/api/v1/connected-accounts/:id', async ({ request }) => {
        bodies.push(await request.json());
        return HttpResponse.json(account({ display_name: 'Private' }));
      }),
    );
    const { user } = visit('/accounts');
    await user.click(await screen.findByRole('button', { name: 'Actions for ada@example.com' }));
    await user.click(await screen.findByRole('menuitem', { name: 'Rename' }));
    await user.type(await screen.findByRole('textbox', { name: 'Name of this account' }), 'Private{Enter}');
    await waitFor(() => expect(bodies).toEqual([{ display_name: 'Private' }]));
  });
});
