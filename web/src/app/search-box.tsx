import { useNavigate, useSearch } from '@tanstack/react-router';
import { Search, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { t } from '@/shared/i18n/i18n';
import { searchBoxId } from './shortcuts';

/** Searches stored mail from any page; the query lives in the address. */
export function SearchBox() {
  const { q, message } = useSearch({ strict: false });
  const navigate = useNavigate();
  const [text, setText] = useState(q ?? '');
  const input = useRef<HTMLInputElement>(null);
  const [seen, setSeen] = useState(q);
  // What was open when the typing began; a message opened meanwhile stays open.
  const openBefore = useRef(message);
  if (q !== seen) {
    // The address changed by itself (back button, a link): show what it says.
    setSeen(q);
    setText(q ?? '');
  }

  const go = (query: string) =>
    void navigate({
      to: '/inbox',
      search: (old) => ({
        account: 'account' in old ? old.account : undefined,
        folder: query ? undefined : 'folder' in old ? old.folder : undefined,
        q: query || undefined,
        message: 'message' in old && old.message !== openBefore.current ? old.message : undefined,
      }),
    });

  useEffect(() => {
    const query = text.trim();
    if (query === (q ?? '')) return;
    const timer = setTimeout(() => go(query), 350);
    return () => clearTimeout(timer);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- typing starts the wait anew, nothing else does
  }, [text]);

  return (
    <form
      role="search"
      className="relative w-full max-w-sm min-w-0"
      onSubmit={(event) => {
        event.preventDefault();
        go(text.trim());
      }}
    >
      <Search
        aria-hidden
        className="pointer-events-none absolute start-3 top-1/2 size-4 -translate-y-1/2 text-muted"
      />
      <input
        ref={input}
        id={searchBoxId}
        type="search"
        aria-label={t('search.label')}
        placeholder={t('search.placeholder')}
        autoComplete="off"
        maxLength={200}
        value={text}
        onChange={(event) => {
          openBefore.current = message;
          setText(event.target.value);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            setText('');
            event.currentTarget.blur();
          }
        }}
        className="h-9 w-full rounded-lg border border-line bg-surface ps-9 pe-9 text-base outline-offset-0 placeholder:text-muted hover:border-line-strong pointer-coarse:h-11 [&::-webkit-search-cancel-button]:hidden"
      />
      {text && (
        <button
          type="button"
          aria-label={t('search.clear')}
          onClick={() => {
            openBefore.current = message;
            setText('');
            go('');
            input.current?.focus();
          }}
          className="absolute end-1.5 top-1/2 grid size-6 -translate-y-1/2 place-items-center rounded-md text-muted hover:bg-hover hover:text-ink"
        >
          <X aria-hidden className="size-4" />
        </button>
      )}
    </form>
  );
}
