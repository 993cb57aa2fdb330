import { QueryClient } from '@tanstack/react-query';
import { ApiError } from '@/shared/api/problem';

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        // What the caller did wrong does not get better by asking again.
        retry: (count, error) =>
          count < 2 &&
          !(error instanceof ApiError && error.problem.status >= 400 && error.problem.status < 500),
        retryDelay: (attempt) => Math.min(1_000 * 2 ** attempt, 8_000),
      },
      mutations: { retry: false },
    },
  });
}
