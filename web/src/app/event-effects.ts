import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import type { ConnectedAccount } from '@/shared/api/accounts';
import type { MessageSummary } from '@/shared/api/messages';
import { sessionEnded } from '@/shared/api/client';
import type { StreamEvent } from './event-stream';

type MessagePages = InfiniteData<{ items: MessageSummary[]; next_cursor: string | null }>;

type Refreshed = 'messages' | 'thread' | 'labels' | 'accounts' | 'calendars' | 'calendar-events';

// The first change shows at once, a flood of them (an import) at this pace.
const pace = 1_500;

/** Turns events into fresh data. Events carry ids; the data comes from where it always comes from. */
export function applyEvents(queryClient: QueryClient) {
  const stale = new Set<Refreshed>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = 0;

  const flush = () => {
    timer = undefined;
    last = Date.now();
    for (const key of stale) void queryClient.invalidateQueries({ queryKey: [key] });
    stale.clear();
  };
  const refresh = (...keys: Refreshed[]) => {
    keys.forEach((key) => stale.add(key));
    timer ??= setTimeout(flush, Math.max(0, last + pace - Date.now()));
  };

  const take = (event: StreamEvent) => {
    switch (event.type) {
      case 'message.upserted':
        // Without an id, many messages changed at once.
        void queryClient.invalidateQueries({
          queryKey: event.message_id ? ['message', event.message_id] : ['message'],
        });
        refresh('messages', 'thread', 'labels');
        return;
      case 'message.deleted':
        if (event.message_id) forget(queryClient, event.message_id);
        else void queryClient.invalidateQueries({ queryKey: ['message'] });
        refresh('messages', 'thread', 'labels');
        return;
      case 'sync.progress':
        if (event.account_id && event.progress) progressed(queryClient, event.account_id, event.progress);
        // A full read tells of its messages by its progress alone.
        refresh('accounts', 'labels', 'messages');
        return;
      case 'account.updated':
        refresh('accounts', 'labels', 'messages');
        void queryClient.invalidateQueries({ queryKey: ['erasure'] });
        if (event.account_id) {
          void queryClient.invalidateQueries({ queryKey: ['account-activity', event.account_id] });
          void queryClient.invalidateQueries({ queryKey: ['account-health', event.account_id] });
        }
        return;
      case 'calendar.changed':
        refresh('calendars', 'calendar-events');
        return;
      case 'outbox.changed':
        void queryClient.invalidateQueries({ queryKey: ['outbox'] });
        return;
      case 'audit.finished':
        void queryClient.invalidateQueries({
          queryKey: event.account_id ? ['audit', event.account_id] : ['audit'],
        });
        return;
      case 'connect.finished':
        void queryClient.invalidateQueries({
          queryKey: event.attempt_id ? ['connect-attempt', event.attempt_id] : ['connect-attempt'],
        });
        refresh('accounts', 'labels', 'messages');
        return;
      case 'session.ended':
        sessionEnded();
        return;
      case 'resync':
        void queryClient.invalidateQueries();
    }
  };

  /** Reads the lists again that may have been read before the stream began to tell of changes. */
  const catchUp = () => refresh('messages', 'labels', 'accounts', 'calendars', 'calendar-events');

  return { take, catchUp, stop: () => clearTimeout(timer) };
}

/** Shows progress at once; rate and estimate, where the event has none, follow with the account itself. */
function progressed(
  queryClient: QueryClient,
  id: string,
  progress: NonNullable<StreamEvent['progress']>,
): void {
  queryClient.setQueryData<ConnectedAccount[]>(['accounts'], (accounts) =>
    accounts?.map((account) =>
      account.id === id
        ? {
            ...account,
            progress: {
              ...progress,
              rate: progress.rate ?? account.progress?.rate ?? null,
              eta_seconds: progress.eta_seconds ?? account.progress?.eta_seconds ?? null,
            },
          }
        : account,
    ),
  );
}

/** Takes a deleted message off the page at once; the lists are read again in a moment. */
function forget(queryClient: QueryClient, id: string): void {
  queryClient.setQueriesData<MessagePages>(
    { queryKey: ['messages'] },
    (data) =>
      data && {
        ...data,
        pages: data.pages.map((page) => ({
          ...page,
          items: page.items.filter((message) => message.id !== id),
        })),
      },
  );
  void queryClient.resetQueries({ queryKey: ['message', id] });
}
