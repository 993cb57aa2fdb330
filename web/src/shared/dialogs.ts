import { create } from 'zustand';
import type { Capability, ConnectedAccount } from './api/accounts';

/** What the connect dialog is for: a new account, or more for one that is there. */
export type ConnectIntent =
  | { kind: 'add' }
  | { kind: 'reconnect'; account: ConnectedAccount }
  | { kind: 'grant'; account: ConnectedAccount; capabilities: Capability[] };

interface Dialogs {
  connect: ConnectIntent | null;
  help: boolean;
  openConnect: (intent: ConnectIntent) => void;
  closeConnect: () => void;
  setHelp: (open: boolean) => void;
}

/** Dialogs that any page may open; the frame of the app holds them. */
export const useDialogs = create<Dialogs>()((set) => ({
  connect: null,
  help: false,
  openConnect: (connect) => set({ connect }),
  closeConnect: () => set({ connect: null }),
  setHelp: (help) => set({ help }),
}));
