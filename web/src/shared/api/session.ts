import { queryOptions } from '@tanstack/react-query';
import { api, setCsrfToken, unwrap } from './client';
import type { components } from './schema';

export type Session = components['schemas']['Session'];
export type SessionInfo = components['schemas']['SessionInfo'];
export type ProviderInfo = components['schemas']['ProviderInfo'];
export type ProviderId = components['schemas']['ProviderId'];

/** Who is signed in here and what this installation offers. Answers also without a session. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }): Promise<Session> => {
    const session = await unwrap(api.GET('/auth/session', { signal }));
    setCsrfToken(session.csrfToken);
    return session;
  },
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
