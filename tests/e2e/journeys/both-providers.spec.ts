import { colleague, connect, expect, imported, person, signIn, test } from '../harness/test';

test('accounts of both providers fill one inbox, and each can be looked at alone', async ({
  page,
  latchkey,
  simulator,
}) => {
  await signIn(page, latchkey);
  await connect(page, latchkey);
  await connect(page, latchkey, colleague, [], 'Microsoft');
  await imported(page, latchkey);
  await imported(page, latchkey, colleague);
  const parts = { from: 'Grace Example <grace@example.org>', text: 'Hello.' };
  await simulator.deliver({ ...parts, to: person, subject: 'A letter by Google' });
  await simulator.deliver({ ...parts, to: colleague, subject: 'A letter by Microsoft' }, colleague);
  await page.goto(`${latchkey.url}/inbox`);
  const first = page.getByRole('option', { name: /A letter by Google/ });
  const second = page.getByRole('option', { name: /A letter by Microsoft/ });
  await expect(first).toBeVisible({ timeout: 60_000 });
  await expect(second).toBeVisible({ timeout: 60_000 });
  await page
    .getByRole('navigation', { name: 'Mailboxes' })
    .getByRole('button', { name: /^Mary Sample/ })
    .click();
  await expect(second).toBeVisible();
  await expect(first).toHaveCount(0);
  await second.click();
  await expect(page.getByRole('region', { name: 'Body of the message' })).toContainText('Hello.');
});
