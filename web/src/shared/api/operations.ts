import { queryOptions } from '@tanstack/react-query';
import { api, unwrap } from './client';
import type { components } from './schema';

export type Job = components['schemas']['Job'];
export type JobState = components['schemas']['JobState'];
export type Notice = components['schemas']['Notice'];

export const jobsQuery = (state: JobState | undefined) =>
  queryOptions({
    queryKey: ['jobs', state ?? 'all'],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET('/api/v1/jobs', { params: { query: { limit: 100, ...(state ? { state } : {}) } }, signal }),
        )
      ).items,
    refetchInterval: 5_000,
  });

export const noticesQuery = queryOptions({
  queryKey: ['notices'],
  queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/admin/notices', { signal }))).items,
  refetchInterval: 60_000,
});

export function retryJob(id: string): Promise<Job> {
  return unwrap(api.POST('/api/v1/jobs/{id}/retry', { params: { path: { id } } }));
}

export function cancelJob(id: string): Promise<Job> {
  return unwrap(api.POST('/api/v1/jobs/{id}/cancel', { params: { path: { id } } }));
}
