import { useQuery } from '@tanstack/react-query';
import { ChevronRight, MessagesSquare } from 'lucide-react';
import { useState } from 'react';
import { threadQuery, type Message } from '@/shared/api/messages';
import { t } from '@/shared/i18n/i18n';
import { cn } from '@/shared/lib/cn';
import { shortTime, useNow } from '@/shared/lib/time';
import { nameOf } from './people';

/** The other messages of the conversation, oldest first, one click away. */
export function Conversation({ message, onOpen }: { message: Message; onOpen: (id: string) => void }) {
  const now = useNow();
  const [expanded, setExpanded] = useState(false);
  const { data } = useQuery(threadQuery(message.account_id, message.thread_id));
  if (!data || data.length < 2) return null;
  const oldestFirst = [...data].reverse();
  return (
    <div className="mt-3">
      <button
        type="button"
        aria-expanded={expanded}
        onClick={() => setExpanded(!expanded)}
        className="flex min-h-8 items-center gap-2 rounded-lg border border-line px-2.5 text-sm text-muted hover:border-line-strong hover:text-ink pointer-coarse:min-h-11"
      >
        <MessagesSquare aria-hidden className="size-4" />
        {t('message.conversation', { count: data.length })}
        <ChevronRight
          aria-hidden
          className={cn('size-3.5 transition-transform rtl:rotate-180', expanded && 'rotate-90')}
        />
      </button>
      {expanded && (
        <ul className="thin-scroll mt-1.5 max-h-48 overflow-y-auto rounded-xl border border-line">
          {oldestFirst.map((other) => (
            <li key={other.id} className="border-b border-line last:border-0">
              <button
                type="button"
                aria-current={other.id === message.id ? 'true' : undefined}
                onClick={() => onOpen(other.id)}
                className={cn(
                  'flex min-h-9 w-full items-baseline gap-3 px-3 py-1.5 text-start text-sm pointer-coarse:min-h-11',
                  other.id === message.id ? 'bg-accent-soft' : 'hover:bg-hover',
                )}
              >
                <bdi className={cn('w-32 shrink-0 truncate', !other.is_read && 'font-semibold')}>
                  {other.from ? nameOf(other.from) : t('inbox.noSender')}
                </bdi>
                <bdi className="min-w-0 flex-1 truncate text-muted">{other.snippet}</bdi>
                <time dateTime={other.received_at} className="tabular shrink-0 text-xs text-muted">
                  {shortTime(other.received_at, now)}
                </time>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
