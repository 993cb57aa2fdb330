import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import {
  connectAttemptQuery,
  createConnectAttempt,
  type ConnectAttempt,
  type ConnectAttemptRequest,
} from '@/shared/api/connect-attempts';
import { localPath } from '@/shared/lib/local-path';
import { onFinished, openConnectWindow } from '@/shared/connect-window';

type Request = Omit<ConnectAttemptRequest, 'mode'>;

export type ConnectFlow =
  | { step: 'idle' }
  | { step: 'starting' }
  | { step: 'blocked'; request: Request }
  | { step: 'waiting'; request: Request; attempt: ConnectAttempt; slow: boolean }
  | { step: 'finished'; request: Request; attempt: ConnectAttempt }
  | { step: 'failed'; request: Request; error: unknown };

type Started =
  | { step: 'idle' | 'starting' }
  | { step: 'blocked'; request: Request }
  | { step: 'started'; request: Request; attempt: ConnectAttempt }
  | { step: 'failed'; request: Request; error: unknown };

const patience = 45_000;

/** Runs one try to connect a mailbox: window, attempt, and how it ended. */
export function useConnectFlow() {
  const queryClient = useQueryClient();
  const [started, setStarted] = useState<Started>({ step: 'idle' });
  const [slow, setSlow] = useState(false);
  const popup = useRef<Window | null>(null);

  const id = started.step === 'started' ? started.attempt.id : '';
  const { data: latest, refetch } = useQuery({ ...connectAttemptQuery(id), enabled: id !== '' });
  const over = latest !== undefined && latest.status !== 'pending';

  useEffect(() => {
    if (!id) return;
    const stop = onFinished(id, () => void refetch());
    const timer = setTimeout(() => setSlow(true), patience);
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [id, refetch]);

  useEffect(() => {
    if (!over) return;
    popup.current?.close();
    popup.current = null;
    void queryClient.invalidateQueries({ queryKey: ['accounts'] });
    void queryClient.invalidateQueries({ queryKey: ['labels'] });
  }, [over, queryClient]);

  /** Opens the window in this very click, then asks the server where to send it. */
  const start = useCallback((request: Request, opened = openConnectWindow()) => {
    setSlow(false);
    if (!opened) {
      setStarted({ step: 'blocked', request });
      return;
    }
    popup.current = opened;
    setStarted({ step: 'starting' });
    createConnectAttempt({ ...request, mode: 'popup' }).then(
      (attempt) => {
        opened.location.replace(new URL(localPath(attempt.url), window.location.origin));
        setStarted({ step: 'started', request, attempt });
      },
      (error: unknown) => {
        opened.close();
        setStarted({ step: 'failed', request, error });
      },
    );
  }, []);

  /** The same without a window: this tab goes to the provider and comes back. */
  const startHere = useCallback((request: Request) => {
    popup.current?.close();
    setStarted({ step: 'starting' });
    createConnectAttempt({ ...request, mode: 'page' }).then(
      (attempt) => window.location.assign(localPath(attempt.url)),
      (error: unknown) => setStarted({ step: 'failed', request, error }),
    );
  }, []);

  const bringToFront = useCallback(() => popup.current?.focus(), []);

  const reset = useCallback(() => {
    popup.current?.close();
    popup.current = null;
    setStarted({ step: 'idle' });
  }, []);

  let flow: ConnectFlow;
  if (started.step !== 'started') flow = started;
  else if (over) flow = { step: 'finished', request: started.request, attempt: latest };
  else flow = { ...started, step: 'waiting', slow };
  return { flow, start, startHere, bringToFront, reset };
}
