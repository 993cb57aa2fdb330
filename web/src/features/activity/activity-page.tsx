import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import {
  CircleCheck,
  CircleDashed,
  CircleX,
  Clock,
  ListChecks,
  LoaderCircle,
  RotateCw,
  ShieldAlert,
} from 'lucide-react';
import { accountsQuery } from '@/shared/api/accounts';
import { cancelJob, jobsQuery, retryJob, type Job, type JobState } from '@/shared/api/operations';
import { problemFrom } from '@/shared/api/problem';
import { say } from '@/shared/announce';
import { problemWords } from '@/shared/error-words';
import { hasMessage, t } from '@/shared/i18n/i18n';
import { cn } from '@/shared/lib/cn';
import { ago, fullTime, useNow } from '@/shared/lib/time';
import { PageTitle } from '@/shared/page-title';
import { Button } from '@/shared/ui/button';
import { Empty } from '@/shared/ui/empty';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { Spinner } from '@/shared/ui/spinner';

const looks = {
  available: { icon: CircleDashed, tone: 'text-muted' },
  scheduled: { icon: Clock, tone: 'text-muted' },
  running: { icon: LoaderCircle, tone: 'text-accent' },
  retryable: { icon: RotateCw, tone: 'text-warn' },
  completed: { icon: CircleCheck, tone: 'text-ok' },
  cancelled: { icon: CircleX, tone: 'text-muted' },
  discarded: { icon: CircleX, tone: 'text-bad' },
} satisfies Record<JobState, { icon: typeof Clock; tone: string }>;

const states = Object.keys(looks) as JobState[];
const retryable: ReadonlySet<JobState> = new Set(['discarded', 'cancelled', 'retryable', 'scheduled']);
const cancellable: ReadonlySet<JobState> = new Set(['available', 'scheduled', 'retryable', 'running']);

interface ActivityPageProps {
  admin: boolean;
  state: string | undefined;
  onState: (state: JobState | undefined) => void;
}

export function ActivityPage({ admin, state, onState }: ActivityPageProps) {
  return (
    <main className="thin-scroll min-h-0 flex-1 overflow-y-auto">
      <PageTitle title={t('activity.title')} />
      <div className="mx-auto max-w-5xl px-4 py-6 md:py-9">
        <h1 className="text-xl font-semibold tracking-tight">{t('activity.title')}</h1>
        {admin ? (
          <>
            <p className="mt-1 text-muted">{t('activity.intro')}</p>
            <Jobs state={states.find((known) => known === state)} onState={onState} />
          </>
        ) : (
          <Empty icon={<ShieldAlert aria-hidden />} title={t('activity.adminOnly')}>
            {t('activity.adminOnlyBody')}
          </Empty>
        )}
      </div>
    </main>
  );
}

function Jobs({ state, onState }: { state: JobState | undefined; onState: ActivityPageProps['onState'] }) {
  const jobs = useQuery(jobsQuery(state));
  return (
    <>
      <div role="group" aria-label={t('activity.state')} className="mt-5 flex flex-wrap gap-1.5">
        {[undefined, ...states].map((choice) => (
          <button
            key={choice ?? 'all'}
            type="button"
            aria-pressed={choice === state}
            onClick={() => onState(choice)}
            className="min-h-8 rounded-full border border-line bg-surface px-3 text-sm text-muted hover:border-line-strong hover:text-ink aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:text-accent-soft-ink pointer-coarse:min-h-11"
          >
            {choice ? t(`jobState.${choice}`) : t('activity.all')}
          </button>
        ))}
      </div>
      {jobs.isPending && <Spinner className="mx-auto mt-10 size-6 text-muted" />}
      {jobs.isError && (
        <ProblemNotice
          className="mt-5"
          error={jobs.error}
          actions={
            <Button size="small" onClick={() => void jobs.refetch()}>
              {t('common.retry')}
            </Button>
          }
        />
      )}
      {jobs.data?.length === 0 && (
        <Empty icon={<ListChecks aria-hidden />} title={t('activity.none.title')}>
          {t('activity.none.body')}
        </Empty>
      )}
      {jobs.data && jobs.data.length > 0 && <JobTable jobs={jobs.data} />}
    </>
  );
}

function JobTable({ jobs }: { jobs: Job[] }) {
  return (
    <div
      role="region"
      aria-label={t('activity.title')}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a wide table scrolls inside its own region
      tabIndex={0}
      className="thin-scroll relative mt-4 overflow-x-auto rounded-2xl border border-line bg-surface shadow-card"
    >
      <table className="w-full min-w-160 text-start text-sm">
        <thead className="border-b border-line text-muted">
          <tr>
            {(['kind', 'state', 'account', 'attempt', 'when', 'error'] as const).map((column) => (
              <th key={column} scope="col" className="px-3.5 py-2.5 text-start font-medium">
                {t(`activity.${column}`)}
              </th>
            ))}
            <th scope="col" className="px-3.5 py-2.5">
              <span className="sr-only">{t('activity.actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {jobs.map((job) => (
            <JobRow key={job.id} job={job} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function JobRow({ job }: { job: Job }) {
  const now = useNow();
  const accounts = useQuery(accountsQuery);
  const account = accounts.data?.find((candidate) => candidate.id === job.account_id);
  const kindKey = `kind.${job.kind}`;
  const kind = hasMessage(kindKey) ? t(kindKey) : job.kind;
  const { icon: Icon, tone } = looks[job.state];
  const when = job.finished_at ?? job.started_at ?? job.scheduled_at;
  return (
    <tr className="align-top">
      <td className="px-3.5 py-2.5 font-medium">{kind}</td>
      <td className={cn('px-3.5 py-2.5 whitespace-nowrap', tone)}>
        <span className="inline-flex items-center gap-1.5">
          <Icon aria-hidden className={cn('size-4', job.state === 'running' && 'lk-spin')} />
          {t(`jobState.${job.state}`)}
        </span>
      </td>
      <td className="max-w-48 truncate px-3.5 py-2.5 text-muted">{account && <bdi>{account.email}</bdi>}</td>
      <td className="tabular px-3.5 py-2.5 whitespace-nowrap text-muted">
        {t('activity.attemptOf', { attempt: job.attempt, max: job.max_attempts })}
      </td>
      <td className="px-3.5 py-2.5 whitespace-nowrap text-muted" title={fullTime(when)}>
        {Date.parse(when) > now ? fullTime(when) : ago(when, now)}
      </td>
      <td className="px-3.5 py-2.5 font-mono text-xs">{job.error_code}</td>
      <td className="px-3.5 py-1.5">
        <JobActions job={job} kind={kind} />
      </td>
    </tr>
  );
}

function JobActions({ job, kind }: { job: Job; kind: string }) {
  const queryClient = useQueryClient();
  const settle = {
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['jobs'] }),
    onError: (error: Error) => say(problemWords(problemFrom(error).code).title, 'bad'),
  };
  const retry = useMutation({ mutationFn: () => retryJob(job.id), ...settle });
  const cancel = useMutation({ mutationFn: () => cancelJob(job.id), ...settle });
  return (
    <div className="flex justify-end gap-1.5">
      {retryable.has(job.state) && (
        <Button
          size="small"
          busy={retry.isPending}
          aria-label={t('activity.retryKind', { kind })}
          onClick={() => retry.mutate()}
        >
          {t('activity.retry')}
        </Button>
      )}
      {cancellable.has(job.state) && (
        <Button
          size="small"
          look="quiet"
          busy={cancel.isPending}
          aria-label={t('activity.cancelKind', { kind })}
          onClick={() => cancel.mutate()}
        >
          {t('activity.cancel')}
        </Button>
      )}
    </div>
  );
}
