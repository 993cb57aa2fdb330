import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import {
  disconnectAccount,
  erasurePreviewQuery,
  erasureQuery,
  type ConnectedAccount,
  type Erasure,
} from '@/shared/api/accounts';
import { providerName } from '@/shared/error-words';
import { hasMessage, t } from '@/shared/i18n/i18n';
import { Rich } from '@/shared/i18n/rich';
import { clockTime, useNow } from '@/shared/lib/time';
import { Button } from '@/shared/ui/button';
import { AlertDialog } from '@/shared/ui/dialog';
import { Notice } from '@/shared/ui/notice';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { Progress } from '@/shared/ui/progress';
import { Spinner } from '@/shared/ui/spinner';

// The tables a person has words for; everything else is counted together.
const told = ['synced_messages', 'attachments', 'calendar_events', 'labels'];

function countLines(counts: Record<string, number>): string[] {
  const lines: string[] = [];
  let others = 0;
  for (const [table, count] of Object.entries(counts)) {
    const key = `table.${table}`;
    if (told.includes(table) && hasMessage(key)) lines.push(t(key, { count }));
    else others += count;
  }
  if (others > 0) lines.push(t('table.other', { count: others }));
  return lines;
}

/** Asks before a copy is deleted, says what goes and what stays, and ends with the receipt. */
export function DisconnectDialog({ account, onClose }: { account: ConnectedAccount; onClose: () => void }) {
  const cancel = useRef<HTMLButtonElement>(null);
  const queryClient = useQueryClient();
  const disconnect = useMutation({
    mutationFn: () => disconnectAccount(account.id),
    onSuccess: (erasure) => {
      queryClient.setQueryData(erasureQuery(erasure.id).queryKey, erasure);
      for (const key of ['labels', 'messages']) void queryClient.invalidateQueries({ queryKey: [key] });
    },
  });
  const id = disconnect.data?.id ?? '';
  const erasure = useQuery({ ...erasureQuery(id), enabled: id !== '' });

  const leave = () => {
    onClose();
    if (id)
      for (const key of ['accounts', 'labels', 'messages'])
        void queryClient.invalidateQueries({ queryKey: [key] });
  };
  const current = erasure.data ?? disconnect.data;
  const provider = providerName(account.provider);
  const done = current?.status === 'completed';
  return (
    <AlertDialog
      open
      onClose={leave}
      safe={cancel}
      title={
        <Rich
          k={done ? 'disconnect.done' : current ? 'disconnect.running' : 'disconnect.title'}
          values={{ email: <bdi>{account.email}</bdi> }}
        />
      }
      description={t(current ? 'disconnect.noUndo' : 'disconnect.body')}
      footer={
        current ? (
          <Button look="primary" onClick={leave}>
            {t('common.close')}
          </Button>
        ) : (
          <>
            <Button ref={cancel} onClick={leave}>
              {t('common.cancel')}
            </Button>
            <Button look="danger" busy={disconnect.isPending} onClick={() => disconnect.mutate()}>
              {t('disconnect.confirm')}
            </Button>
          </>
        )
      }
    >
      {current ? (
        <Receipt erasure={current} provider={provider} />
      ) : (
        <>
          <Consequences account={account} provider={provider} />
          {disconnect.isError && (
            <ProblemNotice error={disconnect.error} provider={account.provider} className="mt-3" />
          )}
        </>
      )}
    </AlertDialog>
  );
}

function Consequences({ account, provider }: { account: ConnectedAccount; provider: string }) {
  const preview = useQuery(erasurePreviewQuery(account.id));
  return (
    <div className="flex flex-col gap-3 text-base">
      <div className="rounded-xl bg-sunken px-3.5 py-3">
        <p className="text-sm font-medium text-muted">{t('disconnect.deleted')}</p>
        {preview.isPending ? (
          <p className="mt-1 flex items-center gap-2 text-muted">
            <Spinner />
            {t('disconnect.counting')}
          </p>
        ) : (
          <ul className="tabular mt-1 font-medium">
            {countLines(preview.data?.counts ?? { synced_messages: account.message_count }).map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        )}
      </div>
      <ul className="ms-4 list-disc text-sm text-muted marker:text-line-strong">
        <li>
          {t('disconnect.kept', { provider })}{' '}
          {t(preview.data?.revokes_grant === false ? 'disconnect.shared' : 'disconnect.revoked', {
            provider,
          })}
        </li>
        {account.used_to_sign_in && <li>{t('disconnect.signIn')}</li>}
      </ul>
    </div>
  );
}

function Receipt({ erasure, provider }: { erasure: Erasure; provider: string }) {
  const now = useNow();
  const { done, total } = erasure.progress;
  const gone = Object.values(erasure.counts).reduce((sum, count) => sum + count, 0);
  if (erasure.status !== 'completed') {
    return (
      <div role="status">
        <Progress label={t('status.disconnecting')} value={total > 0 ? done / total : null} />
      </div>
    );
  }
  return (
    <Notice
      tone="ok"
      role="status"
      title={t('disconnect.receipt', {
        count: gone,
        time: erasure.finished_at ? clockTime(erasure.finished_at, now) : '',
      })}
    >
      <ul className="tabular">
        {countLines(erasure.counts).map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <p className="mt-1">{t(`disconnect.revocation.${erasure.revocation}`, { provider })}</p>
    </Notice>
  );
}
