import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { changeAccount, healthQuery, type ConnectedAccount } from '@/shared/api/accounts';
import { problemFrom } from '@/shared/api/problem';
import { missingCapabilities, serviceNames } from '@/shared/account-status';
import { say } from '@/shared/announce';
import { ConnectionStatusIndicator } from '@/shared/connection-status-indicator';
import { grantNow, useDialogs } from '@/shared/dialogs';
import { problemWords } from '@/shared/error-words';
import { t } from '@/shared/i18n/i18n';
import { number } from '@/shared/lib/time';
import { Button } from '@/shared/ui/button';
import { CopyButton } from '@/shared/ui/copy-button';
import { ProviderMark } from '@/shared/ui/logo';
import { Progress } from '@/shared/ui/progress';
import { AccountMenu, type AccountDialog } from './account-menu';
import { AccountServices } from './account-services';

/** Sync now, pause and resume, with what the person hears of them. */
export function useAccountVerbs(account: ConnectedAccount) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (verb: 'sync' | 'pause' | 'resume') => changeAccount(account.id, verb),
    onSuccess: (changed, verb) => {
      queryClient.setQueryData<ConnectedAccount[]>(['accounts'], (accounts) =>
        accounts?.map((other) => (other.id === changed.id ? changed : other)),
      );
      const words = {
        sync: 'accounts.checking',
        pause: 'accounts.pausedToast',
        resume: 'accounts.resumedToast',
      } as const;
      say(t(words[verb], { email: account.email }));
    },
    onError: (error) => say(problemWords(problemFrom(error).code, {}, account.provider).title, 'bad'),
  });
}

interface AccountCardProps {
  account: ConnectedAccount;
  onDialog: (dialog: AccountDialog) => void;
}

export function AccountCard({ account, onDialog }: AccountCardProps) {
  const busyProgress =
    account.status === 'importing' || account.status === 'disconnecting' ? account.progress : null;
  const leaving = account.status === 'disconnecting' || account.status === 'disconnected';
  const { data: health } = useQuery({ ...healthQuery(account.id), enabled: !leaving });
  const name = account.display_name && account.display_name !== account.email ? account.display_name : null;

  return (
    <article
      aria-label={account.email}
      className="rounded-2xl border border-line bg-surface p-4 shadow-card sm:p-5"
    >
      <div className="flex items-start gap-3.5">
        <span className="mt-0.5 grid size-10 shrink-0 place-items-center rounded-xl border border-line bg-raised">
          <ProviderMark provider={account.provider} />
        </span>
        <div className="min-w-0 flex-1">
          <h2 className="flex flex-wrap items-center gap-x-2 font-semibold">
            <bdi className="min-w-0 break-all">{name ?? account.email}</bdi>
            {account.used_to_sign_in && (
              <span className="rounded-full bg-accent-soft px-2 py-0.5 text-xs font-medium text-accent-soft-ink">
                {t('accounts.usedToSignIn')}
              </span>
            )}
          </h2>
          <p className="text-sm break-all text-muted">
            {name && (
              <>
                <bdi>{account.email}</bdi>
                {' · '}
              </>
            )}
            <span className="tabular whitespace-nowrap">
              {t('accounts.messages', { count: account.message_count })}
            </span>
          </p>
        </div>
        {!leaving && <AccountMenu account={account} onDialog={onDialog} />}
      </div>

      <div className="mt-4 flex flex-wrap items-center justify-between gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 basis-60">
          <ConnectionStatusIndicator account={account} health={health} detailed />
        </div>
        <PrimaryAction account={account} />
      </div>
      {busyProgress && (
        <Progress
          className="mt-3"
          label={t(account.status === 'importing' ? 'inbox.importing' : 'disconnect.running', {
            email: account.email,
          })}
          value={busyProgress.total ? busyProgress.done / busyProgress.total : null}
          text={
            busyProgress.total ? `${number(busyProgress.done)} / ${number(busyProgress.total)}` : undefined
          }
        />
      )}
      {account.reason === 'reauth_test_mode' && <TestModeHelp />}
      {!leaving && <AccountServices account={account} services={health?.services} />}
    </article>
  );
}

/** The one thing the server says to offer first. */
function PrimaryAction({ account }: { account: ConnectedAccount }) {
  const verbs = useAccountVerbs(account);
  const openConnect = useDialogs((state) => state.openConnect);
  const urgent =
    account.action === 'reconnect' || account.action === 'grant' || account.action === 'continue';
  const act = () => {
    switch (account.action) {
      case 'sync_now':
      case 'retry':
        return verbs.mutate('sync');
      case 'pause':
        return verbs.mutate('pause');
      case 'resume':
        return verbs.mutate('resume');
      case 'grant':
        return grantNow(account, missingCapabilities(account));
      case 'connect_again':
        return openConnect({ kind: 'add' });
      case 'reconnect':
      case 'continue':
        return openConnect({ kind: 'reconnect', account });
      default:
        return undefined;
    }
  };
  if (account.action === 'none') return null;
  if (account.action === 'copy_admin_link') {
    return (
      <div className="flex flex-wrap gap-2">
        {account.admin_consent_url && (
          <CopyButton size="normal" text={account.admin_consent_url} label={t('action.copy_admin_link')} />
        )}
        <Button onClick={() => openConnect({ kind: 'reconnect', account })}>{t('action.approved')}</Button>
      </div>
    );
  }
  return (
    <Button look={urgent ? 'primary' : 'plain'} busy={verbs.isPending} onClick={act}>
      {t(`action.${account.action}`, { services: serviceNames(missingCapabilities(account)) })}
    </Button>
  );
}

/** Google ends access weekly while its project is being tested; only an administrator can end that. */
function TestModeHelp() {
  return (
    <details className="mt-3 rounded-xl bg-sunken px-3.5 py-2.5 text-sm">
      <summary className="cursor-pointer font-medium">{t('accounts.testModeHelp')}</summary>
      <p className="mt-1 text-muted">{t('accounts.testModeSteps')}</p>
    </details>
  );
}
