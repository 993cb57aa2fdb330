import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react';
import type { ConnectedAccount } from '@/shared/api/accounts';
import type { MessageSummary } from '@/shared/api/messages';
import { t } from '@/shared/i18n/i18n';
import { accountName } from '@/shared/lib/account-name';
import { isTyping } from '@/shared/lib/keyboard';
import { useNow } from '@/shared/lib/time';
import { usePreferences } from '@/shared/preferences';
import { Spinner } from '@/shared/ui/spinner';
import { MessageRow } from './message-row';

const rowHeight = 78;
const moreWithin = 12;

interface MessageListProps {
  label: string;
  messages: MessageSummary[];
  accounts: ConnectedAccount[];
  showAccount: boolean;
  open: string | undefined;
  hasMore: boolean;
  loadingMore: boolean;
  onMore: () => void;
  onOpen: (id: string) => void;
  onClose: () => void;
}

/**
 * A listbox of which only the visible rows exist. The focus stays on the box and `aria-activedescendant` names the row, so
 * that nothing is lost when rows come and go with scrolling or with new mail.
 */
export function MessageList(props: MessageListProps) {
  const { label, messages, accounts, showAccount, open, hasMore, loadingMore, onMore, onOpen, onClose } =
    props;
  const now = useNow();
  const base = useId();
  const box = useRef<HTMLDivElement>(null);
  const [activeId, setActiveId] = useState(open ?? messages[0]?.id);
  const shortcuts = usePreferences((state) => state.shortcuts);

  // The active message is remembered by its id: mail that arrives above it does not move it.
  const found = messages.findIndex((message) => message.id === activeId);
  const active = found >= 0 ? found : 0;

  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualizer keeps its own state by design
  const rows = useVirtualizer({
    count: messages.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => messages[index]?.id ?? index,
    overscan: 6,
  });
  const items = rows.getVirtualItems();
  const lastVisible = items.at(-1)?.index ?? 0;

  useEffect(() => {
    if (hasMore && !loadingMore && lastVisible >= messages.length - moreWithin) onMore();
  }, [hasMore, loadingMore, lastVisible, messages.length, onMore]);

  const move = (to: number) => {
    const index = Math.max(0, Math.min(messages.length - 1, to));
    const message = messages[index];
    if (!message) return;
    setActiveId(message.id);
    rows.scrollToIndex(index, { align: 'auto' });
    // With a message open beside the list, moving reads on.
    if (open) onOpen(message.id);
  };
  const openActive = () => {
    const message = messages[active];
    if (message) onOpen(message.id);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? rowHeight) / rowHeight) - 1);
    const steps: Record<string, () => void> = {
      ArrowDown: () => move(active + 1),
      ArrowUp: () => move(active - 1),
      PageDown: () => move(active + page),
      PageUp: () => move(active - page),
      Home: () => move(0),
      End: () => move(messages.length - 1),
      Enter: openActive,
      ' ': openActive,
    };
    const step = steps[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    step();
  };

  const keys = useRef<(key: string) => boolean>(() => false);
  useEffect(() => {
    keys.current = (key) => {
      if (key === 'j') move(active + 1);
      else if (key === 'k') move(active - 1);
      else if (key === 'o') openActive();
      else if (key === 'u' && open) onClose();
      else return false;
      if (key !== 'u' || open) box.current?.focus({ preventScroll: true });
      return true;
    };
  });
  useEffect(() => {
    if (!shortcuts) return;
    const listen = (event: globalThis.KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))
        return;
      if (keys.current(event.key)) event.preventDefault();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [shortcuts]);

  const names = new Map(accounts.map((account) => [account.id, accountName(account, accounts)]));
  const optionId = (id: string) => `${base}-${id}`;
  const activeVisible = items.some((item) => item.index === active);
  const activeMessage = messages[active];
  return (
    <div
      ref={box}
      role="listbox"
      aria-label={label}
      tabIndex={0}
      aria-activedescendant={activeMessage && activeVisible ? optionId(activeMessage.id) : undefined}
      aria-busy={loadingMore || undefined}
      onKeyDown={onKeyDown}
      className="group thin-scroll min-h-0 flex-1 overflow-y-auto -outline-offset-2"
    >
      <div role="presentation" className="relative w-full" style={{ height: rows.getTotalSize() }}>
        {items.map((item) => {
          const message = messages[item.index];
          if (!message) return null;
          return (
            <MessageRow
              key={item.key}
              id={optionId(message.id)}
              message={message}
              account={showAccount ? names.get(message.account_id) : undefined}
              now={now}
              index={item.index}
              size={hasMore ? -1 : messages.length}
              height={rowHeight}
              top={item.start}
              open={message.id === open}
              active={item.index === active}
              onClick={() => {
                setActiveId(message.id);
                onOpen(message.id);
              }}
            />
          );
        })}
      </div>
      {loadingMore && (
        <div role="presentation" className="flex justify-center py-3 text-muted">
          <Spinner />
          <span className="sr-only">{t('inbox.loadingMore')}</span>
        </div>
      )}
    </div>
  );
}
