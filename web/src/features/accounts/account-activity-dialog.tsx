import { useQuery } from '@tanstack/react-query';
import { CircleCheck, CircleX, Clock, LoaderCircle } from 'lucide-react';
import { activityQuery, type ActivityLine, type ConnectedAccount } from '@/shared/api/accounts';
import { problemWords } from '@/shared/error-words';
import { hasMessage, t } from '@/shared/i18n/i18n';
import { Rich } from '@/shared/i18n/rich';
import { ago, fullTime, useNow } from '@/shared/lib/time';
import { Dialog } from '@/shared/ui/dialog';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { Spinner } from '@/shared/ui/spinner';

const looks = {
  PENDING: { icon: Clock, tone: 'text-muted' },
  RUNNING: { icon: LoaderCircle, tone: 'text-accent' },
  COMPLETED: { icon: CircleCheck, tone: 'text-ok' },
  FAILED: { icon: CircleX, tone: 'text-bad' },
} satisfies Record<ActivityLine['status'], unknown>;

/** What was done for one account lately. */
export function AccountActivityDialog({
  account,
  onClose,
}: {
  account: ConnectedAccount;
  onClose: () => void;
}) {
  const lines = useQuery(activityQuery(account.id));
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={<Rich k="activity.accountTitle" values={{ email: <bdi>{account.email}</bdi> }} />}
    >
      {lines.isPending && <Spinner className="mx-auto my-6 size-5 text-muted" />}
      {lines.isError && <ProblemNotice error={lines.error} />}
      {lines.data?.length === 0 && <p className="py-4 text-muted">{t('activity.accountNone')}</p>}
      <ul className="divide-y divide-line">
        {lines.data?.map((line) => (
          <Line key={line.id} line={line} provider={account.provider} />
        ))}
      </ul>
    </Dialog>
  );
}

function Line({ line, provider }: { line: ActivityLine; provider: string }) {
  const now = useNow();
  const { icon: Icon, tone } = looks[line.status];
  const kindKey = `kind.${line.job_type}`;
  const when = line.completed_at ?? line.started_at ?? line.created_at;
  const seconds =
    line.started_at && line.completed_at
      ? (Date.parse(line.completed_at) - Date.parse(line.started_at)) / 1000
      : null;
  return (
    <li className="flex items-start gap-3 py-2.5 text-sm">
      <Icon
        aria-hidden
        className={`mt-0.5 size-4 shrink-0 ${tone} ${line.status === 'RUNNING' ? 'lk-spin' : ''}`}
      />
      <div className="min-w-0 flex-1">
        <p>
          <span className="font-medium">{hasMessage(kindKey) ? t(kindKey) : line.job_type}</span>
          <span className={`ms-2 ${tone}`}>{t(`logStatus.${line.status}`)}</span>
        </p>
        {line.error_code && (
          <p className="text-muted">
            {problemWords(line.error_code, line.params, provider).title}{' '}
            <span className="font-mono text-2xs">{line.error_code}</span>
          </p>
        )}
      </div>
      <p className="tabular text-end whitespace-nowrap text-muted" title={fullTime(when)}>
        {ago(when, now)}
        {seconds !== null && (
          <span className="block text-2xs">
            {t('activity.duration', { seconds: Math.round(seconds * 10) / 10 })}
          </span>
        )}
      </p>
    </li>
  );
}
