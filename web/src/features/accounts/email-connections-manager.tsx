import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { MailPlus, Plus } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { accountsQuery, type ConnectedAccount } from '@/shared/api/accounts';
import { noticesQuery } from '@/shared/api/operations';
import { sessionQuery } from '@/shared/api/session';
import { useDialogs } from '@/shared/dialogs';
import { providerName } from '@/shared/error-words';
import { hasMessage, t } from '@/shared/i18n/i18n';
import { ago, useNow } from '@/shared/lib/time';
import { PageTitle } from '@/shared/page-title';
import { Button } from '@/shared/ui/button';
import { Empty } from '@/shared/ui/empty';
import { Notice } from '@/shared/ui/notice';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { Spinner } from '@/shared/ui/spinner';
import { AccountCard } from './account-card';
import type { AccountDialog } from './account-menu';

// Loaded when they are first opened.
const dialogs = {
  rename: lazy(async () => ({ default: (await import('./rename-dialog')).RenameDialog })),
  permissions: lazy(async () => ({ default: (await import('./permissions-dialog')).PermissionsDialog })),
  activity: lazy(async () => ({
    default: (await import('./account-activity-dialog')).AccountActivityDialog,
  })),
  audit: lazy(async () => ({ default: (await import('./audit-dialog')).AuditDialog })),
  disconnect: lazy(async () => ({ default: (await import('./disconnect-dialog')).DisconnectDialog })),
};

/** All connected accounts of this person: their state, what can be done, and how to add one. `approved`: an administrator comes
 * back from approving this app for the organisation. */
export function EmailConnectionsManager({ approved = false }: { approved?: boolean }) {
  const { data: session } = useSuspenseQuery(sessionQuery);
  const accounts = useQuery(accountsQuery);
  const openConnect = useDialogs((state) => state.openConnect);
  // Held here, not in the card: the card of a disconnected account leaves while its receipt is being read.
  const [dialog, setDialog] = useState<{ kind: AccountDialog; account: ConnectedAccount } | null>(null);
  const Shown = dialog && dialogs[dialog.kind];

  return (
    <main className="thin-scroll min-h-0 flex-1 overflow-y-auto">
      <PageTitle title={t('accounts.title')} />
      <div className="mx-auto max-w-3xl px-4 py-6 md:py-9">
        <div className="flex flex-wrap items-start gap-x-4 gap-y-3">
          <div className="min-w-0 flex-1 basis-64">
            <h1 className="text-xl font-semibold tracking-tight">{t('accounts.title')}</h1>
            <p className="mt-1 max-w-prose text-muted">{t('accounts.intro')}</p>
          </div>
          {accounts.data && accounts.data.length > 0 && (
            <Button look="primary" onClick={() => openConnect({ kind: 'add' })}>
              <Plus aria-hidden className="size-4" />
              {t('accounts.add')}
            </Button>
          )}
        </div>

        {approved && (
          <Notice tone="ok" className="mt-5" title={t('accounts.approved')}>
            {t('accounts.approvedBody')}
          </Notice>
        )}
        {session.user?.is_admin && <Notices />}

        {accounts.isPending && <Spinner className="mx-auto mt-12 size-6 text-muted" />}
        {accounts.isError && !accounts.data && (
          <ProblemNotice
            className="mt-6"
            error={accounts.error}
            actions={
              <Button size="small" busy={accounts.isFetching} onClick={() => void accounts.refetch()}>
                {t('common.retry')}
              </Button>
            }
          />
        )}
        {accounts.data?.length === 0 && (
          <div className="mt-6 rounded-2xl border border-dashed border-line-strong">
            <Empty
              icon={<MailPlus aria-hidden />}
              title={t('accounts.empty.title')}
              actions={
                <Button look="primary" onClick={() => openConnect({ kind: 'add' })}>
                  {t('inbox.first.connect')}
                </Button>
              }
            >
              {t('accounts.empty.body')}
            </Empty>
          </div>
        )}
        <ul className="mt-6 flex flex-col gap-3">
          {accounts.data?.map((account) => (
            <li key={account.id}>
              <AccountCard account={account} onDialog={(kind) => setDialog({ kind, account })} />
            </li>
          ))}
        </ul>
      </div>
      <Suspense fallback={null}>
        {dialog && Shown && <Shown account={dialog.account} onClose={() => setDialog(null)} />}
      </Suspense>
    </main>
  );
}

/** Faults of the installation: told once to administrators, never to the owners of the accounts they touch. */
function Notices() {
  const now = useNow();
  const { data: notices } = useQuery(noticesQuery);
  if (!notices?.length) return null;
  return (
    <section aria-label={t('accounts.notices')} className="mt-5 flex flex-col gap-2">
      {notices.map((notice) => {
        const provider = providerName(notice.provider);
        const key = `notice.${notice.code}`;
        return (
          <Notice
            key={notice.id}
            tone="bad"
            title={
              hasMessage(key) ? t(key, { provider }) : t('notice.other', { code: notice.code, provider })
            }
          >
            {t('accounts.noticeCount', { count: notice.count, time: ago(notice.last_seen_at, now) })}
          </Notice>
        );
      })}
    </section>
  );
}
