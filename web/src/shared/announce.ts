import { create } from 'zustand';

export interface Toast {
  id: number;
  text: string;
  tone: 'info' | 'bad';
}

interface Announcements {
  toasts: Toast[];
  /** For ears only: status that the page shows elsewhere. */
  whisper: string;
  say: (text: string, tone?: Toast['tone']) => void;
  dismiss: (id: number) => void;
  murmur: (text: string) => void;
}

let next = 1;
let lastMurmur = 0;
const quiet = 8_000;

export const useAnnouncements = create<Announcements>()((set) => ({
  toasts: [],
  whisper: '',
  say: (text, tone = 'info') =>
    set(({ toasts }) => ({ toasts: [...toasts.slice(-2), { id: next++, text, tone }] })),
  dismiss: (id) => set(({ toasts }) => ({ toasts: toasts.filter((toast) => toast.id !== id) })),
  // Progress changes often; a screen reader hears of it once in a while.
  murmur: (text) => {
    const now = Date.now();
    if (now - lastMurmur < quiet) return;
    lastMurmur = now;
    set({ whisper: text });
  },
}));

export const say = (text: string, tone?: Toast['tone']) => useAnnouncements.getState().say(text, tone);
