import { useCallback, useEffect, useState } from 'react';
import { fetchSession, type Session } from '@/shared/api/session-request';

/** The session while it is asked for, as far as the pages before signing in need it. */
export interface SessionState {
  data: Session | undefined;
  error: unknown;
  isPending: boolean;
  isError: boolean;
  isFetching: boolean;
  refetch: () => unknown;
}

/** Asks once who is signed in, without a query client. */
export function useSession(): SessionState {
  const [round, setRound] = useState(0);
  const [answer, setAnswer] = useState<{ round: number; data?: Session; error?: unknown }>();

  useEffect(() => {
    const stop = new AbortController();
    fetchSession(stop.signal).then(
      (data) => setAnswer({ round, data }),
      (error: unknown) => {
        if (!stop.signal.aborted) setAnswer({ round, error });
      },
    );
    return () => stop.abort();
  }, [round]);

  const refetch = useCallback(() => setRound((old) => old + 1), []);
  return {
    data: answer?.data,
    error: answer?.error,
    isPending: answer === undefined,
    isError: answer !== undefined && answer.data === undefined,
    isFetching: answer?.round !== round,
    refetch,
  };
}
