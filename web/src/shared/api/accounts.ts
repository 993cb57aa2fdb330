import { queryOptions } from '@tanstack/react-query';
import { api, unwrap } from './client';
import type { components } from './schema';

export type ConnectedAccount = components['schemas']['ConnectedAccount'];
export type AccountStatus = components['schemas']['AccountStatus'];
export type Capability = components['schemas']['Capability'];
export type Erasure = components['schemas']['Erasure'];
export type ErasurePreview = components['schemas']['ErasurePreview'];
export type AccountHealth = components['schemas']['AccountHealth'];
export type ServiceHealth = components['schemas']['ServiceHealth'];
export type Audit = components['schemas']['Audit'];
export type AuditCounts = components['schemas']['AuditCounts'];
export type ActivityLine = components['schemas']['ActivityLine'];

const moving: ReadonlySet<AccountStatus> = new Set([
  'pending',
  'authorizing',
  'importing',
  'syncing',
  'disconnecting',
]);

export const accountsQuery = queryOptions({
  queryKey: ['accounts'],
  queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/connected-accounts', { signal }))).items,
  // The event stream tells of changes; this is the net below it, and it rests when nothing moves.
  refetchInterval: ({ state }) =>
    state.data?.some((account) => moving.has(account.status)) ? 5_000 : 60_000,
});

/** Each check and each service of an account; the list has only what is most urgent. */
export const healthQuery = (id: string) =>
  queryOptions({
    queryKey: ['account-health', id],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/connected-accounts/{id}/health', { params: { path: { id } }, signal })),
    staleTime: 30_000,
  });

export const auditQuery = (id: string) =>
  queryOptions({
    queryKey: ['audit', id],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/connected-accounts/{id}/audit', { params: { path: { id } }, signal })),
    // The event stream tells of the end; this is the net below it.
    refetchInterval: ({ state }) => (state.data?.state === 'running' ? 2_000 : false),
    staleTime: 0,
  });

export function startAudit(id: string): Promise<Audit> {
  return unwrap(api.POST('/api/v1/connected-accounts/{id}/audit', { params: { path: { id } } }));
}

export const activityQuery = (id: string) =>
  queryOptions({
    queryKey: ['account-activity', id],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET('/api/v1/connected-accounts/{id}/activity', {
            params: { path: { id }, query: { limit: 30 } },
            signal,
          }),
        )
      ).items,
  });

export const erasurePreviewQuery = (id: string) =>
  queryOptions({
    queryKey: ['erasure-preview', id],
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/v1/connected-accounts/{id}/erasure-preview', { params: { path: { id } }, signal }),
      ),
    staleTime: 0,
  });

export const erasureQuery = (id: string) =>
  queryOptions({
    queryKey: ['erasure', id],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/erasures/{id}', { params: { path: { id } }, signal })),
    refetchInterval: ({ state }) => (state.data?.status === 'completed' ? false : 1_000),
  });

type Verb = 'sync' | 'pause' | 'resume';

export function changeAccount(id: string, verb: Verb): Promise<ConnectedAccount> {
  const params = { path: { id } };
  if (verb === 'sync') return unwrap(api.POST('/api/v1/connected-accounts/{id}/sync', { params }));
  if (verb === 'pause') return unwrap(api.POST('/api/v1/connected-accounts/{id}/pause', { params }));
  return unwrap(api.POST('/api/v1/connected-accounts/{id}/resume', { params }));
}

export function renameAccount(id: string, displayName: string): Promise<ConnectedAccount> {
  return unwrap(
    api.PATCH('/api/v1/connected-accounts/{id}', {
      params: { path: { id } },
      body: { display_name: displayName },
    }),
  );
}

export function disconnectAccount(id: string): Promise<Erasure> {
  return unwrap(api.DELETE('/api/v1/connected-accounts/{id}', { params: { path: { id } } }));
}
