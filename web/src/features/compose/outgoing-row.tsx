import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, CircleHelp, CircleX, Clock, Hourglass, Send, Undo2 } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import { accountsQuery, type ConnectedAccount } from '@/shared/api/accounts';
import { cancelOutgoing, outboxQuery, retryOutgoing, type Outgoing } from '@/shared/api/outbox';
import { problemFrom } from '@/shared/api/problem';
import { say } from '@/shared/announce';
import { grantNow, useDialogs } from '@/shared/dialogs';
import { changeDraft, useDrafts } from '@/shared/drafts';
import { problemWords } from '@/shared/error-words';
import { t } from '@/shared/i18n/i18n';
import { cn } from '@/shared/lib/cn';
import { uniqueId } from '@/shared/lib/unique';
import { clockTime, fullTime } from '@/shared/lib/time';
import { Button, buttonLook } from '@/shared/ui/button';

const looks = {
  queued: { icon: Clock, tone: 'text-accent' },
  sending: { icon: Send, tone: 'text-accent' },
  sent: { icon: CircleCheck, tone: 'text-ok' },
  failed: { icon: CircleX, tone: 'text-bad' },
  unconfirmed: { icon: CircleHelp, tone: 'text-warn' },
  held: { icon: Hourglass, tone: 'text-warn' },
  cancelled: { icon: Undo2, tone: 'text-muted' },
} satisfies Record<Outgoing['state'], unknown>;

/** The present, to the second, while something counts down. */
function useSeconds(running: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [running]);
  return now;
}

/** Undo, try again and dismiss, with what becomes of the draft. */
export function useOutgoingVerbs(entry: Outgoing) {
  const queryClient = useQueryClient();
  const openCompose = useDialogs((state) => state.openCompose);
  const draft = useDrafts((state) => state.drafts.find((one) => one.outbox === entry.id));
  const took = (changed: Outgoing) =>
    queryClient.setQueryData<Outgoing[]>(outboxQuery.queryKey, (old) =>
      old?.map((other) => (other.id === changed.id ? changed : other)),
    );
  const failed = (error: unknown) => {
    void queryClient.invalidateQueries({ queryKey: outboxQuery.queryKey });
    return problemFrom(error).code;
  };

  /** Back to writing; it was certainly not sent, so the next try is a message of its own. */
  const reopen = () => {
    if (!draft) return;
    changeDraft(draft.id, { outbox: null, key: uniqueId() });
    openCompose({ kind: 'draft', id: draft.id });
  };
  const undo = useMutation({
    mutationFn: () => cancelOutgoing(entry.id),
    onSuccess: (changed) => {
      took(changed);
      if (draft) reopen();
      else say(t('outbox.cancelledToast'));
    },
    onError: (error) =>
      say(
        failed(error) === 'conflict' ? t('outbox.tooLate') : problemWords(problemFrom(error).code).title,
        'bad',
      ),
  });
  const dismiss = useMutation({
    mutationFn: () => cancelOutgoing(entry.id),
    onSuccess: () => {
      if (draft) changeDraft(draft.id, { outbox: null, key: uniqueId() });
      void queryClient.invalidateQueries({ queryKey: outboxQuery.queryKey });
    },
    onError: (error) => say(problemWords(failed(error)).title, 'bad'),
  });
  const retry = useMutation({
    mutationFn: (confirmed: boolean) => retryOutgoing(entry.id, confirmed),
    onSuccess: took,
    onError: (error) => {
      const code = failed(error);
      say(code === 'gone' ? t('outbox.filesGone') : problemWords(code).title, 'bad');
    },
  });
  return { undo, dismiss, retry, reopen: draft ? reopen : undefined };
}

function firstRecipient(entry: Outgoing): string {
  const all = [...entry.to, ...entry.cc, ...entry.bcc];
  const first = all[0]?.name?.trim() || all[0]?.address || '';
  return all.length > 1 ? t('outbox.andOthers', { first, count: all.length - 1 }) : first;
}

/** Title and explanation of the state an entry is in. */
function words(
  entry: Outgoing,
  provider: string | null,
  now: number,
): { title: string; body: string | null } {
  const people = firstRecipient(entry);
  const seconds = Math.ceil((Date.parse(entry.send_at) - now) / 1000);
  switch (entry.state) {
    case 'queued':
      if (entry.error_code)
        return {
          title: t('outbox.retrying', { people }),
          body: `${problemWords(entry.error_code, entry.params, provider).title} · ${t('line.retryAt', { time: clockTime(entry.send_at, now) })}`,
        };
      return {
        title: seconds > 0 ? t('outbox.sendingIn', { people, seconds }) : t('outbox.sending', { people }),
        body: null,
      };
    case 'sending':
      return { title: t('outbox.sending', { people }), body: null };
    case 'sent':
      return { title: t('outbox.sent', { people }), body: entry.sent_at ? fullTime(entry.sent_at) : null };
    case 'failed': {
      const why = problemWords(entry.error_code ?? 'internal', entry.params, provider);
      return { title: t('outbox.failed', { people }), body: `${why.title}. ${why.body}` };
    }
    case 'unconfirmed': {
      const why = problemWords('send_unconfirmed');
      return { title: why.title, body: why.body };
    }
    case 'held':
      return { title: t('outbox.held', { people }), body: t('outbox.heldBody') };
    case 'cancelled':
      return { title: t('outbox.cancelled', { people }), body: null };
  }
}

const reconnects = new Set(['reauth_invalid_grant', 'reauth_test_mode', 'no_refresh_token', 'mfa_required']);

interface OutgoingRowProps {
  entry: Outgoing;
  /** The place over the page has room for what matters now; the list for everything. */
  brief?: boolean;
}

export function OutgoingRow({ entry, brief = false }: OutgoingRowProps) {
  const counting = entry.state === 'queued';
  const now = useSeconds(counting);
  const { data: accounts } = useQuery(accountsQuery);
  const account = accounts?.find((one) => one.id === entry.account_id);
  const { icon: Icon, tone } = looks[entry.state];
  const { title, body } = words(entry, account?.provider ?? null, now);
  return (
    <div className="flex items-start gap-3">
      <Icon aria-hidden className={cn('mt-0.5 size-4.5 shrink-0', tone)} />
      <div className="min-w-0 flex-1">
        <p className="tabular font-medium break-words">{title}</p>
        <p className="truncate text-sm text-muted">
          <bdi>{entry.subject || t('inbox.noSubject')}</bdi>
          {!brief && <> · {fullTime(entry.created_at)}</>}
        </p>
        {body && <p className="mt-0.5 text-sm break-words text-muted">{body}</p>}
        <div className="mt-1.5 flex flex-wrap gap-2 empty:hidden">
          <Actions entry={entry} account={account} brief={brief} />
        </div>
      </div>
    </div>
  );
}

function Actions({
  entry,
  account,
  brief,
}: {
  entry: Outgoing;
  account: ConnectedAccount | undefined;
  brief: boolean;
}) {
  const { undo, dismiss, retry, reopen } = useOutgoingVerbs(entry);
  const openConnect = useDialogs((state) => state.openConnect);
  const setOutbox = useDialogs((state) => state.setOutbox);
  const [sure, setSure] = useState(false);
  const code = entry.error_code ?? '';
  const dismissButton = (
    <Button size="small" look="quiet" busy={dismiss.isPending} onClick={() => dismiss.mutate()}>
      {t('common.dismiss')}
    </Button>
  );
  let own: ReactNode = null;
  switch (entry.state) {
    case 'queued':
      own = (
        <Button
          size="small"
          look={brief ? 'primary' : 'plain'}
          busy={undo.isPending}
          onClick={() => undo.mutate()}
        >
          {t('outbox.undo')}
        </Button>
      );
      break;
    case 'failed':
      own = (
        <>
          {code === 'send_scope_missing' && account && (
            <Button size="small" onClick={() => grantNow(account, ['send_mail'])}>
              {t('outbox.allow')}
            </Button>
          )}
          {reconnects.has(code) && account && (
            <Button size="small" onClick={() => openConnect({ kind: 'reconnect', account })}>
              {t('action.reconnect')}
            </Button>
          )}
          {reopen && (
            <Button size="small" onClick={reopen}>
              {t('outbox.openDraft')}
            </Button>
          )}
          <Button size="small" busy={retry.isPending} onClick={() => retry.mutate(false)}>
            {t('common.retry')}
          </Button>
          {dismissButton}
        </>
      );
      break;
    case 'unconfirmed':
      own = (
        <>
          <Button size="small" busy={retry.isPending} onClick={() => retry.mutate(false)}>
            {t('outbox.checkAgain')}
          </Button>
          <Link
            to="/inbox"
            search={{ account: entry.account_id, folder: 'sent' }}
            onClick={() => setOutbox(false)}
            className={buttonLook({ size: 'small' })}
          >
            {t('outbox.lookInSent')}
          </Link>
          {!brief &&
            (sure ? (
              <Button size="small" look="danger" onClick={() => retry.mutate(true)}>
                {t('outbox.sendTwice')}
              </Button>
            ) : (
              <Button size="small" look="quiet" onClick={() => setSure(true)}>
                {t('outbox.sendAnyway')}
              </Button>
            ))}
          {!brief && dismissButton}
        </>
      );
      break;
    case 'held':
      own = (
        <>
          <Button size="small" busy={retry.isPending} onClick={() => retry.mutate(false)}>
            {t('outbox.sendNow')}
          </Button>
          <Button size="small" look="quiet" busy={undo.isPending} onClick={() => undo.mutate()}>
            {t('outbox.doNotSend')}
          </Button>
        </>
      );
      break;
    case 'sent':
      own = !brief && entry.message_id && (
        <Link
          to="/inbox"
          search={{ account: entry.account_id, folder: 'sent', message: entry.message_id }}
          onClick={() => setOutbox(false)}
          className={buttonLook({ size: 'small', look: 'quiet' })}
        >
          {t('outbox.show')}
        </Link>
      );
      break;
    case 'sending':
    case 'cancelled':
      break;
  }
  return own;
}
