import type { Label } from '@/shared/api/messages';
import { hasMessage, t } from '@/shared/i18n/i18n';

/** Where in the mail somebody is; the address of the page says the same. */
export interface Place {
  account?: string | undefined;
  /** A role such as `inbox`, `all`, or the id of a label of the chosen account. */
  folder?: string | undefined;
  q?: string | undefined;
  message?: string | undefined;
}

export type Go = (place: Place, options?: { replace?: boolean }) => void;

export const everything = 'all';

/** Folders that mean the same in every account, in the order people expect. */
export const roles = ['inbox', 'starred', 'sent', 'drafts', 'archive', everything, 'spam', 'trash'] as const;

/** The folder that is asked of the server: the inbox unless another one is chosen; none for everything and for searches. */
export function folderOf(place: Place): string | undefined {
  if (place.folder === everything) return undefined;
  if (place.q && !place.folder) return undefined;
  return place.folder ?? 'inbox';
}

export function folderName(folder: string, labels: Label[] | undefined): string {
  const key = `folder.${folder}`;
  if (hasMessage(key)) return t(key);
  return labels?.find((label) => label.id === folder)?.name ?? t('folder.all');
}

export function sumByRole(
  labels: Label[] | undefined,
  role: string,
  account?: string,
): { unread: number; total: number } {
  let unread = 0;
  let total = 0;
  for (const label of labels ?? []) {
    if (label.role !== role || (account && label.account_id !== account)) continue;
    unread += label.unread;
    total += label.total;
  }
  return { unread, total };
}
