import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import axe from 'axe-core';
import { expect } from 'vitest';
import { App } from '@/app/app';
import { Outside } from '@/app/outside';
import { isOutside } from '@/app/outside-path';
import { useAnnouncements } from '@/shared/announce';
import { useDialogs } from '@/shared/dialogs';
import { useDrafts } from '@/shared/drafts';
import { usePreferences } from '@/shared/preferences';

/** Opens the app at an address, as a person would. */
export function visit(path: string) {
  window.history.pushState(null, '', path);
  useDialogs.setState({ connect: null, help: false, compose: null, outbox: false });
  useDrafts.setState({ drafts: [], kept: true });
  useAnnouncements.setState({ toasts: [], whisper: '' });
  usePreferences.setState(usePreferences.getInitialState());
  const user = userEvent.setup();
  const address = new URL(window.location.href);
  return { user, ...render(isOutside(address.pathname) ? <Outside address={address} /> : <App />) };
}

/** Colours and sizes are looked at in Chromium; here it is about names, roles and structure. */
export async function expectAccessible() {
  const { violations } = await axe.run(document.body, {
    rules: { 'color-contrast': { enabled: false }, region: { enabled: false } },
  });
  expect(violations.map((violation) => `${violation.id}: ${violation.nodes[0]?.html}`)).toEqual([]);
}
