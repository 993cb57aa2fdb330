import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, unwrap } from './client';
import type { components } from './schema';

export type MessageSummary = components['schemas']['MessageSummary'];
export type Message = components['schemas']['Message'];
export type Person = components['schemas']['Person'];
export type Attachment = components['schemas']['Attachment'];
export type Label = components['schemas']['Label'];

export interface MessageFilter {
  account?: string | undefined;
  folder?: string | undefined;
  q?: string | undefined;
}

export const messagesQuery = (filter: MessageFilter) =>
  infiniteQueryOptions({
    queryKey: ['messages', filter],
    queryFn: ({ signal, pageParam }) =>
      unwrap(
        api.GET('/api/v1/messages', {
          params: { query: { ...filter, limit: 50, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export const threadQuery = (account: string, thread: string) =>
  queryOptions({
    queryKey: ['thread', account, thread],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET('/api/v1/messages', { params: { query: { account, thread, limit: 50 } }, signal }),
        )
      ).items,
  });

export const messageQuery = (id: string) =>
  queryOptions({
    queryKey: ['message', id],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/messages/{id}', { params: { path: { id } }, signal })),
    staleTime: 60_000,
    retry: false,
  });

export const labelsQuery = queryOptions({
  queryKey: ['labels'],
  queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/labels', { signal }))).items,
});

/**
 * The isolated document of a body; it goes into a sandboxed frame and nowhere else. With `images`, the server fetches remote
 * images for it, so that the sender never sees the reader's address.
 */
export function viewAddress(id: string, images: boolean): string {
  return `/api/v1/messages/${encodeURIComponent(id)}/view${images ? '?images=1' : ''}`;
}

export function attachmentAddress(message: string, attachment: string): string {
  return `/api/v1/messages/${encodeURIComponent(message)}/attachments/${encodeURIComponent(attachment)}`;
}
