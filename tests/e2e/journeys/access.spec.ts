import { connect, expect, expectAccessible, imported, person, signIn, test } from '../harness/test';

for (const scheme of ['light', 'dark'] as const) {
  test(`every page is accessible with real mail in ${scheme}`, async ({ page, latchkey }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(`${latchkey.url}/login`);
    await expect(page.getByRole('button', { name: 'Continue with Google' })).toBeVisible();
    await expectAccessible(page);
    await page.goto(`${latchkey.url}/auth/error?error=state_mismatch`);
    await expect(
      page.getByRole('heading', { name: 'We could not match this sign-in to your browser' }),
    ).toBeVisible();
    await expectAccessible(page);

    await signIn(page, latchkey);
    await expect(page.getByRole('heading', { name: 'Connect your first mailbox' })).toBeVisible();
    await expectAccessible(page);
    await connect(page, latchkey);
    await expectAccessible(page);
    await imported(page, latchkey);
    await expectAccessible(page);

    await page.goto(`${latchkey.url}/inbox`);
    await page.getByRole('option').first().click();
    await expect(page.getByRole('article')).toBeVisible();
    await expectAccessible(page);
    await page.goto(`${latchkey.url}/inbox?q=nothing-like-this-anywhere`);
    await expect(page.getByText(/Nothing found for/)).toBeVisible();
    await expectAccessible(page);

    await page.goto(`${latchkey.url}/activity`);
    await expect(page.getByRole('table')).toBeVisible();
    await expectAccessible(page);
    await page.goto(`${latchkey.url}/settings`);
    await expect(page.getByText('This browser')).toBeVisible();
    await expectAccessible(page);
    await page.goto(`${latchkey.url}/no/such/page`);
    await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible();
    await expectAccessible(page);
  });
}

test('everything can be done with the keyboard alone', async ({ page, latchkey }) => {
  await page.goto(latchkey.setupUrl);
  await page.getByRole('button', { name: 'Continue with Google' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: person }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Continue' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Connect your first mailbox' })).toBeVisible();

  // The skip link comes first and leads past the frame of the page.
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Connect a mailbox' })).toBeFocused();

  // Through the dialog; the focus stays inside it.
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Add an account' });
  await expect(dialog).toBeVisible();
  for (let presses = 0; presses < 8; presses += 1) {
    await page.keyboard.press('Tab');
    await expect(dialog.locator(':focus')).toHaveCount(1);
  }
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Connect a mailbox' })).toBeFocused();

  await connect(page, latchkey);
  await imported(page, latchkey);

  // g i, j, o, k, u, /, ? and Escape.
  await page.keyboard.press('g');
  await page.keyboard.press('i');
  await expect(page).toHaveURL(/\/inbox/);
  const list = page.getByRole('listbox');
  await expect(list.getByRole('option').nth(2)).toBeVisible();
  const subjects = await list
    .getByRole('option')
    .evaluateAll((options) => options.slice(0, 2).map((option) => option.id));
  await page.keyboard.press('j');
  await expect(list).toBeFocused();
  await expect(list).toHaveAttribute('aria-activedescendant', subjects[1] ?? '');
  await page.keyboard.press('k');
  await expect(list).toHaveAttribute('aria-activedescendant', subjects[0] ?? '');
  await page.keyboard.press('o');
  await expect(page.getByRole('article')).toBeVisible();
  await page.keyboard.press('u');
  await expect(page.getByRole('article')).toHaveCount(0);
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  await page.keyboard.press('Escape');

  // The menu of an account, by keys.
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await expect(page).toHaveURL(/\/accounts/);
  await page.getByRole('button', { name: `Actions for ${person}` }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem').first()).toBeFocused();
  await page.keyboard.press('End');
  await expect(page.getByRole('menuitem', { name: 'Disconnect' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alertdialog').getByRole('button', { name: 'Cancel' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alertdialog')).toHaveCount(0);
});
