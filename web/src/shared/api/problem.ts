import type { components } from './schema';

export type ErrorCode = components['schemas']['ErrorCode'];
export type Params = components['schemas']['Params'];

/** Codes that only a browser can find. */
export type ClientCode = 'popup_blocked' | 'popup_closed' | 'connect_timeout' | 'offline' | 'stale_client';

export interface Problem {
  code: ErrorCode | ClientCode;
  status: number;
  ref: string | null;
  params: Params;
  retryAfter: number | null;
}

export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.code);
    this.name = 'ApiError';
    this.problem = problem;
  }
}

export function offlineProblem(): Problem {
  return { code: 'offline', status: 0, ref: null, params: {}, retryAfter: null };
}

/** What an error answer says, also when something between us and the server wrote it. */
export function problemOf(body: unknown, response: Response): Problem {
  const given = (typeof body === 'object' && body !== null ? body : {}) as Partial<
    components['schemas']['Problem']
  >;
  return {
    code: given.code ?? 'internal',
    status: response.status,
    ref: given.ref ?? null,
    params: given.params ?? {},
    retryAfter: Number(response.headers.get('Retry-After')) || null,
  };
}

export function problemFrom(error: unknown): Problem {
  return error instanceof ApiError
    ? error.problem
    : { code: 'internal', status: 0, ref: null, params: {}, retryAfter: null };
}
