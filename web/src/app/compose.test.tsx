import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Outgoing, SendRequest } from '@/shared/api/outbox';
import { emptyDraft } from '@/features/compose/draft-of';
import { useDrafts } from '@/shared/drafts';
import {
  account,
  maySend,
  messages,
  outgoing,
  outgoingStates,
  session,
  signedOut,
  work,
} from '@/testing/fixtures';
import { FakeEventSource } from '@/testing/event-source';
import { http, HttpResponse, list, network, problem } from '@/testing/network';
import { expectAccessible, visit } from '@/testing/render-app';

const ada = account({ capabilities: maySend });
const reader = {
  ...work,
  capabilities: { ...maySend, send_mail: { requested: false, granted: false, status: 'off' as const } },
};
const stored = () => localStorage.getItem(`latchkey.drafts.${session.user!.id}`) ?? '';

/** A server that takes messages; what it was asked, and what it says of its outbox. */
function taking() {
  const taken: { key: string | null; body: SendRequest }[] = [];
  const state: { outbox: Outgoing[] } = { outbox: [] };
  network.use(
    http.post('/api/v1/messages', async ({ request }) => {
      taken.push({
        key: request.headers.get('Idempotency-Key'),
        body: (await request.json()) as SendRequest,
      });
      const entry = outgoing({ send_at: new Date(Date.now() + 8_000).toISOString() });
      state.outbox = [entry];
      return HttpResponse.json(entry, { status: 202 });
    }),
    http.get('/api/v1/outbox', () => list(state.outbox)),
    http.delete('/api/v1/outbox/:id', () => {
      state.outbox = state.outbox.map((entry) => ({ ...entry, state: 'cancelled' as const }));
      return HttpResponse.json(state.outbox[0]);
    }),
  );
  return { taken, state };
}

type User = ReturnType<typeof visit>['user'];

async function compose(user: User) {
  await user.click(await screen.findByRole('button', { name: 'Compose' }));
  return screen.findByRole('dialog', { name: 'New message' });
}

async function write(user: User, to = 'grace@example.org') {
  const dialog = await compose(user);
  await user.type(within(dialog).getByRole('textbox', { name: 'To' }), `${to},`);
  await user.type(within(dialog).getByRole('textbox', { name: 'Subject' }), 'Hello');
  await user.type(within(dialog).getByRole('textbox', { name: 'Text of the message' }), 'How are you?');
  return dialog;
}

beforeEach(() => {
  network.use(http.get('/api/v1/connected-accounts', () => list([ada, reader])));
});

describe('writing and sending', () => {
  it('sends with one key, can be taken back, and then goes on where it was with a new key', async () => {
    const { taken, state } = taking();
    const { user } = visit('/inbox');
    const dialog = await write(user, 'Grace Example <grace@example.org>');
    await expectAccessible();
    expect(
      within(dialog).getByRole('button', { name: 'Change Grace Example <grace@example.org>' }),
    ).toBeVisible();
    await user.keyboard('{Control>}{Enter}{/Control}');
    expect(await screen.findByText(/^Sending to Grace Example in \d+ s$/)).toBeVisible();
    expect(taken[0]!.body).toMatchObject({
      account: ada.id,
      to: [{ name: 'Grace Example', address: 'grace@example.org' }],
      subject: 'Hello',
      text: 'How are you?',
      send_after_seconds: 10,
    });
    expect(taken[0]!.key).toMatch(/^.{16,128}$/);

    await user.click(screen.getByRole('button', { name: 'Undo' }));
    const again = await screen.findByRole('textbox', { name: 'Text of the message' });
    expect(again).toHaveValue('How are you?');
    await user.click(screen.getByRole('button', { name: 'Send' }));
    await waitFor(() => expect(taken).toHaveLength(2));
    expect(taken[1]!.key).not.toBe(taken[0]!.key);

    state.outbox = [outgoing({ state: 'sent', sent_at: outgoing().created_at })];
    FakeEventSource.say('outbox.changed', {});
    expect(await screen.findByText('Message sent')).toBeVisible();
    await waitFor(() => expect(stored()).toBe('[]'));
  });

  it('uses the same key when a send is repeated after the connection broke', async () => {
    const keys: (string | null)[] = [];
    let down = true;
    network.use(
      http.post('/api/v1/messages', ({ request }) => {
        keys.push(request.headers.get('Idempotency-Key'));
        return down ? HttpResponse.error() : HttpResponse.json(outgoing(), { status: 202 });
      }),
    );
    const { user } = visit('/inbox');
    await write(user);
    await user.click(screen.getByRole('button', { name: 'Send' }));
    expect(await screen.findByText('You are offline')).toBeVisible();
    down = false;
    await user.click(screen.getByRole('button', { name: 'Send' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(keys[1]).toBe(keys[0]);
  });

  it('keeps what is written over a reload, and forgets it at sign-out', async () => {
    const first = visit('/inbox');
    await write(first.user);
    await waitFor(() => expect(stored()).toContain('How are you?'));
    expect(screen.getByText('Draft saved in this browser')).toBeVisible();
    const { drafts } = useDrafts.getState();
    const open = sessionStorage.getItem('latchkey.compose');
    first.unmount();
    sessionStorage.setItem('latchkey.compose', open!);

    network.use(http.post('/auth/logout', () => new HttpResponse(null, { status: 204 })));
    const { user } = visit('/inbox');
    useDrafts.setState({ drafts });
    expect(await screen.findByRole('textbox', { name: 'Text of the message' })).toHaveValue('How are you?');
    await user.click(screen.getByRole('button', { name: 'Close' }));
    await user.click(await screen.findByRole('button', { name: 'Account menu' }));
    await user.click(await screen.findByRole('menuitem', { name: 'Sign out' }));
    await waitFor(() => expect(stored()).toBe(''));
  });

  it('keeps what is written when the session is over', async () => {
    const { user } = visit('/inbox');
    await write(user);
    network.use(
      http.post('/api/v1/messages', () => problem(401, 'unauthenticated')),
      http.get('/auth/session', () => HttpResponse.json({ ...signedOut, end_reason: 'session_expired' })),
    );
    await user.click(screen.getByRole('button', { name: 'Send' }));
    expect(await screen.findByText(/your session got too old/)).toBeVisible();
    expect(stored()).toContain('How are you?');
    expect(screen.queryByDisplayValue('How are you?')).toBeNull();
  });

  it('takes a pasted list apart and says which part is no address', async () => {
    const { user } = visit('/inbox');
    const dialog = await compose(user);
    await user.click(within(dialog).getByRole('textbox', { name: 'To' }));
    await user.paste('Ada <ada@example.com>; nobody, grace@example.org');
    expect(within(dialog).getByRole('alert')).toHaveTextContent('nobody is no e-mail address.');
    await user.click(within(dialog).getByRole('button', { name: 'Send' }));
    expect(await within(dialog).findByText(/Correct the recipients/)).toBeVisible();
    await user.click(within(dialog).getByRole('button', { name: 'Change nobody' }));
    await user.keyboard('@example.net{Enter}');
    expect(within(dialog).getAllByRole('button', { name: /^Remove/ })).toHaveLength(3);
    expect(within(dialog).queryByText(/no e-mail address/)).toBeNull();
    await expectAccessible();
  });

  it('offers the addresses of accounts that may send, and only those', async () => {
    network.use(
      http.get('/api/v1/connected-accounts/:id/send-addresses', () =>
        HttpResponse.json({
          addresses: [
            { address: 'ada@example.com', name: 'Ada Example', is_default: true },
            { address: 'office@example.com', name: null, is_default: false },
          ],
        }),
      ),
    );
    const { taken } = taking();
    const { user } = visit('/inbox');
    const dialog = await write(user);
    const from = within(dialog).getByRole('combobox', { name: 'From' });
    await within(from).findByRole('option', { name: 'office@example.com' });
    expect(
      within(from)
        .getAllByRole('option')
        .map((option) => option.textContent),
    ).toEqual(['Ada Example <ada@example.com>', 'office@example.com']);
    await user.selectOptions(from, 'office@example.com');
    await user.click(within(dialog).getByRole('button', { name: 'Send' }));
    await waitFor(() => expect(taken[0]?.body.from).toBe('office@example.com'));
  });

  it('answers with a quote and from the account the message came to', async () => {
    const { taken } = taking();
    const { user } = visit(`/inbox?message=${messages[0]!.id}`);
    await user.click(await screen.findByRole('button', { name: 'Reply' }));
    const text = await screen.findByRole('textbox', { name: 'Text of the message' });
    expect((text as HTMLTextAreaElement).value).toContain('Grace Example wrote:\n> Here are the minutes');
    expect(screen.getByRole('textbox', { name: 'Subject' })).toHaveValue(
      'Re: Minutes of the meeting, and two questions',
    );
    await user.click(screen.getByRole('button', { name: 'Send' }));
    await waitFor(() =>
      expect(taken[0]?.body).toMatchObject({
        account: ada.id,
        reply_to_message: messages[0]!.id,
        to: [{ address: 'grace@example.org' }],
      }),
    );
  });

  it('uploads files, says how much fits, and refuses what does not', async () => {
    const { taken } = taking();
    network.use(
      http.post('/api/v1/uploads', ({ request }) => {
        const name = new URL(request.url).searchParams.get('name');
        return HttpResponse.json(
          {
            id: '01931f30-9999-7000-8000-000000000001',
            name,
            mime_type: 'text/plain',
            size: 5,
            expires_at: new Date(Date.now() + 86_400_000).toISOString(),
          },
          { status: 201 },
        );
      }),
    );
    const { user } = visit('/inbox');
    const dialog = await write(user);
    const picker = dialog.querySelector<HTMLInputElement>('input[type=file]')!;
    await user.upload(picker, new File(['hello'], 'minutes.txt', { type: 'text/plain' }));
    expect(await within(dialog).findByRole('button', { name: 'Remove minutes.txt' })).toBeVisible();
    const big = new File(['x'], 'film.mov');
    Object.defineProperty(big, 'size', { value: 26 * 1024 * 1024 });
    await user.upload(picker, big);
    expect(await within(dialog).findByText('The attachments are too large')).toBeVisible();
    await user.click(within(dialog).getByRole('button', { name: 'Remove film.mov' }));
    await waitFor(() => expect(within(dialog).queryByRole('progressbar')).toBeNull());
    await user.click(within(dialog).getByRole('button', { name: 'Send' }));
    await waitFor(() =>
      expect(taken[0]?.body.attachments).toEqual([{ upload_id: '01931f30-9999-7000-8000-000000000001' }]),
    );
  });

  it('says which files of an old draft have to be attached again', async () => {
    const file = { id: '01931f30-9999-7000-8000-000000000001', size: 5 };
    const { user } = visit('/inbox');
    await compose(user);
    await user.keyboard('{Escape}');
    useDrafts.setState({
      drafts: [
        {
          ...emptyDraft(),
          subject: 'Old',
          files: [
            { ...file, name: 'gone.txt', expires: Date.now() - 1 },
            { ...file, id: 'b', name: 'here.txt', expires: Date.now() + 60_000 },
          ],
        },
      ],
    });
    await user.click(await screen.findByRole('button', { name: 'Account menu' }));
    await user.click(await screen.findByRole('menuitem', { name: 'Outbox' }));
    await user.click(await screen.findByRole('button', { name: 'Open draft' }));
    expect(await screen.findByText(/Attach these again: gone\.txt/)).toBeVisible();
    expect(screen.getByRole('button', { name: 'Remove here.txt' })).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Remove gone.txt' })).toBeNull();
  });

  it('keeps the draft of a failed message and opens it again', async () => {
    const { state } = taking();
    const { user } = visit('/inbox');
    await write(user);
    await user.click(screen.getByRole('button', { name: 'Send' }));
    await screen.findByText(/^Sending to/);
    state.outbox = [
      outgoing({ state: 'failed', error_code: 'send_rejected', params: { address: 'grace@example.org' } }),
    ];
    FakeEventSource.say('outbox.changed', {});
    expect(await screen.findByText(/Not sent: grace@example.org was not accepted/)).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Open draft' }));
    expect(await screen.findByRole('textbox', { name: 'Text of the message' })).toHaveValue('How are you?');
  });

  it('says that the files of a failed message are gone, not that something is in the way', async () => {
    network.use(
      http.get('/api/v1/outbox', () => list([outgoing({ state: 'failed', error_code: 'send_rejected' })])),
      http.post('/api/v1/outbox/:id/retry', () => problem(410, 'gone')),
    );
    const { user } = visit('/inbox');
    await user.click(await screen.findByRole('button', { name: 'Try again' }));
    expect(await screen.findByText(/Its files are no longer kept here/)).toBeVisible();
  });

  it('asks nobody to send again while it cannot be confirmed', async () => {
    network.use(
      http.get('/api/v1/outbox', () =>
        list([outgoing({ state: 'unconfirmed', error_code: 'send_unconfirmed' })]),
      ),
    );
    const retried: unknown[] = [];
    network.use(
      http.post('/api/v1/outbox/:id/retry', async ({ request }) => {
        retried.push(await request.json());
        return HttpResponse.json(outgoing({ state: 'sent' }), { status: 202 });
      }),
    );
    const { user } = visit('/inbox');
    expect(await screen.findByText(/do not send again yet/)).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Send again anyway' })).toBeNull();
    await user.click(screen.getByRole('button', { name: 'Check again' }));
    await waitFor(() => expect(retried).toEqual([{ confirmed: false }]));
  });

  it('says so when it is too late to take a message back', async () => {
    network.use(
      http.get('/api/v1/outbox', () =>
        list([outgoing({ send_at: new Date(Date.now() + 5_000).toISOString() })]),
      ),
      http.delete('/api/v1/outbox/:id', () => problem(409, 'conflict')),
    );
    const { user } = visit('/inbox');
    await user.click(await screen.findByRole('button', { name: 'Undo' }));
    expect(await screen.findByText(/Too late/)).toBeVisible();
  });

  it('lists every state in words', async () => {
    network.use(http.get('/api/v1/outbox', () => list(outgoingStates)));
    const { user } = visit('/inbox');
    await user.click(await screen.findByRole('button', { name: 'Account menu' }));
    await user.click(await screen.findByRole('menuitem', { name: 'Outbox' }));
    const dialog = await screen.findByRole('dialog', { name: 'Outbox' });
    for (const words of [
      /Not sent to Grace Example yet/,
      /trying again at/,
      'Sent to Grace Example',
      'Not sent to Grace Example',
      'We could not confirm the send',
      /Waiting: message to Grace Example/,
      /you took it back/,
    ])
      expect(within(dialog).getByText(words)).toBeVisible();
    await expectAccessible();
  });

  it('offers to allow sending when an account may only read, and keeps the text', async () => {
    network.use(http.get('/api/v1/connected-accounts', () => list([reader])));
    const { taken } = taking();
    const { user } = visit('/inbox');
    const dialog = await compose(user);
    expect(within(dialog).getByText(/may read but not send/)).toBeVisible();
    expect(within(dialog).getByRole('button', { name: 'Allow sending' })).toBeVisible();
    expect(within(dialog).getByRole('button', { name: 'Send' })).toBeDisabled();

    await user.type(within(dialog).getByRole('textbox', { name: 'To' }), 'grace@example.org,');
    await user.type(within(dialog).getByRole('textbox', { name: 'Text of the message' }), 'Hello');
    await user.keyboard('{Control>}{Enter}{/Control}');
    network.use(http.get('/api/v1/connected-accounts', () => list([{ ...reader, capabilities: maySend }])));
    FakeEventSource.say('account.updated', { account_id: reader.id });
    const button = within(dialog).getByRole('button', { name: 'Send' });
    await waitFor(() => expect(button).toBeEnabled(), { timeout: 3_000 });
    expect(within(dialog).queryByText(/may read but not send/)).toBeNull();
    expect(taken).toEqual([]);
    await user.click(button);
    await waitFor(() => expect(taken).toHaveLength(1));
    expect(taken[0]!.body).toMatchObject({ account: reader.id, text: 'Hello' });
  });
});
