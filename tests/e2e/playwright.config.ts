import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'journeys',
  // Every test has a server of its own; two at a time are enough for a small machine.
  fullyParallel: true,
  workers: Number(process.env.E2E_WORKERS ?? 2),
  timeout: 180_000,
  expect: { timeout: 30_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: [['list']],
  outputDir: 'test-results',
  use: {
    locale: 'en-GB',
    timezoneId: 'UTC',
    viewport: { width: 1280, height: 800 },
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      // Playwright turns the popup blocker off; people have it on.
      ignoreDefaultArgs: ['--disable-popup-blocking'],
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
});
