import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { account, everyState, message, messages, work } from '@/testing/fixtures';
import { FakeEventSource } from '@/testing/event-source';
import { http, HttpResponse, list, network, problem } from '@/testing/network';
import { expectAccessible, visit } from '@/testing/render-app';

const inbox = () => screen.findByRole('listbox', { name: 'Messages in Inbox' });
const option = (name: RegExp) => screen.findByRole('option', { name });

describe('the inbox', () => {
  it('invites somebody without an account to connect one', async () => {
    network.use(http.get('/api/v1/connected-accounts', () => list([])));
    const { user } = visit('/inbox');
    await user.click(await screen.findByRole('button', { name: 'Connect a mailbox' }));
    expect(await screen.findByRole('dialog', { name: 'Add an account' })).toBeVisible();
  });

  it('lists messages newest first, says which are unread, and is accessible', async () => {
    visit('/inbox');
    const box = await inbox();
    const options = await within(box).findAllByRole('option');
    expect(options).toHaveLength(messages.length);
    expect(options[0]).toHaveAccessibleName(/^Unread, Grace Example.*Minutes of the meeting/);
    expect(options[0]).toHaveAttribute('aria-posinset', '1');
    expect(options[0]).toHaveAttribute('aria-setsize', String(messages.length));
    expect(options[5]).toHaveAccessibleName(/\(no subject\)/);
    await expectAccessible();
  });

  it('opens a message with its attachment, and shows text as text', async () => {
    network.use(
      http.get('/api/v1/messages/:id', () =>
        HttpResponse.json(
          message(messages[0]!, { text: '<img src=x onerror=alert(1)> see https://example.org/a.' }),
        ),
      ),
    );
    const { user } = visit('/inbox');
    await user.click(await option(/Minutes of the meeting/));
    const article = await screen.findByRole('article');
    expect(
      within(article).getByRole('heading', { name: 'Minutes of the meeting, and two questions' }),
    ).toBeVisible();
    expect(within(article).getByText(/<img src=x onerror/)).toBeVisible();
    expect(document.querySelector('img[src="x"]')).toBeNull();
    const link = within(article).getByRole('link', { name: 'https://example.org/a' });
    expect(link).toHaveAttribute('rel', 'noopener noreferrer');
    expect(
      within(article).getByRole('link', { name: /Download minutes of the meeting\.pdf/ }),
    ).toHaveAttribute('href', `/api/v1/messages/${messages[0]!.id}/attachments/a1`);
  });

  it('shows HTML only in a frame without rights, and says that remote images stay out', async () => {
    network.use(
      http.get('/api/v1/messages/:id', () =>
        HttpResponse.json(message(messages[3]!, { has_html: true, remote_images: 4 })),
      ),
    );
    const { user } = visit(`/inbox?message=${messages[3]!.id}`);
    const frame = await screen.findByTitle('Body of the message');
    expect(frame).toHaveAttribute('sandbox', 'allow-popups allow-popups-to-escape-sandbox');
    expect(frame).toHaveAttribute('src', `/api/v1/messages/${messages[3]!.id}/view`);
    expect(screen.getByText(/4 remote images are not loaded/)).toBeVisible();
    // Asked for, they come through the server.
    await user.click(screen.getByRole('button', { name: 'Load images' }));
    expect(frame).toHaveAttribute('src', `/api/v1/messages/${messages[3]!.id}/view?images=1`);
    expect(screen.queryByText(/not loaded/)).toBeNull();
  });

  it('loads the images of a sender who was chosen for it, until it is taken back', async () => {
    network.use(
      http.get('/api/v1/messages/:id', () =>
        HttpResponse.json(message(messages[3]!, { has_html: true, remote_images: 4 })),
      ),
    );
    const path = `/inbox?message=${messages[3]!.id}`;
    const first = visit(path);
    await first.user.click(await screen.findByRole('button', { name: 'Always for this sender' }));
    const loaded = `/api/v1/messages/${messages[3]!.id}/view?images=1`;
    expect(screen.getByTitle('Body of the message')).toHaveAttribute('src', loaded);
    first.unmount();

    const { user } = visit(path);
    expect(await screen.findByTitle('Body of the message')).toHaveAttribute('src', loaded);
    expect(screen.getByText(/Remote images from news@lights.example are loaded/)).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Ask again' }));
    expect(screen.getByTitle('Body of the message')).toHaveAttribute('src', loaded.replace('?images=1', ''));
    expect(screen.getByText(/4 remote images are not loaded/)).toBeVisible();
  });

  it('shows mail that came between reading the list and the opening of the stream', async () => {
    FakeEventSource.openLater();
    let letters = messages.slice(1);
    network.use(http.get('/api/v1/messages', () => list(letters)));
    visit('/inbox');
    await within(await inbox()).findByRole('option', { name: new RegExp(messages[1]!.subject) });
    // It came before anybody listened: no event tells of it.
    letters = messages;
    await waitFor(() => expect(FakeEventSource.count).toBe(1));
    FakeEventSource.openNow();
    expect(
      await within(await inbox()).findByRole('option', { name: new RegExp(messages[0]!.subject) }),
    ).toBeVisible();
  });

  it('moves with j and k, opens with o, goes back with u, and explains itself with ?', async () => {
    const { user } = visit('/inbox');
    const box = await inbox();
    await within(box).findAllByRole('option');
    await user.keyboard('j');
    expect(box).toHaveFocus();
    expect(box).toHaveAttribute('aria-activedescendant', (await option(/来週の読書会/)).id);
    await user.keyboard('o');
    expect(await screen.findByRole('heading', { name: '来週の読書会について' })).toBeVisible();
    await user.keyboard('k');
    expect(await screen.findByRole('heading', { name: /Minutes of the meeting/ })).toBeVisible();
    await user.keyboard('u');
    expect(await screen.findByText('No message open')).toBeVisible();
    await user.keyboard('?');
    expect(await screen.findByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  });

  it('leaves single keys alone once they are turned off', async () => {
    const { user } = visit('/settings');
    await user.click(await screen.findByRole('switch', { name: 'Single-key shortcuts' }));
    await user.keyboard('?');
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it('types into the search box, and shortcuts keep out of it', async () => {
    const queries: (string | null)[] = [];
    network.use(
      http.get('/api/v1/messages', ({ request }) => {
        const { searchParams } = new URL(request.url);
        queries.push(searchParams.get('q'));
        return list(searchParams.get('q') ? [] : messages);
      }),
    );
    const { user } = visit('/inbox');
    await inbox();
    await user.keyboard('/');
    await user.keyboard('unicorn jk{Enter}');
    expect(await screen.findByText('Nothing found for “unicorn jk”')).toBeVisible();
    expect(queries.at(-1)).toBe('unicorn jk');
    await user.click(screen.getAllByRole('button', { name: 'Clear search' })[0]!);
    expect(await option(/Minutes of the meeting/)).toBeVisible();
  });

  it('shows new mail without a reload and takes deleted mail away', async () => {
    let current = messages.slice(1);
    network.use(http.get('/api/v1/messages', () => list(current)));
    visit('/inbox');
    await option(/来週の読書会/);
    expect(screen.queryByText(/Minutes of the meeting/)).toBeNull();
    await waitFor(() => expect(FakeEventSource.count).toBe(1));

    current = messages;
    FakeEventSource.say('message.upserted', { account_id: account().id, message_id: messages[0]!.id });
    expect(await option(/Minutes of the meeting/)).toBeVisible();

    current = messages.slice(1);
    FakeEventSource.say('message.deleted', { account_id: account().id, message_id: messages[0]!.id });
    await waitFor(() => expect(screen.queryByText(/Minutes of the meeting/)).toBeNull());
  });

  it('says so when the open message is deleted at the provider', async () => {
    visit(`/inbox?message=${messages[1]!.id}`);
    expect(await screen.findByRole('heading', { name: '来週の読書会について' })).toBeVisible();
    await waitFor(() => expect(FakeEventSource.count).toBe(1));
    network.use(http.get('/api/v1/messages/:id', () => problem(404, 'not_found')));
    FakeEventSource.say('message.deleted', { account_id: account().id, message_id: messages[1]!.id });
    expect(await screen.findByText('This message is gone')).toBeVisible();
  });

  it('loads further pages as the list is scrolled', async () => {
    const cursors: (string | null)[] = [];
    network.use(
      http.get('/api/v1/messages', ({ request }) => {
        const cursor = new URL(request.url).searchParams.get('cursor');
        cursors.push(cursor);
        return HttpResponse.json(
          cursor
            ? { items: messages.slice(5), next_cursor: null }
            : { items: messages.slice(0, 5), next_cursor: 'next' },
        );
      }),
    );
    visit('/inbox');
    expect(await option(/lunch\?/)).toBeVisible();
    // The first page is read again once the stream is open.
    expect(new Set(cursors)).toEqual(new Set([null, 'next']));
  });

  it('keeps showing other mail while one account fails, and offers the remedy', async () => {
    network.use(
      http.get('/api/v1/connected-accounts', () =>
        list([work, everyState.find((one) => one.status === 'needs_reauth')]),
      ),
    );
    const { user } = visit('/inbox');
    expect(await option(/Minutes of the meeting/)).toBeVisible();
    await user.click(await screen.findByRole('button', { name: 'Reconnect' }));
    expect(await screen.findByRole('dialog', { name: 'Reconnect needs.reauth@example.com' })).toBeVisible();
  });

  it('offers to try again when the list cannot be loaded', async () => {
    let fail = true;
    network.use(
      http.get('/api/v1/messages', () => (fail ? problem(400, 'invalid_argument') : list(messages))),
    );
    const { user } = visit('/inbox');
    expect(await screen.findByText('That could not be understood')).toBeVisible();
    fail = false;
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await option(/Minutes of the meeting/)).toBeVisible();
  });
});
