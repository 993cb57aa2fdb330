import { api, setCsrfToken, unwrap } from './client';
import type { components } from './schema';

export type Session = components['schemas']['Session'];
export type SessionInfo = components['schemas']['SessionInfo'];
export type ProviderInfo = components['schemas']['ProviderInfo'];
export type ProviderId = components['schemas']['ProviderId'];

/** Who is signed in here and what this installation offers. Answers also without a session. */
export async function fetchSession(signal: AbortSignal): Promise<Session> {
  const session = await unwrap(api.GET('/auth/session', { signal }));
  setCsrfToken(session.csrfToken);
  return session;
}
