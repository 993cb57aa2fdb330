import { queryOptions } from '@tanstack/react-query';
import { api, csrfHeader, unwrap } from './client';
import { ApiError, offlineProblem, problemOf } from './problem';
import type { components } from './schema';

export type Outgoing = components['schemas']['Outgoing'];
export type OutgoingState = Outgoing['state'];
export type SendRequest = components['schemas']['SendRequest'];
export type Recipient = components['schemas']['Recipient'];
export type Upload = components['schemas']['Upload'];
export type SendAddress = components['schemas']['SendAddress'];

const moving: ReadonlySet<OutgoingState> = new Set(['queued', 'sending']);

/** The newest entries of the outbox, in every state. */
export const outboxQuery = queryOptions({
  queryKey: ['outbox'],
  queryFn: async ({ signal }) =>
    (await unwrap(api.GET('/api/v1/outbox', { params: { query: { limit: 50 } }, signal }))).items,
  // The event stream tells of changes; this is the net below it.
  refetchInterval: ({ state }) => (state.data?.some((entry) => moving.has(entry.state)) ? 2_000 : 60_000),
});

export const sendAddressesQuery = (account: string) =>
  queryOptions({
    queryKey: ['send-addresses', account],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET('/api/v1/connected-accounts/{id}/send-addresses', {
            params: { path: { id: account } },
            signal,
          }),
        )
      ).addresses,
    staleTime: 10 * 60_000,
  });

/** Repeating it with the same key never sends twice. */
export function sendMessage(body: SendRequest, key: string): Promise<Outgoing> {
  return unwrap(api.POST('/api/v1/messages', { params: { header: { 'Idempotency-Key': key } }, body }));
}

/** Undo while it waits; dismiss when it is over. */
export function cancelOutgoing(id: string): Promise<Outgoing> {
  return unwrap(api.DELETE('/api/v1/outbox/{id}', { params: { path: { id } } }));
}

export function retryOutgoing(id: string, confirmed = false): Promise<Outgoing> {
  return unwrap(api.POST('/api/v1/outbox/{id}/retry', { params: { path: { id } }, body: { confirmed } }));
}

export function deleteUpload(id: string): Promise<unknown> {
  return unwrap(api.DELETE('/api/v1/uploads/{id}', { params: { path: { id } } }));
}

/** Uploads one file. The older request interface, because it alone tells how far an upload is. */
export function uploadFile(
  file: File,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<Upload> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const query = new URLSearchParams({ name: file.name, type: file.type || 'application/octet-stream' });
    request.open('POST', `/api/v1/uploads?${query}`);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    for (const [name, value] of Object.entries(csrfHeader())) request.setRequestHeader(name, value);
    request.responseType = 'text';
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      let body: unknown;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        body = null;
      }
      if (request.status === 201) resolve(body as Upload);
      else reject(new ApiError(problemOf(body, new Response(null, { status: request.status || 500 }))));
    };
    request.onerror = () => reject(new ApiError(offlineProblem()));
    request.onabort = () => reject(new DOMException('aborted', 'AbortError'));
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}
