import { defineConfig } from '@playwright/test';

// Looks at the built app in Chromium with answers from fixtures: every state of every page, in light and dark, with axe, and
// under the Content-Security-Policy of the server. Run `npm run build` first.
export default defineConfig({
  testDir: '.',
  fullyParallel: true,
  workers: 2,
  timeout: 30_000,
  reporter: [['list']],
  outputDir: '../../test-results/pages',
  use: {
    baseURL: 'http://localhost:18080',
    locale: 'en-GB',
    timezoneId: 'UTC',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
});
