import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useDialogs } from '@/shared/dialogs';
import { beginChord, endChord, inChord, isTyping } from '@/shared/lib/keyboard';
import { usePreferences } from '@/shared/preferences';

export const searchBoxId = 'search-mail';

/** The single keys that work on every page. They can be turned off and never fire while somebody types. */
export function useGlobalShortcuts(): void {
  const navigate = useNavigate();
  const enabled = usePreferences((state) => state.shortcuts);
  const setHelp = useDialogs((state) => state.setHelp);
  const openCompose = useDialogs((state) => state.openCompose);

  useEffect(() => {
    if (!enabled) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))
        return;
      const afterG = inChord(event.timeStamp);
      endChord();
      if (afterG && event.key === 'i') void navigate({ to: '/inbox' });
      else if (afterG && event.key === 'a') void navigate({ to: '/accounts' });
      else if (afterG && event.key === 'c') void navigate({ to: '/calendar' });
      else if (event.key === 'g') beginChord(event.timeStamp);
      else if (event.key === 'c') openCompose({ kind: 'new' });
      else if (event.key === '?') setHelp(true);
      else if (event.key === '/') document.getElementById(searchBoxId)?.focus();
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [enabled, navigate, setHelp, openCompose]);
}
