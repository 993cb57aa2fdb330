import { connect, expect, imported, person, signIn, test } from '../harness/test';
import type { SimulatedMessage } from '../harness/simulator';

test.use({ mail: 'real' });

const number = new Intl.NumberFormat('en-GB');

/** A message whose subject names it alone, so that search can find it. */
function unique(
  mailbox: SimulatedMessage[],
  wanted: (message: SimulatedMessage) => boolean,
): SimulatedMessage {
  const found = mailbox.find(
    (message) =>
      wanted(message) &&
      message.subject.trim().length > 5 &&
      !message.labelIds.includes('SPAM') &&
      !message.labelIds.includes('TRASH') &&
      mailbox.filter((other) => other.subject.trim() === message.subject.trim()).length === 1,
  );
  if (!found) throw new Error('the mailbox holds no such message');
  return found;
}

/** Words of a subject as somebody would type them. */
function query(subject: string): string {
  return (subject.match(/[\p{L}\p{M}\p{N}]+/gu) ?? []).slice(0, 6).join(' ');
}

test('a person signs in, connects Gmail, reads mail that keeps itself up to date, and leaves no trace', async ({
  page,
  latchkey,
  simulator,
}) => {
  test.setTimeout(300_000);
  const mailbox = await simulator.mailbox();
  const html = unique(mailbox, (message) => message.hasHtml && /\p{Script=Latin}{4}/u.test(message.subject));
  const foreign = unique(mailbox, (message) =>
    /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Cyrillic}\p{Script=Arabic}\p{Script=Greek}\p{Script=Hebrew}]{3}/u.test(
      message.subject,
    ),
  );

  await signIn(page, latchkey);
  await expect(page.getByRole('heading', { name: 'Connect your first mailbox' })).toBeVisible();

  // A slow provider, so that the import can be watched.
  await simulator.fault({ kind: 'latency', path: '/gmail/v1/users/*/messages/*', milliseconds: 400 });
  await connect(page, latchkey);
  await page.getByRole('link', { name: 'Go to the inbox' }).click();
  const progress = page.getByRole('progressbar', { name: `Importing ${person}` });
  await expect(progress).toBeVisible();
  await expect(page.getByText(/messages so far|of about [\d,]+ messages/)).toBeVisible();
  const list = page.getByRole('listbox');
  await expect(list.getByRole('option').first()).toBeVisible();
  await simulator.clearFaults();

  await imported(page, latchkey);
  await expect(page.getByText(`${number.format(mailbox.length)} messages`)).toBeVisible();

  // Reading: HTML in a frame without rights, and another script.
  await page.getByRole('link', { name: 'Inbox' }).first().click();
  const search = page.getByRole('searchbox', { name: 'Search stored mail' });
  for (const message of [html, foreign]) {
    await search.fill(query(message.subject));
    await expect(page).toHaveURL(/[?&]q=/);
    const option = list
      .getByRole('option')
      .filter({ hasText: message.subject.trim().slice(0, 40) })
      .first();
    await expect(async () => {
      // Indexing runs behind the import; a search may come before it.
      if (!(await option.isVisible())) {
        await search.fill('');
        await search.fill(query(message.subject));
      }
      await expect(option).toBeVisible({ timeout: 3_000 });
    }).toPass({ timeout: 60_000 });
    await option.click();
    await expect(page.getByRole('article').getByRole('heading', { level: 2 })).toContainText(
      message.subject.trim().slice(0, 40),
    );
    if (message.hasHtml) {
      const frame = page.getByTitle('Body of the message');
      await expect(frame).toHaveAttribute('sandbox', 'allow-popups allow-popups-to-escape-sandbox');
      await expect(page.frameLocator('iframe').locator('body')).toContainText(/\p{L}{3}/u);
    } else {
      await expect(page.getByRole('region', { name: 'Body of the message' })).toContainText(/\p{L}{2}/u);
    }
  }
  await page.getByRole('button', { name: 'Clear search' }).first().click();

  // Mail keeps itself up to date without a reload.
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  const { id } = await simulator.deliver({
    from: 'Grace Example <grace@example.org>',
    to: person,
    subject: 'A letter that arrives while somebody watches',
    text: 'It came by itself.',
  });
  const arrived = list.getByRole('option', { name: /A letter that arrives while somebody watches/ });
  await expect(arrived).toBeVisible();
  await expect(arrived).toHaveAccessibleName(/^Unread/);
  await arrived.click();
  await expect(page.getByRole('region', { name: 'Body of the message' })).toContainText('It came by itself.');

  await simulator.label(id, { remove_labels: ['UNREAD'] });
  await expect(arrived).not.toHaveAccessibleName(/^Unread/);

  await simulator.remove(id);
  await expect(arrived).toHaveCount(0);
  await expect(page.getByText('This message is gone')).toBeVisible();
  expect(await page.evaluate(() => 'sameDocument' in window)).toBe(true);

  // Leaving: counts first, then a receipt, then nothing is left.
  await page.goto(`${latchkey.url}/accounts`);
  await page.getByRole('button', { name: `Actions for ${person}` }).click();
  await page.getByRole('menuitem', { name: 'Disconnect' }).click();
  const dialog = page.getByRole('alertdialog');
  await expect(dialog.getByText(`${number.format(mailbox.length)} messages`)).toBeVisible();
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await dialog.getByRole('button', { name: 'Disconnect and delete' }).click();
  await expect(dialog.getByText(/^Receipt: [\d,]+ items deleted/)).toBeVisible({ timeout: 60_000 });
  await expect(dialog.getByText(`${number.format(mailbox.length)} messages`)).toBeVisible();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(page.getByText('No mailbox connected')).toBeVisible();
  for (const path of ['messages', 'labels', 'connected-accounts']) {
    const answer = await page.request.get(`${latchkey.url}/api/v1/${path}`);
    expect(await answer.json(), path).toMatchObject({ items: [] });
  }
  // The grant is revoked at the provider, the mail there is untouched.
  await expect
    .poll(async () => (await simulator.grants()).filter((grant) => grant.account === person))
    .toEqual([]);
  expect((await simulator.mailbox()).length).toBe(mailbox.length);
});
