import { choose, colleague, connect, expect, imported, signIn, test } from '../harness/test';

test('access that was taken away at Microsoft is given back, and nothing is lost', async ({
  page,
  latchkey,
  simulator,
}) => {
  await signIn(page, latchkey, colleague, 'Microsoft');
  await connect(page, latchkey, colleague, [], 'Microsoft');
  await imported(page, latchkey, colleague);
  await simulator.deliver(
    { from: 'Grace Example <grace@example.org>', to: colleague, subject: 'Before', text: 'Kept.' },
    colleague,
  );
  await page.goto(`${latchkey.url}/inbox`);
  await expect(page.getByRole('option', { name: /Before/ })).toBeVisible({ timeout: 60_000 });
  await simulator.revokeGrant(colleague);
  await page.goto(`${latchkey.url}/accounts`);
  const card = page.getByRole('article', { name: colleague });
  await expect(card.getByText('Sign-in needed')).toBeVisible({ timeout: 90_000 });
  await card.getByRole('button', { name: 'Reconnect' }).click();
  const opening = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Continue to Microsoft' }).click();
  const popup = await opening;
  const chooser = popup.getByRole('button', { name: colleague });
  const consent = popup.getByRole('button', { name: 'Accept' });
  await expect(chooser.or(consent).first()).toBeVisible();
  if (await chooser.isVisible()) await choose(popup, colleague);
  else await consent.click();
  await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
  await expect(card.getByText('Up to date')).toBeVisible({ timeout: 90_000 });
  await page.goto(`${latchkey.url}/inbox`);
  await expect(page.getByRole('option', { name: /Before/ })).toHaveCount(1);
});
