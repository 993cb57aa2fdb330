import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { messageCatalog } from './scripts/message-catalog.ts';

// The server serves the app under a policy without 'unsafe-inline' and without data: addresses,
// so nothing may be inlined into the page.
export default defineConfig({
  plugins: [messageCatalog(), react(), tailwindcss()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: ['chrome123', 'firefox128', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: true,
  },
  server: {
    proxy: Object.fromEntries(
      [
        '/api',
        '/auth/login',
        '/auth/logout',
        '/auth/session',
        '/auth/sessions',
        '/auth/setup',
        '/auth/apis',
      ].map((path) => [path, process.env.LATCHKEY_URL ?? 'http://localhost:8000']),
    ),
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/testing/setup.ts'],
    include: ['src/**/*.test.{ts,tsx}'],
    restoreMocks: true,
    // A shared machine may be slow; nothing here waits for time to pass.
    testTimeout: 30_000,
    environmentOptions: { jsdom: { url: 'http://localhost:8000/' } },
  },
});
