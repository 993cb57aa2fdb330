import { create } from 'zustand';
import type { Capability, ConnectedAccount } from './api/accounts';
import type { Message } from './api/messages';
import { openConnectWindow } from './connect-window';

/** What the connect dialog is for: a new account, or more for one that is there. */
export type ConnectIntent =
  | { kind: 'add' }
  | { kind: 'reconnect'; account: ConnectedAccount }
  | { kind: 'grant'; account: ConnectedAccount; capabilities: Capability[] };

/** What the compose dialog begins with. */
export type ComposeIntent =
  | { kind: 'new' }
  | { kind: 'reply'; message: Message; all: boolean }
  | { kind: 'forward'; message: Message }
  | { kind: 'draft'; id: string };

/** A window that was opened in the click; null when the browser blocked it. */
export type OpenedWindow = Window | null;

interface Dialogs {
  connect: ConnectIntent | null;
  help: boolean;
  compose: ComposeIntent | null;
  outbox: boolean;
  openConnect: (intent: ConnectIntent) => void;
  closeConnect: () => void;
  setHelp: (open: boolean) => void;
  openCompose: (intent: ComposeIntent) => void;
  closeCompose: () => void;
  setOutbox: (open: boolean) => void;
}

// Not part of the state: a window is handed over once, to the dialog that was opened for it.
let opened: { window: OpenedWindow } | null = null;

/** Dialogs that any page may open; the frame of the app holds them. */
export const useDialogs = create<Dialogs>()((set) => ({
  connect: null,
  help: false,
  compose: null,
  outbox: false,
  openConnect: (connect) => set({ connect }),
  closeConnect: () => set({ connect: null }),
  setHelp: (help) => set({ help }),
  openCompose: (compose) => set({ compose, outbox: false }),
  closeCompose: () => set({ compose: null }),
  setOutbox: (outbox) => set({ outbox }),
}));

/**
 * Asks the provider for more with this one click: the window opens in it, and the dialog goes straight to waiting. Must be called
 * in the click itself.
 */
export function grantNow(account: ConnectedAccount, capabilities: Capability[]): void {
  opened = { window: openConnectWindow() };
  useDialogs.getState().openConnect({ kind: 'grant', account, capabilities });
}

/** The window that `grantNow` opened for the dialog that asks, once; undefined when there is none. */
export function takeOpenedWindow(): OpenedWindow | undefined {
  const taken = opened;
  opened = null;
  return taken?.window;
}
