import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import type { ConnectedAccount } from '@/shared/api/accounts';
import type { MessageSummary } from '@/shared/api/messages';
import { sessionEnded } from '@/shared/api/client';
import type { StreamEvent } from './event-stream';

type MessagePages = InfiniteData<{ items: MessageSummary[]; next_cursor: string | null }>;

// The first change shows at once, a flood of them (an import) at this pace.
const pace = 1_500;

/** Turns events into fresh data. Events carry ids; the data comes from where it always comes from. */
export function applyEvents(queryClient: QueryClient) {
  const stale = new Set<'messages' | 'labels' | 'accounts'>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = 0;

  const flush = () => {
    timer = undefined;
    last = Date.now();
    for (const key of stale) void queryClient.invalidateQueries({ queryKey: [key] });
    stale.clear();
  };
  const refresh = (...keys: ('messages' | 'labels' | 'accounts')[]) => {
    keys.forEach((key) => stale.add(key));
    timer ??= setTimeout(flush, Math.max(0, last + pace - Date.now()));
  };

  const take = (event: StreamEvent) => {
    switch (event.type) {
      case 'message.upserted':
        for (const id of event.ids ?? []) void queryClient.invalidateQueries({ queryKey: ['message', id] });
        refresh('messages', 'labels');
        return;
      case 'message.deleted':
        forget(queryClient, event.ids ?? []);
        refresh('messages', 'labels');
        return;
      case 'sync.progress':
        if (event.account_id) progressed(queryClient, event.account_id, event.done ?? 0, event.total ?? 0);
        // A full read tells of its messages by its progress alone.
        refresh('accounts', 'labels', 'messages');
        return;
      case 'account.updated':
        refresh('accounts', 'labels', 'messages');
        void queryClient.invalidateQueries({ queryKey: ['erasure'] });
        if (event.account_id)
          void queryClient.invalidateQueries({ queryKey: ['account-activity', event.account_id] });
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

  return { take, stop: () => clearTimeout(timer) };
}

/** Shows progress at once; rate and estimate follow with the account itself. */
function progressed(queryClient: QueryClient, id: string, done: number, total: number): void {
  queryClient.setQueryData<ConnectedAccount[]>(['accounts'], (accounts) =>
    accounts?.map((account) =>
      account.id === id && account.progress
        ? { ...account, progress: { ...account.progress, done, total: total || null } }
        : account,
    ),
  );
}

/** Takes deleted messages off the page at once; the lists are read again in a moment. */
function forget(queryClient: QueryClient, ids: string[]): void {
  const gone = new Set(ids);
  queryClient.setQueriesData<MessagePages>(
    { queryKey: ['messages'] },
    (data) =>
      data && {
        ...data,
        pages: data.pages.map((page) => ({
          ...page,
          items: page.items.filter((message) => !gone.has(message.id)),
        })),
      },
  );
  for (const id of ids) void queryClient.resetQueries({ queryKey: ['message', id] });
}
