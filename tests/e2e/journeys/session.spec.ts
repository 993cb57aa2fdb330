import { connect, expect, person, signIn, test } from '../harness/test';

test('a request without the right CSRF token, or from elsewhere, changes nothing', async ({
  page,
  latchkey,
}) => {
  await signIn(page, latchkey);
  const statuses = await page.evaluate(async () => {
    const attempt = async (headers: Record<string, string>) => {
      const response = await fetch('/api/v1/connect-attempts', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify({ provider: 'google', capabilities: ['read_mail'], mode: 'page' }),
      });
      const body = (await response.json()) as { code: string };
      return `${response.status} ${response.headers.get('Content-Type')} ${body.code}`;
    };
    return [await attempt({}), await attempt({ 'X-CSRF-Token': 'wrong' })];
  });
  expect(statuses).toEqual(Array(2).fill('403 application/problem+json csrf_mismatch'));

  const session = (await (await page.request.get(`${latchkey.url}/auth/session`)).json()) as {
    csrfToken: string;
  };
  const foreign = await page.request.post(`${latchkey.url}/auth/logout`, {
    headers: {
      'X-CSRF-Token': session.csrfToken,
      Origin: 'https://evil.example',
      'Sec-Fetch-Site': 'cross-site',
    },
    data: {},
  });
  expect(foreign.status()).toBe(403);
  await page.reload();
  await expect(page).toHaveURL(/\/inbox/);
});

test('signing out ends the session and leaves nothing to read', async ({ page, latchkey }) => {
  await signIn(page, latchkey);
  await page.getByRole('button', { name: 'Account menu' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page.getByText('You are signed out.')).toBeVisible();
  expect((await page.request.get(`${latchkey.url}/api/v1/messages`)).status()).toBe(401);
  await page.goto(`${latchkey.url}/accounts`);
  await expect(page).toHaveURL(/\/login/);
});

test('the setup link works once, and the second person is no administrator', async ({
  page,
  latchkey,
  browser,
}) => {
  await signIn(page, latchkey);
  await expect(page.getByRole('link', { name: 'Activity' }).first()).toBeVisible();
  const stranger = await (await browser.newContext()).newPage();
  await stranger.goto(latchkey.setupUrl);
  await expect(stranger).toHaveURL(/\/auth\/error\?error=/);
  await stranger.goto(`${latchkey.url}/login`);
  await stranger.getByRole('button', { name: 'Continue with Google' }).click();
  await stranger.getByRole('button', { name: 'grace@example.org' }).click();
  await stranger.getByRole('button', { name: 'Continue' }).click();
  await expect(stranger.getByRole('heading', { name: 'Connect your first mailbox' })).toBeVisible();
  await expect(stranger.getByRole('link', { name: 'Activity' })).toHaveCount(0);
  await stranger.context().close();
});

test('a session ended from another browser ends here within seconds, with words', async ({
  page,
  latchkey,
  browser,
}) => {
  await signIn(page, latchkey);
  await connect(page, latchkey);
  const elsewhere = await (await browser.newContext()).newPage();
  await elsewhere.goto(`${latchkey.url}/login`);
  await elsewhere.getByRole('button', { name: 'Continue with Google' }).click();
  await elsewhere.getByRole('button', { name: person }).click();
  const consent = elsewhere.getByRole('button', { name: 'Continue' });
  await expect(consent.or(elsewhere.getByRole('listbox')).first()).toBeVisible();
  if (await consent.isVisible()) await consent.click();
  await elsewhere.goto(`${latchkey.url}/settings`);
  await elsewhere.getByRole('button', { name: 'Sign out everywhere' }).click();
  await expect(elsewhere.getByText('You are signed out.')).toBeVisible();
  await expect(page).toHaveURL(/\/login/, { timeout: 15_000 });
  await elsewhere.context().close();
});
