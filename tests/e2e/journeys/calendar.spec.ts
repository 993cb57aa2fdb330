import { connect, expect, expectAccessible, person, signIn, test, toProvider } from '../harness/test';

const day = (offset: number) =>
  new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');

// Around today, so that the week that is shown first has all of them.
test.use({
  calendar: [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Example//Journeys//EN',
    'BEGIN:VEVENT',
    'UID:planning@example.com',
    `DTSTAMP:${day(-20)}T080000Z`,
    `DTSTART:${day(-14)}T090000Z`,
    `DTEND:${day(-14)}T100000Z`,
    'RRULE:FREQ=DAILY;COUNT=60',
    'SUMMARY:Planning',
    'LOCATION:Room 4',
    'END:VEVENT',
    'BEGIN:VEVENT',
    'UID:festival@example.com',
    `DTSTAMP:${day(-20)}T080000Z`,
    `DTSTART;VALUE=DATE:${day(0)}`,
    `DTEND;VALUE=DATE:${day(1)}`,
    'SUMMARY:Festival of lanterns',
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n'),
});

test('the week shows a series and a whole day, and every event tells where it comes from', async ({
  page,
  latchkey,
}) => {
  await signIn(page, latchkey);
  await connect(page, latchkey, person, ['Read calendar']);
  await page.goto(`${latchkey.url}/calendar`);
  await expect(page.getByRole('button', { name: /^Festival of lanterns, All day/ })).toBeVisible({
    timeout: 90_000,
  });
  // One in each of the seven days.
  await expect(page.getByRole('button', { name: /^Planning, / })).toHaveCount(7);
  await expectAccessible(page);
  await page
    .getByRole('button', { name: /^Planning, / })
    .first()
    .click();
  const dialog = page.getByRole('dialog', { name: 'Planning' });
  await expect(dialog.getByText('Room 4')).toBeVisible();
  await expect(dialog.getByText('Part of a series')).toBeVisible();
  await dialog.getByRole('button', { name: 'Close' }).first().click();
  await page.getByRole('button', { name: 'Agenda' }).click();
  await expect(page.getByRole('heading', { name: /Today$/ })).toBeVisible();
  await expectAccessible(page);
});

test('a calendar that was unticked at first is granted with one click', async ({ page, latchkey }) => {
  await signIn(page, latchkey);
  await toProvider(page, latchkey, ['Read calendar']);
  const opening = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Continue to Google' }).click();
  const popup = await opening;
  await popup.getByRole('button', { name: person }).click();
  for (const box of await popup.getByRole('checkbox', { name: /calendar/i }).all()) await box.uncheck();
  await popup.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByText('Connected, but something was not allowed')).toBeVisible();
  await page.getByRole('button', { name: 'Keep without' }).click();

  await page.goto(`${latchkey.url}/calendar`);
  await expect(page.getByText('No calendar permission')).toBeVisible();
  const again = page.waitForEvent('popup');
  await page.getByRole('button', { name: `Grant calendar of ${person}` }).click();
  const second = await again;
  const closed = second.waitForEvent('close');
  const chooser = second.getByRole('button', { name: person });
  const consent = second.getByRole('button', { name: 'Continue' });
  await expect(chooser.or(consent).first()).toBeVisible();
  if (await chooser.isVisible()) await chooser.click();
  await consent.click();
  await closed;
  await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
  await expect(page.getByRole('button', { name: /^Festival of lanterns/ })).toBeVisible({ timeout: 90_000 });
});
