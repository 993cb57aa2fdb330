import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { sessionQuery } from '@/shared/api/session';
import { applyEvents } from './event-effects';
import { openEventStream } from './event-stream';

/** Keeps what is on the page in step with the server while somebody is signed in. */
export function useLiveEvents(): { interrupted: boolean } {
  const queryClient = useQueryClient();
  const [interrupted, setInterrupted] = useState(false);

  useEffect(() => {
    const effects = applyEvents(queryClient);
    const close = openEventStream({
      onEvent: effects.take,
      onState: (state) => setInterrupted(state === 'interrupted'),
      onRefused: () => void queryClient.fetchQuery({ ...sessionQuery, staleTime: 0 }).catch(() => undefined),
    });
    return () => {
      close();
      effects.stop();
    };
  }, [queryClient]);

  return { interrupted };
}
