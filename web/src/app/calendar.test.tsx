import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { account, calendars, event, everyState, maySend, work } from '@/testing/fixtures';
import { http, HttpResponse, list, network } from '@/testing/network';
import { expectAccessible, visit } from '@/testing/render-app';

const allowed = [account({ capabilities: maySend }), { ...work, capabilities: maySend }];

beforeEach(() => {
  network.use(http.get('/api/v1/connected-accounts', () => list(allowed)));
});

describe('the calendar', () => {
  it('shows a week with whole days, overlaps, cancelled and private events in words', async () => {
    visit('/calendar?view=week&date=2026-06-17');
    const wednesday = await screen.findByRole('region', { name: /^(Wednesday|Wed).*17.*2 events$/ });
    expect(
      within(wednesday).getByRole('button', { name: /^Planning, .*Not answered yet, Ada Example$/ }),
    ).toBeVisible();
    expect(within(wednesday).getByRole('button', { name: /^Call with the printers/ })).toBeVisible();
    expect(screen.getByRole('button', { name: /^Midsummer, All day, Public holidays$/ })).toBeVisible();
    expect(screen.getByRole('button', { name: /^Lunch, .*Cancelled/ })).toBeVisible();
    expect(screen.getByRole('button', { name: /^Busy, .*Private/ })).toBeVisible();
    expect(screen.getByText(/^Times in /)).toBeVisible();
    await expectAccessible();
  });

  it('asks for exactly the week it shows, and for the next one', async () => {
    const asked: URLSearchParams[] = [];
    network.use(
      http.get('/api/v1/calendar-events', ({ request }) => {
        asked.push(new URL(request.url).searchParams);
        return HttpResponse.json({ events: [], next_cursor: null });
      }),
    );
    const { user } = visit('/calendar?view=week&date=2026-06-17');
    expect(await screen.findByText('No events')).toBeVisible();
    const from = Date.parse(asked[0]!.get('from')!);
    expect(Date.parse(asked[0]!.get('to')!) - from).toBe(7 * 86_400_000);
    await user.click(screen.getByRole('button', { name: 'Later' }));
    await waitFor(() => expect(Date.parse(asked.at(-1)!.get('from')!)).toBe(from + 7 * 86_400_000));
    expect(window.location.search).toContain('2026-06-24');
  });

  it('reads every page of a busy range', async () => {
    network.use(
      http.get('/api/v1/calendar-events', ({ request }) =>
        new URL(request.url).searchParams.get('cursor')
          ? HttpResponse.json({ events: [event({ title: 'Second page' })], next_cursor: null })
          : HttpResponse.json({ events: [event({ title: 'First page' })], next_cursor: 'more' }),
      ),
    );
    visit('/calendar?view=agenda&date=2026-06-17');
    expect(await screen.findByText('First page')).toBeVisible();
    expect(screen.getByText('Second page')).toBeVisible();
  });

  it('tells everything of an event, in its own time zone too', async () => {
    const { user } = visit('/calendar?view=agenda&date=2026-06-15');
    await user.click(await screen.findByRole('button', { name: /Planning/ }));
    const dialog = await screen.findByRole('dialog', { name: 'Planning' });
    expect(within(dialog).getByRole('link', { name: 'Join the meeting' })).toHaveAttribute(
      'href',
      'https://meet.example.com/abc-defg',
    );
    expect(within(dialog).getByText(/2 people invited/)).toBeVisible();
    expect(within(dialog).getByRole('link', { name: 'https://example.org/notes' })).toBeVisible();
    const before = within(dialog).getByText(/June 17, 2026|17 June 2026/).textContent;
    await user.click(within(dialog).getByRole('switch', { name: /time zone/ }));
    expect(within(dialog).getByText(/June 17, 2026|17 June 2026/).textContent).not.toBe(before);
    await expectAccessible();
  });

  it('never makes a link of an address that is not of the web', async () => {
    network.use(
      http.get('/api/v1/calendar-events', () =>
        HttpResponse.json({
          events: [event({ conference_url: 'javascript:alert(1)', html_link: 'data:text/html,x' })],
          next_cursor: null,
        }),
      ),
    );
    const { user } = visit('/calendar?view=agenda&date=2026-06-17');
    await user.click(await screen.findByRole('button', { name: /Planning/ }));
    const dialog = await screen.findByRole('dialog');
    expect(within(dialog).queryAllByRole('link')).toEqual([]);
  });

  it('moves between events by arrow keys', async () => {
    const { user } = visit('/calendar?view=week&date=2026-06-17');
    (await screen.findByRole('button', { name: /^Stand-up/ })).focus();
    await user.keyboard('{ArrowDown}');
    expect(screen.getByRole('button', { name: /^موعد الزيارة/ })).toHaveFocus();
    await user.keyboard('{ArrowUp}');
    expect(screen.getByRole('button', { name: /^Stand-up/ })).toHaveFocus();
  });

  it('asks before a calendar is taken away, and names what goes', async () => {
    const changes: unknown[] = [];
    network.use(
      http.patch('/api/v1/calendars/:id', async ({ request }) => {
        changes.push(await request.json());
        return HttpResponse.json({ ...calendars[1], selected: false, event_count: 0 });
      }),
    );
    const { user } = visit('/calendar?view=week&date=2026-06-17');
    const box = await screen.findByRole('checkbox', { name: 'Public holidays' });
    await user.click(box);
    const dialog = await screen.findByRole('alertdialog', { name: 'Stop keeping Public holidays here?' });
    expect(dialog).toHaveTextContent('312 events are removed from here. Nothing changes at Google');
    expect(within(dialog).getByRole('button', { name: 'Cancel' })).toHaveFocus();
    expect(changes).toEqual([]);
    await user.click(within(dialog).getByRole('button', { name: 'Remove from here' }));
    await waitFor(() => expect(changes).toEqual([{ selected: false }]));
    await waitFor(() => expect(box).not.toBeChecked());
  });

  it('offers a missing permission with one click, beside what is there', async () => {
    const open = vi.spyOn(window, 'open').mockReturnValue(null);
    network.use(
      http.get('/api/v1/connected-accounts', () =>
        list([allowed[0], everyState.find((one) => one.status === 'missing_scope')]),
      ),
    );
    const { user } = visit('/calendar?view=week&date=2026-06-17');
    expect(await screen.findByText(/was not allowed/)).toBeVisible();
    expect(screen.getByRole('button', { name: /^Planning/ })).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Grant calendar' }));
    expect(open).toHaveBeenCalledTimes(1);
    expect(await screen.findByText('Your browser blocked the sign-in window')).toBeVisible();
  });

  it('says why there is nothing at all', async () => {
    network.use(http.get('/api/v1/connected-accounts', () => list([account()])));
    visit('/calendar');
    expect(await screen.findByText('No calendar permission')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Grant calendar of ada@example.com' })).toBeVisible();
    await expectAccessible();
  });
});
