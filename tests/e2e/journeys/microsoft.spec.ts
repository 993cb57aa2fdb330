import { choose, colleague, connect, expect, signIn, test, toProvider } from '../harness/test';

test('a person signs in with Microsoft and connects a work mailbox', async ({ page, latchkey }) => {
  await signIn(page, latchkey, colleague, 'Microsoft');
  await expect(page.getByRole('heading', { name: 'Connect your first mailbox' })).toBeVisible();
  await connect(page, latchkey, colleague, [], 'Microsoft');
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).first().click();
  const card = page.getByRole('article', { name: colleague });
  await expect(card.getByText('Used to sign in')).toBeVisible();
  // The sign-in page remembers which of the two it was.
  await page.getByRole('button', { name: 'Account menu' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page.getByRole('button', { name: /Continue with Microsoft.*Last used/ })).toBeVisible();
});

test('an organisation that approves apps first: the link for its administrator', async ({
  page,
  latchkey,
  simulator,
}) => {
  await signIn(page, latchkey, colleague, 'Microsoft');
  await toProvider(page, latchkey, [], 'Microsoft');
  await simulator.fault({
    kind: 'respond',
    path: '/*/oauth2/v2.0/token',
    payload: 'microsoft.token.error.65001.consent.400',
    count: 1,
  });
  const opening = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Continue to Microsoft' }).click();
  await choose(await opening, colleague);
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByText('Your organisation has to approve this app')).toBeVisible();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await dialog.getByRole('button', { name: 'Copy link for the administrator' }).click();
  await expect(dialog.getByRole('button', { name: 'Copied' })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/\/adminconsent\?.*client_id=/);
  // Approved meanwhile: the same dialog goes on.
  const second = page.waitForEvent('popup');
  await dialog.getByRole('button', { name: 'It was approved, try again' }).click();
  // The consent is known by now.
  await (await second).getByRole('button', { name: colleague }).click();
  await expect(dialog).toContainText(`${colleague} is connected`);
});

test('a rule of the organisation that blocks the sign-in is named, with the code for the IT department', async ({
  page,
  latchkey,
  simulator,
}) => {
  await signIn(page, latchkey, colleague, 'Microsoft');
  await toProvider(page, latchkey, [], 'Microsoft');
  await simulator.fault({
    kind: 'respond',
    path: '/*/oauth2/v2.0/token',
    payload: 'microsoft.token.error.53003.conditional-access.400',
    count: 1,
  });
  const opening = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Continue to Microsoft' }).click();
  await choose(await opening, colleague);
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByText('A rule of your organisation blocked this sign-in')).toBeVisible();
});
