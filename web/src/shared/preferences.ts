import { create } from 'zustand';
import { persist } from 'zustand/middleware';

export type Theme = 'system' | 'light' | 'dark';

interface Preferences {
  theme: Theme;
  shortcuts: boolean;
  /** The provider used last on this device, to mark it on the sign-in page. Nothing about the person. */
  lastProvider: string | null;
  setTheme: (theme: Theme) => void;
  setShortcuts: (on: boolean) => void;
  setLastProvider: (provider: string) => void;
}

/** Choices of this device. `public/theme.js` reads the theme before the first paint. */
export const usePreferences = create<Preferences>()(
  persist(
    (set) => ({
      theme: 'system',
      shortcuts: true,
      lastProvider: null,
      setTheme: (theme) => set({ theme }),
      setShortcuts: (shortcuts) => set({ shortcuts }),
      setLastProvider: (lastProvider) => set({ lastProvider }),
    }),
    { name: 'latchkey.preferences' },
  ),
);

export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
