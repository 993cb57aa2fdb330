import { useMutation, useQueryClient } from '@tanstack/react-query';
import { CalendarDays, CircleCheck, CircleMinus, Mail, Send, ShieldQuestion } from 'lucide-react';
import { changeAccount, type Capability, type ConnectedAccount } from '@/shared/api/accounts';
import { problemFrom } from '@/shared/api/problem';
import { capabilities, missingCapabilities, serviceNames } from '@/shared/account-status';
import { say } from '@/shared/announce';
import { ConnectionStatusIndicator } from '@/shared/connection-status-indicator';
import { useDialogs } from '@/shared/dialogs';
import { problemWords } from '@/shared/error-words';
import { t } from '@/shared/i18n/i18n';
import { number } from '@/shared/lib/time';
import { Button } from '@/shared/ui/button';
import { ProviderMark } from '@/shared/ui/logo';
import { Progress } from '@/shared/ui/progress';
import { AccountMenu, type AccountDialog } from './account-menu';

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
          <ConnectionStatusIndicator account={account} detailed />
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
      {!leaving && <Services account={account} />}
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
        return openConnect({ kind: 'grant', account, capabilities: missingCapabilities(account) });
      case 'connect_again':
        return openConnect({ kind: 'add' });
      case 'reconnect':
      case 'continue':
        return openConnect({ kind: 'reconnect', account });
      default:
        return undefined;
    }
  };
  if (account.action === 'none' || account.action === 'copy_admin_link') return null;
  return (
    <Button look={urgent ? 'primary' : 'plain'} busy={verbs.isPending} onClick={act}>
      {t(`action.${account.action}`, { services: serviceNames(missingCapabilities(account)) })}
    </Button>
  );
}

const serviceLooks = {
  ok: { icon: CircleCheck, tone: 'text-ok' },
  off: { icon: CircleMinus, tone: 'text-muted' },
  missing_scope: { icon: ShieldQuestion, tone: 'text-warn' },
  unavailable: { icon: CircleMinus, tone: 'text-muted' },
} as const;

const serviceRows = {
  read_mail: { icon: Mail, label: 'service.mail' },
  send_mail: { icon: Send, label: 'service.send' },
  read_calendar: { icon: CalendarDays, label: 'service.calendar' },
} as const satisfies Record<Capability, unknown>;

/** Mail, send and calendar, each with its own state. */
function Services({ account }: { account: ConnectedAccount }) {
  return (
    <ul className="mt-4 flex flex-wrap gap-x-6 gap-y-2 border-t border-line pt-3 text-sm">
      {capabilities.map((capability) => {
        const { icon: Icon, label } = serviceRows[capability];
        const { status } = account.capabilities[capability];
        const { icon: State, tone } = serviceLooks[status];
        return (
          <li key={capability} className="flex items-center gap-2">
            <Icon aria-hidden className="size-4 text-muted" />
            <span>{t(label)}</span>
            <span className={`inline-flex items-center gap-1 ${tone}`}>
              <State aria-hidden className="size-3.5" />
              {t(`service.${status}`)}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
