import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { ConnectedAccount } from '@/shared/api/accounts';
import { useAnnouncements } from '@/shared/announce';
import {
  missingCapabilities,
  serviceNames,
  statusLabel,
  statusLine,
  statusLooks,
} from '@/shared/account-status';
import { grantNow, useDialogs } from '@/shared/dialogs';
import { t } from '@/shared/i18n/i18n';
import { Rich } from '@/shared/i18n/rich';
import { useNow } from '@/shared/lib/time';
import { Button, buttonLook } from '@/shared/ui/button';
import { Notice } from '@/shared/ui/notice';
import { Progress } from '@/shared/ui/progress';

/** Above the list: imports that run, and accounts that need somebody. Mail of the others is shown all the same. */
export function AccountBanners({ accounts }: { accounts: ConnectedAccount[] }) {
  const importing = accounts.filter((account) => account.status === 'importing');
  const failing = accounts.filter((account) => statusLooks[account.status].needsPerson);
  if (importing.length === 0 && failing.length === 0) return null;
  return (
    <div className="flex flex-col gap-2 border-b border-line p-3">
      {importing.map((account) => (
        <Importing key={account.id} account={account} />
      ))}
      {failing.length === 1 && failing[0] && <OneFailing account={failing[0]} />}
      {failing.length > 1 && (
        <Notice
          tone="warn"
          actions={
            <Link to="/accounts" className={buttonLook({ size: 'small' })}>
              {t('inbox.details')}
            </Link>
          }
        >
          {t('inbox.partial', { failing: failing.length, total: accounts.length })}
        </Notice>
      )}
    </div>
  );
}

function Importing({ account }: { account: ConnectedAccount }) {
  const now = useNow();
  const murmur = useAnnouncements((state) => state.murmur);
  const label = statusLabel(account);
  const { progress } = account;

  useEffect(() => murmur(`${account.email}: ${label}`), [account.email, label, murmur]);

  return (
    <div className="px-1 py-0.5">
      <p className="flex items-baseline justify-between gap-3 text-sm">
        <span className="min-w-0 truncate font-medium">
          <Rich k="inbox.importing" values={{ email: <bdi>{account.email}</bdi> }} />
        </span>
      </p>
      <Progress
        className="mt-1.5"
        label={t('inbox.importing', { email: account.email })}
        value={progress?.total ? progress.done / progress.total : null}
        text={statusLine(account, now)}
      />
      <p className="tabular mt-1.5 text-xs text-muted">{statusLine(account, now)}</p>
    </div>
  );
}

function OneFailing({ account }: { account: ConnectedAccount }) {
  const openConnect = useDialogs((state) => state.openConnect);
  const missing = missingCapabilities(account);
  return (
    <Notice
      tone="warn"
      actions={
        account.action === 'reconnect' || account.action === 'continue' ? (
          <Button size="small" onClick={() => openConnect({ kind: 'reconnect', account })}>
            {t('action.reconnect')}
          </Button>
        ) : account.action === 'grant' ? (
          <Button size="small" onClick={() => grantNow(account, missing)}>
            {t('action.grant', { services: serviceNames(missing) })}
          </Button>
        ) : (
          <Link to="/accounts" className={buttonLook({ size: 'small' })}>
            {t('inbox.details')}
          </Link>
        )
      }
    >
      <Rich
        k="inbox.partialOne"
        values={{ email: <bdi className="font-medium">{account.email}</bdi>, status: statusLabel(account) }}
      />
    </Notice>
  );
}
