import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { CalendarDays, Mail } from 'lucide-react';
import type { ReactNode } from 'react';
import {
  auditQuery,
  startAudit,
  type Audit,
  type AuditCounts,
  type ConnectedAccount,
} from '@/shared/api/accounts';
import { problemWords, providerName } from '@/shared/error-words';
import { t } from '@/shared/i18n/i18n';
import { Rich } from '@/shared/i18n/rich';
import { fullTime, number } from '@/shared/lib/time';
import { Button } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { Notice } from '@/shared/ui/notice';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { Progress } from '@/shared/ui/progress';
import { Spinner } from '@/shared/ui/spinner';

/** Compares what the provider has with what is here, on request, and says honestly what is missing. */
export function AuditDialog({ account, onClose }: { account: ConnectedAccount; onClose: () => void }) {
  const queryClient = useQueryClient();
  const audit = useQuery(auditQuery(account.id));
  const run = useMutation({
    mutationFn: () => startAudit(account.id),
    onSuccess: (started) => queryClient.setQueryData(auditQuery(account.id).queryKey, started),
  });
  const provider = providerName(account.provider);
  const running = audit.data?.state === 'running';
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('audit.title')}
      description={<Rich k="audit.body" values={{ provider, email: <bdi>{account.email}</bdi> }} />}
    >
      {audit.isPending && <Spinner className="mx-auto my-6 size-5 text-muted" />}
      {audit.isError && <ProblemNotice error={audit.error} provider={account.provider} />}
      {audit.data && <Result audit={audit.data} provider={account.provider} />}
      {run.isError && <ProblemNotice className="mt-3" error={run.error} provider={account.provider} />}
      <div className="mt-5 flex justify-end gap-2">
        <Button look="quiet" onClick={onClose}>
          {t('common.close')}
        </Button>
        <Button
          look="primary"
          busy={run.isPending || running}
          disabled={audit.isPending}
          onClick={() => run.mutate()}
        >
          {t(running ? 'audit.running' : 'audit.run')}
        </Button>
      </div>
    </Dialog>
  );
}

function Result({ audit, provider }: { audit: Audit; provider: string }) {
  const asOf = audit.as_of ? fullTime(audit.as_of) : null;
  return (
    <div className="flex flex-col gap-3">
      <div role="status">
        {audit.state === 'never' && <p className="text-muted">{t('audit.never')}</p>}
        {audit.state === 'running' && (
          <>
            <p className="mb-2 text-muted">{t('audit.runningBody')}</p>
            <Progress label={t('audit.running')} value={null} />
          </>
        )}
        {audit.state === 'complete' && asOf && (
          <Notice tone="ok" title={t('audit.complete', { time: asOf })}>
            {t('audit.completeBody', { provider: providerName(provider) })}
          </Notice>
        )}
        {audit.state === 'incomplete' && asOf && (
          <Notice tone="warn" title={t('audit.incomplete', { time: asOf })}>
            {t('audit.incompleteBody')}
          </Notice>
        )}
        {audit.state === 'failed' && (
          <Notice tone="bad" title={t('audit.failed')}>
            {problemWords(audit.error_code ?? 'internal', {}, provider).title}
          </Notice>
        )}
      </div>
      {audit.state !== 'never' && (
        <>
          <Part
            icon={<Mail aria-hidden />}
            name={t('service.mail')}
            counts={audit.mail}
            provider={provider}
          />
          <Part
            icon={<CalendarDays aria-hidden />}
            name={t('service.calendar')}
            counts={audit.calendar}
            provider={provider}
          />
        </>
      )}
    </div>
  );
}

interface PartProps {
  icon: ReactNode;
  name: string;
  counts: AuditCounts | null;
  provider: string;
}

function Part({ icon, name, counts, provider }: PartProps) {
  if (!counts) return null;
  const lines = [
    [t('audit.provider', { provider: providerName(provider) }), counts.provider_count],
    [t('audit.stored'), counts.stored_count],
    [t('audit.fetched'), counts.fetched_count],
    [t('audit.surplus'), counts.surplus_count],
    [t('audit.missing'), counts.missing_count],
  ] as const;
  return (
    <section className="rounded-xl border border-line px-3.5 py-2.5">
      <h3 className="flex items-center gap-2 font-medium [&>svg]:size-4 [&>svg]:text-muted">
        {icon}
        {name}
      </h3>
      <dl className="mt-1 grid grid-cols-[1fr_auto] gap-x-4 gap-y-0.5 text-sm">
        {lines.map(([label, value]) => (
          <div key={label} className="contents">
            <dt className="text-muted">{label}</dt>
            <dd className="tabular text-end">{number(value)}</dd>
          </div>
        ))}
      </dl>
      {counts.missing.length > 0 && (
        <details className="mt-2 text-sm">
          <summary className="cursor-pointer">
            {t('audit.missingList', { count: counts.missing.length })}
          </summary>
          <ul className="thin-scroll mt-1 max-h-32 overflow-y-auto font-mono text-2xs break-all text-muted">
            {counts.missing.map((id) => (
              <li key={id}>{id}</li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}
