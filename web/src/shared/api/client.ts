import createClient, { type Middleware } from 'openapi-fetch';
import { ApiError, offlineProblem, problemOf } from './problem';
import type { paths } from './schema';

// The token is held in memory only and comes with the session.
let csrfToken: string | null = null;
let onUnauthenticated: () => void = () => {};

/** The server said that the session is over; the routes decide where to go. */
export function sessionEnded(): void {
  onUnauthenticated();
}

export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** For requests that do not go through `api`. */
export function csrfHeader(): Record<string, string> {
  return csrfToken ? { 'X-CSRF-Token': csrfToken } : {};
}

/** Called once for every answer that says the session is over. */
export function setUnauthenticatedHandler(handler: () => void): void {
  onUnauthenticated = handler;
}

const safe = new Set(['GET', 'HEAD', 'OPTIONS']);

const session: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept', 'application/json, application/problem+json');
    if (!safe.has(request.method) && csrfToken) request.headers.set('X-CSRF-Token', csrfToken);
    return request;
  },
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && schemaPath !== '/auth/session') onUnauthenticated();
    return response;
  },
};

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  credentials: 'same-origin',
  // Looked up at the time of the call, so that tests can put a network in its place.
  fetch: (request) => globalThis.fetch(request),
});
api.use(session);

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The data of an answer, or an ApiError with a code that has words. */
export async function unwrap<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(offlineProblem());
  }
  if (!answer.response.ok) throw new ApiError(problemOf(answer.error, answer.response));
  return answer.data as T;
}
