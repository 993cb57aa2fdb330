import { choose, connect, expect, imported, other, person, signIn, test, toProvider } from '../harness/test';

test('denying consent connects nothing and offers fewer permissions', async ({ page, latchkey }) => {
  await signIn(page, latchkey);
  await toProvider(page, latchkey);
  const opening = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Continue to Google' }).click();
  const popup = await opening;
  await popup.getByRole('button', { name: person }).click();
  await popup.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByText('You chose not to give access')).toBeVisible();
  await page.getByRole('button', { name: 'Choose permissions' }).click();
  await expect(page.getByRole('switch', { name: 'Read mail' })).toBeVisible();
  const accounts = await page.request.get(`${latchkey.url}/api/v1/connected-accounts`);
  expect(await accounts.json()).toMatchObject({ items: [] });
});

test('an unticked box leaves the account working for the rest and asks for it later', async ({
  page,
  latchkey,
}) => {
  await signIn(page, latchkey);
  await toProvider(page, latchkey, ['Send mail']);
  const opening = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Continue to Google' }).click();
  const popup = await opening;
  await popup.getByRole('button', { name: person }).click();
  await popup.getByRole('checkbox', { name: /Manage drafts and send emails/ }).uncheck();
  await popup.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByText('Connected, but something was not allowed')).toBeVisible();
  await page.getByRole('button', { name: 'Keep without' }).click();
  const card = page.getByRole('article', { name: person });
  await expect(card.getByText('Permission missing: Send')).toBeVisible({ timeout: 60_000 });

  // One click asks for the rest.
  const again = page.waitForEvent('popup');
  await card.getByRole('button', { name: 'Grant Send' }).click();
  const second = await again;
  const closed = second.waitForEvent('close');
  const chooser = second.getByRole('button', { name: person });
  const consent = second.getByRole('button', { name: 'Continue' });
  await expect(chooser.or(consent).first()).toBeVisible();
  if (await chooser.isVisible()) await chooser.click();
  await consent.click();
  await closed;
  await page.getByRole('button', { name: 'Done' }).click();
  await expect(card.getByText('Permission missing: Send')).toHaveCount(0);
});

test('unticking every box connects nothing and says what is needed', async ({ page, latchkey }) => {
  await signIn(page, latchkey);
  await toProvider(page, latchkey, ['Send mail']);
  const opening = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Continue to Google' }).click();
  const popup = await opening;
  await popup.getByRole('button', { name: person }).click();
  for (const box of await popup.getByRole('checkbox').all()) await box.uncheck();
  await popup.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByText('One needed permission was not given')).toBeVisible();
});

test('a blocked window offers this tab, which comes back to the accounts', async ({ page, latchkey }) => {
  await signIn(page, latchkey);
  await page.addInitScript(() => {
    window.open = () => null;
  });
  await toProvider(page, latchkey);
  await page.getByRole('button', { name: 'Continue to Google' }).click();
  await expect(page.getByText('Your browser blocked the sign-in window')).toBeVisible();
  await page.getByRole('button', { name: 'Continue in this tab' }).click();
  await choose(page, person);
  await expect(page).toHaveURL(`${latchkey.url}/accounts`);
  await expect(page.getByRole('article', { name: person })).toBeVisible();
});

test('a provider that cuts the link to the window does not look like a cancellation', async ({
  page,
  latchkey,
  simulator,
}) => {
  await simulator.settings({ sever_opener: true });
  await signIn(page, latchkey);
  await connect(page, latchkey);
  await imported(page, latchkey);
});

test('reconnecting with a different mailbox is refused by name and changes nothing', async ({
  page,
  latchkey,
  simulator,
}) => {
  await signIn(page, latchkey);
  await connect(page, latchkey);
  await imported(page, latchkey);
  await simulator.revokeGrant(person);
  const card = page.getByRole('article', { name: person });
  await expect(card.getByText('Sign-in needed')).toBeVisible({ timeout: 60_000 });
  await card.getByRole('button', { name: 'Reconnect' }).click();
  const opening = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Continue to Google' }).click();
  const popup = await opening;
  const chooser = popup.getByRole('button', { name: other });
  const change = popup.getByRole('button', { name: 'Continue' });
  await expect(chooser.or(change).first()).toBeVisible();
  if (await chooser.isVisible()) {
    await choose(popup, other);
    await expect(page.getByText(`You signed in as ${other}, but ${person} was expected`)).toBeVisible();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).first().click();
    await expect(card.getByText('Sign-in needed')).toBeVisible();
  } else {
    // The provider was told whom we expect and does not ask.
    await change.click();
    await page.getByRole('button', { name: 'Done' }).click();
    await expect(card.getByText('Up to date')).toBeVisible({ timeout: 60_000 });
  }
});
