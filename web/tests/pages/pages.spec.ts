import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import {
  account,
  audit,
  everyState,
  health,
  maySend,
  messages,
  outgoing,
  outgoingStates,
  session,
  signedOut,
} from '../../src/testing/fixtures';
import { settled, stage, type Answers } from './stage';

interface Scene {
  name: string;
  path: string;
  answers?: Answers;
  act?: (page: Page) => Promise<void>;
  /** What `act` opens. The page behind it may say the same words, before it is open. */
  within?: 'menu' | 'dialog' | 'alertdialog';
  ready: string | RegExp;
}

const list = (items: unknown[]) => ({ items, next_cursor: null });
const signIn: Answers = { 'GET /auth/session': signedOut };
const newsletter = messages[3].id;
const japanese = messages[1].id;

const scenes: Scene[] = [
  { name: 'sign-in', path: '/login', answers: signIn, ready: 'Continue with Google' },
  {
    name: 'sign-in with an error',
    path: '/login?error=state_expired',
    answers: signIn,
    ready: 'This sign-in link is too old',
  },
  {
    name: 'sign-in not set up',
    path: '/login',
    answers: { 'GET /auth/session': { ...signedOut, providers: [] } },
    ready: 'Sign-in is not set up yet',
  },
  {
    name: 'sign-in of the first administrator',
    path: '/login',
    answers: {
      'GET /auth/session': {
        ...signedOut,
        setup: { state: 'awaiting_administrator', bound_to_this_browser: true },
      },
    },
    ready: 'You are setting up this installation',
  },
  {
    name: 'error page',
    path: '/auth/error?error=access_denied',
    answers: signIn,
    ready: 'You chose not to give access',
  },
  { name: 'not found', path: '/nowhere', ready: 'Page not found' },
  {
    name: 'first run',
    path: '/inbox',
    answers: { 'GET /api/v1/connected-accounts': list([]) },
    ready: 'Connect your first mailbox',
  },
  { name: 'inbox', path: '/inbox', ready: 'Minutes of the meeting, and two questions' },
  {
    name: 'inbox with a message in another script',
    path: `/inbox?message=${japanese}`,
    ready: 'https://example.org/more',
  },
  {
    name: 'inbox with an HTML message',
    path: `/inbox?message=${newsletter}`,
    ready: /remote images? (is|are) not loaded/,
  },
  {
    name: 'inbox importing',
    path: '/inbox',
    answers: {
      'GET /api/v1/connected-accounts': list([everyState.find((one) => one.status === 'importing')]),
    },
    ready: /12,400 of about 32,600/,
  },
  {
    name: 'inbox with a failing account',
    path: '/inbox',
    answers: {
      'GET /api/v1/connected-accounts': list([
        account(),
        everyState.find((one) => one.status === 'needs_reauth'),
      ]),
    },
    ready: /Sign-in needed/,
  },
  {
    name: 'inbox empty',
    path: '/inbox?folder=trash',
    answers: { 'GET /api/v1/messages': list([]) },
    ready: 'Nothing in Trash',
  },
  {
    name: 'inbox no result',
    path: '/inbox?q=unicorn',
    answers: { 'GET /api/v1/messages': list([]) },
    ready: /Nothing found for/,
  },
  {
    name: 'inbox list failed',
    path: '/inbox',
    answers: { 'GET /api/v1/messages': 404 },
    ready: 'We cannot find this',
  },
  {
    name: 'message gone',
    path: '/inbox?message=01931f30-0009-7000-8000-000000000000',
    ready: 'This message is gone',
  },
  { name: 'accounts', path: '/accounts', ready: 'ada.example@mathematics.example.org' },
  {
    name: 'accounts in every state',
    path: '/accounts',
    answers: { 'GET /api/v1/connected-accounts': list(everyState) },
    ready: 'Organisation approval needed',
  },
  {
    name: 'accounts empty',
    path: '/accounts',
    answers: { 'GET /api/v1/connected-accounts': list([]) },
    ready: 'No mailbox connected',
  },
  {
    name: 'account menu',
    path: '/accounts',
    act: (page) => page.getByRole('button', { name: 'Actions for ada@example.com' }).click(),
    within: 'menu',
    ready: 'Permissions',
  },
  {
    name: 'add account: provider',
    path: '/accounts',
    act: (page) => page.getByRole('button', { name: 'Add account' }).click(),
    within: 'dialog',
    ready: 'Where is the mailbox?',
  },
  {
    name: 'add account: permissions',
    path: '/accounts',
    act: async (page) => {
      await page.getByRole('button', { name: 'Add account' }).click();
      await page.getByRole('button', { name: /^Google/ }).click();
    },
    within: 'dialog',
    ready: 'What may we do?',
  },
  {
    name: 'disconnect',
    path: '/accounts',
    answers: {
      [`GET /api/v1/connected-accounts/${account().id}/erasure-preview`]: {
        account_id: account().id,
        counts: { synced_messages: 18_220, attachments: 941, labels: 24, message_labels: 40_112 },
        revokes_grant: true,
      },
    },
    act: async (page) => {
      await page.getByRole('button', { name: 'Actions for ada@example.com' }).click();
      await page.getByRole('menuitem', { name: 'Disconnect' }).click();
    },
    within: 'alertdialog',
    ready: '18,220 messages',
  },
  {
    name: 'accounts with services of their own',
    path: '/accounts',
    answers: {
      'GET /api/v1/connected-accounts': list([
        account({
          capabilities: {
            ...maySend,
            send_mail: { requested: true, granted: false, status: 'missing_scope' },
          },
        }),
        account({
          id: everyState[0].id,
          status: 'needs_reauth',
          action: 'reconnect',
          reason: 'reauth_test_mode',
        }),
      ]),
      [`GET /api/v1/connected-accounts/${account().id}/health`]: health({
        services: {
          mail: { status: 'healthy', reason: null, action: 'none', next_attempt_at: null },
          calendar: { status: 'importing', reason: null, action: 'none', next_attempt_at: null },
          send: { status: 'missing_scope', reason: 'missing_scope', action: 'grant', next_attempt_at: null },
        },
      }),
    },
    ready: 'How to fix this',
  },
  {
    name: 'completeness',
    path: '/accounts',
    answers: {
      [`GET /api/v1/connected-accounts/${account().id}/audit`]: {
        ...audit,
        state: 'incomplete',
        mail: { ...audit.mail!, missing_count: 2, missing: ['18c2f0a1', '18c2f0a2'] },
      },
    },
    act: async (page) => {
      await page.getByRole('button', { name: 'Actions for ada@example.com' }).click();
      await page.getByRole('menuitem', { name: 'Check completeness' }).click();
    },
    within: 'dialog',
    ready: /Not complete as of/,
  },
  {
    name: 'permissions',
    path: '/accounts',
    act: async (page) => {
      await page.getByRole('button', { name: 'Actions for ada@example.com' }).click();
      await page.getByRole('menuitem', { name: 'Permissions' }).click();
    },
    within: 'dialog',
    ready: 'Read calendar',
  },
  {
    name: 'compose',
    path: '/inbox',
    act: async (page) => {
      await page.getByRole('button', { name: 'Compose' }).click();
      const to = page.getByRole('textbox', { name: 'To' });
      await to.fill('Grace Example <grace@example.org>, nobody,');
      await to.press('Enter');
      await page.getByRole('textbox', { name: 'Subject' }).fill('Minutes of the meeting');
      await page.getByRole('textbox', { name: 'Text of the message' }).fill('Thank you!\n\nAda');
    },
    within: 'dialog',
    ready: 'Draft saved in this browser',
  },
  {
    name: 'reply',
    path: `/inbox?message=${messages[0].id}`,
    act: (page) => page.getByRole('button', { name: 'Reply' }).first().click(),
    within: 'dialog',
    ready: 'Attach files',
  },
  {
    name: 'compose without permission',
    path: '/inbox',
    answers: { 'GET /api/v1/connected-accounts': list([account()]) },
    act: (page) => page.getByRole('button', { name: 'Compose' }).click(),
    within: 'dialog',
    ready: 'Allow sending',
  },
  {
    name: 'on its way out',
    path: '/inbox',
    answers: {
      'GET /api/v1/outbox': list([outgoing(), outgoingStates.find((one) => one.state === 'unconfirmed')]),
    },
    ready: 'Sending to Grace Example in 8 s',
  },
  {
    name: 'outbox',
    path: '/inbox',
    answers: { 'GET /api/v1/outbox': list(outgoingStates) },
    act: async (page) => {
      await page.getByRole('button', { name: 'Account menu' }).click();
      await page.getByRole('menuitem', { name: 'Outbox' }).click();
    },
    within: 'dialog',
    ready: 'Look into Sent',
  },
  { name: 'calendar', path: '/calendar?view=week', ready: 'Call with the printers' },
  { name: 'calendar agenda', path: '/calendar?view=agenda&date=2026-06-15', ready: 'Night train to Zürich' },
  {
    name: 'calendar event',
    path: '/calendar?view=agenda&date=2026-06-15',
    act: (page) => page.getByRole('button', { name: /Planning/ }).click(),
    within: 'dialog',
    ready: 'Join the meeting',
  },
  {
    name: 'calendar deselect',
    path: '/calendar?view=week',
    act: async (page) => {
      await page.getByRole('button', { name: 'Today' }).waitFor();
      const list = page.getByRole('button', { name: 'Calendars' });
      if (await list.isVisible()) await list.click();
      await page.getByRole('checkbox', { name: 'Public holidays' }).filter({ visible: true }).click();
    },
    within: 'alertdialog',
    ready: /312 events are removed from here/,
  },
  {
    name: 'calendar importing and partly allowed',
    path: '/calendar?view=week',
    answers: {
      'GET /api/v1/connected-accounts': list([
        account({ capabilities: maySend }),
        everyState.find((one) => one.status === 'missing_scope'),
      ]),
      'GET /api/v1/calendar-events': { events: [], next_cursor: null },
    },
    ready: /was not allowed/,
  },
  {
    name: 'calendar empty',
    path: '/calendar?view=agenda',
    answers: { 'GET /api/v1/calendar-events': { events: [], next_cursor: null } },
    ready: 'No events',
  },
  {
    name: 'calendar not allowed',
    path: '/calendar',
    answers: { 'GET /api/v1/connected-accounts': list([account()]) },
    ready: 'No calendar permission',
  },
  { name: 'activity', path: '/activity', ready: 'Failed for good' },
  {
    name: 'activity for others',
    path: '/activity',
    answers: { 'GET /auth/session': { ...session, user: { ...session.user!, is_admin: false } } },
    ready: 'Only administrators can see this',
  },
  { name: 'settings', path: '/settings', ready: 'Where you are signed in' },
  {
    name: 'shortcuts',
    path: '/inbox',
    act: async (page) => {
      await page.getByRole('listbox').waitFor();
      await page.keyboard.press('?');
    },
    within: 'dialog',
    ready: 'Previous message',
  },
];

const looks = [
  { scheme: 'light', width: 1280, height: 800 },
  { scheme: 'dark', width: 1280, height: 800 },
  { scheme: 'light', width: 320, height: 640 },
  { scheme: 'dark', width: 375, height: 720 },
] as const;

for (const look of looks) {
  test.describe(`${look.scheme} ${look.width}`, () => {
    test.use({ colorScheme: look.scheme, viewport: { width: look.width, height: look.height } });
    for (const scene of scenes) {
      test(`${scene.name} is clean`, async ({ page }) => {
        const { violations } = await stage(page, scene.answers);
        await page.goto(scene.path);
        await scene.act?.(page);
        const place = scene.within ? page.getByRole(scene.within) : page;
        await expect(place.getByText(scene.ready).filter({ visible: true }).first()).toBeVisible();
        await settled(page);

        const shots = process.env.SCREENSHOTS;
        if (shots) {
          const name = `${scene.name.replaceAll(/[^\w]+/g, '-')}-${look.scheme}-${look.width}.png`;
          await page.screenshot({ path: `${shots}/${name}` });
        }
        // Nothing may need sideways scrolling, down to 320 pixels.
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflow).toBeLessThanOrEqual(0);
        const { violations: found } = await new AxeBuilder({ page })
          .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
          // The body of a mail is its sender's; a menu floats outside the landmarks while it is open.
          .exclude('iframe')
          .exclude('[data-radix-popper-content-wrapper]')
          .analyze();
        expect(
          found.map((one) => ({ rule: one.id, nodes: one.nodes.map((node) => node.html.slice(0, 200)) })),
        ).toEqual([]);
        expect(violations).toEqual([]);
      });
    }
  });
}
