import { writeFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect, test as base, type BrowserContext, type Page } from '@playwright/test';
import { realMail } from './corpus';
import { Program, temporaryDirectory } from './programs';
import { Simulator } from './simulator';

export const person = 'ada@example.com';
export const other = 'grace@example.org';
/** Somebody with a work account at Microsoft. */
export const colleague = 'mary@office.example';

type Provider = 'Google' | 'Microsoft';

interface Latchkey {
  /** Where people reach it. */
  url: string;
  /** The one-time link of the first administrator. */
  setupUrl: string;
}

interface Options {
  /** Real mail when it is at hand, or the small sample, which is quicker. */
  mail: 'real' | 'sample';
  /** An iCalendar file for the calendar of `person`. */
  calendar: string;
}

interface Fixtures {
  simulator: Simulator;
  latchkey: Latchkey;
  /** Fails the test when a page of ours breaks its own Content-Security-Policy or throws. */
  watched: void;
}

function env(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the journeys through run.mjs`);
  return value;
}

const microsoft = { id: '9a1c5f40-3c1e-4d6b-8f0a-5d2b7c3e4f60', secret: 'other-secret-of-the-journeys' };
const client = { id: 'journeys.apps.example.com', secret: 'secret-of-the-journeys' };

export const test = base.extend<Options & Fixtures & { place: { path: string } }>({
  mail: ['sample', { option: true }],
  calendar: ['', { option: true }],

  // eslint-disable-next-line no-empty-pattern -- Playwright wants the pattern
  place: async ({}, use, info) => {
    const directory = temporaryDirectory();
    await use(directory);
    if (info.status === info.expectedStatus) directory.remove();
    else console.log(`Logs of both programs: ${directory.path}`);
  },

  simulator: async ({ place, mail, calendar }, use, info) => {
    const calendarFile = `${place.path}/calendar.ics`;
    if (calendar) writeFileSync(calendarFile, calendar);
    const files = mail === 'real' ? realMail() : [];
    const fill =
      files.length > 0 ? files.flatMap((file) => ['--mailbox', `${person}=${file}`]) : ['--sample', person];
    const program = await Program.start<{ http: string }>(
      env('E2E_SIMULATOR'),
      [
        '--listen',
        '127.0.0.1:0',
        '--client-id',
        client.id,
        '--client-secret',
        client.secret,
        '--account',
        `${person}=Ada Example`,
        '--account',
        `${other}=Grace Example`,
        '--microsoft-client-id',
        microsoft.id,
        '--microsoft-client-secret',
        microsoft.secret,
        '--microsoft-account',
        `${colleague}=Mary Sample`,
        ...fill,
        ...(calendar ? ['--calendar', `${person}=${calendarFile}`] : []),
        '--no-quota',
        '--quiet',
      ],
      place.path,
      'simulator',
    );
    await use(new Simulator(program.ready.http, person));
    await info.attach('simulator.log', { path: program.log, contentType: 'text/plain' });
    expect(await program.stop(), 'the simulator ends in order').toBe(0);
  },

  latchkey: async ({ place, simulator }, use, info) => {
    const program = await Program.start<{ public_url: string; setup_url: string }>(
      env('E2E_SERVER'),
      [],
      place.path,
      'server',
      {
        LATCHKEY_LISTEN: '127.0.0.1:0',
        LATCHKEY_DATA_DIR: `${place.path}/data`,
        LATCHKEY_POLL_SECONDS: '1',
        GOOGLE_QUOTA_UNITS_PER_MINUTE: '0',
        GOOGLE_PROJECT_QUOTA_UNITS_PER_MINUTE: '0',
        AUTH_GOOGLE_CLIENT_ID: client.id,
        AUTH_GOOGLE_CLIENT_SECRET: client.secret,
        GOOGLE_DISCOVERY_URL: `${simulator.base}/google/.well-known/openid-configuration`,
        GOOGLE_GMAIL_URL: simulator.base,
        GOOGLE_CALENDAR_URL: simulator.base,
        AUTH_MICROSOFT_CLIENT_ID: microsoft.id,
        AUTH_MICROSOFT_CLIENT_SECRET: microsoft.secret,
        MICROSOFT_DISCOVERY_URL: `${simulator.base}/common/v2.0/.well-known/openid-configuration`,
        MICROSOFT_GRAPH_URL: simulator.base,
      },
    );
    await use({ url: program.ready.public_url, setupUrl: program.ready.setup_url });
    await info.attach('server.log', { path: program.log, contentType: 'text/plain' });
    expect(await program.stop(), 'the server ends in order').toBe(0);
  },

  watched: [
    async ({ context }, use) => {
      const complaints: string[] = [];
      watch(context, complaints);
      await use();
      expect(complaints, 'complaints of our own pages').toEqual([]);
    },
    { auto: true },
  ],
});

function watch(context: BrowserContext, complaints: string[]) {
  context.on('console', (line) => {
    // The body of a mail may ask for anything; that it is refused is the point.
    const inMail =
      /\/api\/v1\/messages\/[^/]+\/view/.test(line.location().url) || /\/view\b/.test(line.text());
    if (line.type() === 'error' && /Content.Security.Policy/i.test(line.text()) && !inMail)
      complaints.push(line.text());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
}

export { expect };

/** Signs in as a person who has not been here before, through the setup link of a fresh installation. */
export async function signIn(
  page: Page,
  latchkey: Latchkey,
  who = person,
  provider: Provider = 'Google',
): Promise<void> {
  await page.goto(latchkey.setupUrl);
  await expect(page.getByText('You are setting up this installation')).toBeVisible();
  await page.getByRole('button', { name: `Continue with ${provider}` }).click();
  await choose(page, who);
  await expect(page).toHaveURL(/\/inbox/);
}

/** The provider's own pages: who, and what to allow. */
export async function choose(page: Page, who: string): Promise<void> {
  await page.getByRole('button', { name: who }).click();
  await page.getByRole('button', { name: /^(Continue|Accept)$/ }).click();
}

/** Opens the add dialog up to the click that leads to the provider. */
export async function toProvider(
  page: Page,
  latchkey: Latchkey,
  capabilities: string[] = [],
  provider: Provider = 'Google',
): Promise<void> {
  await page.goto(`${latchkey.url}/accounts`);
  await page
    .getByRole('main')
    .getByRole('button', { name: /Connect a mailbox|Add account/ })
    .click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: new RegExp(`^${provider}`) })
    .click();
  for (const capability of capabilities) await page.getByRole('switch', { name: capability }).click();
}

/** Connects a mailbox by popup and waits until the page says so. */
export async function connect(
  page: Page,
  latchkey: Latchkey,
  who = person,
  capabilities: string[] = [],
  provider: Provider = 'Google',
): Promise<void> {
  await toProvider(page, latchkey, capabilities, provider);
  const opening = page.waitForEvent('popup');
  await page.getByRole('button', { name: `Continue to ${provider}` }).click();
  const popup = await opening;
  const closed = popup.waitForEvent('close');
  await choose(popup, who);
  await closed;
  await expect(page.getByRole('dialog')).toContainText(`${who} is connected`);
}

/** Waits until the account card says that everything is here. */
export async function imported(page: Page, latchkey: Latchkey, who = person): Promise<void> {
  await page.goto(`${latchkey.url}/accounts`);
  await expect(page.getByRole('article', { name: who }).getByText('Up to date')).toBeVisible({
    timeout: 120_000,
  });
}

export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    // The body of a mail is its sender's; a menu floats outside the landmarks while it is open.
    .exclude('iframe')
    .exclude('[data-radix-popper-content-wrapper]')
    .analyze();
  expect(
    violations.map((one) => ({ rule: one.id, nodes: one.nodes.map((node) => node.html.slice(0, 200)) })),
    page.url(),
  ).toEqual([]);
}
