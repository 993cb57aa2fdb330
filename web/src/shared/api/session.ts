import { queryOptions } from '@tanstack/react-query';
import { api, unwrap } from './client';
import { fetchSession } from './session-request';

export type { ProviderId, ProviderInfo, Session, SessionInfo } from './session-request';

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }) => fetchSession(signal),
  staleTime: 5 * 60_000,
});

export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: ({ signal }) => unwrap(api.GET('/auth/sessions', { signal })),
});

export function logout(everywhere: boolean): Promise<unknown> {
  return unwrap(api.POST('/auth/logout', { body: { everywhere } }));
}

export function endSession(id: string): Promise<unknown> {
  return unwrap(api.DELETE('/auth/sessions/{id}', { params: { path: { id } } }));
}
