import { queryOptions } from '@tanstack/react-query';
import { api, unwrap } from './client';
import type { components } from './schema';

export type ConnectAttempt = components['schemas']['ConnectAttempt'];
export type ConnectAttemptRequest = components['schemas']['ConnectAttemptRequest'];

export function createConnectAttempt(request: ConnectAttemptRequest): Promise<ConnectAttempt> {
  return unwrap(api.POST('/api/v1/connect-attempts', { body: request }));
}

/** The server's record is the truth of how connecting ended; asked until it has. */
export const connectAttemptQuery = (id: string) =>
  queryOptions({
    queryKey: ['connect-attempt', id],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/connect-attempts/{id}', { params: { path: { id } }, signal })),
    refetchInterval: ({ state }) => (state.data && state.data.status !== 'pending' ? false : 2_000),
    refetchIntervalInBackground: true,
    staleTime: 0,
  });
