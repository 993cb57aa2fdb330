import { readFile } from 'node:fs/promises';
import { connect, expect, imported, other, person, signIn, test } from '../harness/test';
import type { Simulator } from '../harness/simulator';

const sent = async (simulator: Simulator, subject: string) =>
  (await simulator.mailbox()).filter(
    (message) => message.subject === subject && message.labelIds.includes('SENT'),
  );

test.beforeEach(async ({ page, latchkey }) => {
  await signIn(page, latchkey);
  await connect(page, latchkey, person, ['Send mail']);
  await imported(page, latchkey);
  await page.goto(`${latchkey.url}/inbox`);
  await expect(page.getByRole('option').first()).toBeVisible();
});

test('a message survives a reload, is taken back, then sent once with its file', async ({
  page,
  simulator,
}) => {
  await page.keyboard.press('c');
  const dialog = page.getByRole('dialog', { name: 'New message' });
  await dialog.getByRole('textbox', { name: 'To' }).fill(other);
  await dialog.getByRole('textbox', { name: 'To' }).press('Enter');
  await dialog.getByRole('textbox', { name: 'Subject' }).fill('Notes from the tower');
  const text = page.getByRole('textbox', { name: 'Text of the message' });
  await text.fill('The bells are louder than I thought.\n\nAda');
  await expect(dialog.getByText('Draft saved in this browser')).toBeVisible();
  await page.reload();
  await expect(text).toHaveValue(/The bells are louder/);

  await page.locator('input[type=file]').setInputFiles({
    name: 'notes.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('Seven bells, one of them cracked.'),
  });
  await expect(page.getByRole('button', { name: 'Remove notes.txt' })).toBeVisible();
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(page.getByText(/^Sending to grace@example.org in \d+ s$/)).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(text).toHaveValue(/The bells are louder/);
  expect(await sent(simulator, 'Notes from the tower')).toEqual([]);

  await text.press('Control+Enter');
  await expect(page.getByText('Message sent')).toBeVisible({ timeout: 90_000 });
  expect(await sent(simulator, 'Notes from the tower')).toHaveLength(1);
  await page.getByRole('navigation', { name: 'Mailboxes' }).getByRole('button', { name: 'Sent' }).click();
  const copy = page.getByRole('option', { name: /Notes from the tower/ });
  await expect(copy).toHaveCount(1, { timeout: 60_000 });
  await copy.click();
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: /^Download notes\.txt/ }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe('notes.txt');
  expect(await readFile(await file.path(), 'utf8')).toBe('Seven bells, one of them cracked.');
});

test('an answer quotes the message and stays in its conversation', async ({ page, simulator }) => {
  await simulator.deliver({
    from: 'Grace Example <grace@example.org>',
    to: person,
    subject: 'A question about the bells',
    text: 'How many are there?',
  });
  await page.getByRole('option', { name: /A question about the bells/ }).click({ timeout: 60_000 });
  await page.getByRole('article').getByRole('button', { name: 'Reply' }).click();
  const text = page.getByRole('textbox', { name: 'Text of the message' });
  await expect(text).toHaveValue(/Grace Example wrote:\n> How many are there\?/);
  await text.press('Control+Home');
  await text.pressSequentially('Seven.');
  await text.press('Control+Enter');
  await expect(page.getByText('Message sent')).toBeVisible({ timeout: 90_000 });
  const [answer] = await sent(simulator, 'Re: A question about the bells');
  expect(answer?.text).toContain('Seven.');
  await expect(page.getByRole('button', { name: '2 messages in this conversation' })).toBeVisible({
    timeout: 60_000,
  });
});
