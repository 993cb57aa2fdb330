import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { sessionEnded } from '@/shared/api/client';
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
      onOpened: effects.catchUp,
      onState: (state) => setInterrupted(state === 'interrupted'),
      onRefused: sessionEnded,
    });
    return () => {
      close();
      effects.stop();
    };
  }, [queryClient]);

  return { interrupted };
}
