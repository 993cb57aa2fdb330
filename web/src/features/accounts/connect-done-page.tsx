import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect } from 'react';
import { connectAttemptQuery, type ConnectAttempt } from '@/shared/api/connect-attempts';
import { serviceNames } from '@/shared/account-status';
import { problemWords, providerName } from '@/shared/error-words';
import { t } from '@/shared/i18n/i18n';
import { Rich } from '@/shared/i18n/rich';
import { PageTitle } from '@/shared/page-title';
import { buttonLook } from '@/shared/ui/button';
import { Logo } from '@/shared/ui/logo';
import { Notice } from '@/shared/ui/notice';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { Spinner } from '@/shared/ui/spinner';
import { broadcastFinished } from '@/shared/connect-window';

/** Where the provider's window ends, with any outcome. It tells the page that waits, and closes itself. */
export function ConnectDonePage() {
  const { attempt: id } = useSearch({ from: '/connect/done' });
  const navigate = useNavigate();
  const attempt = useQuery({ ...connectAttemptQuery(id ?? ''), enabled: Boolean(id) });
  const outcome = attempt.data;
  const over = outcome !== undefined && outcome.status !== 'pending';

  useEffect(() => {
    if (id) broadcastFinished(id);
  }, [id]);

  useEffect(() => {
    if (!over) return;
    if (outcome.mode === 'popup') window.close();
    else if (outcome.status === 'succeeded' && !outcome.error_code)
      void navigate({ to: '/accounts', replace: true });
  }, [over, outcome, navigate]);

  return (
    <main className="flex min-h-full flex-col items-center justify-center px-4 py-10">
      <PageTitle title={t('connectDone.title')} />
      <div className="w-full max-w-md">
        <div className="mb-5 flex flex-col items-center gap-3">
          <Logo className="size-10" />
          <h1 className="text-xl font-semibold tracking-tight">{t('connectDone.title')}</h1>
        </div>
        {attempt.isError || !id ? (
          <ProblemNotice error={attempt.error} />
        ) : over ? (
          <Outcome attempt={outcome} />
        ) : (
          <p role="status" className="flex items-center justify-center gap-2 text-muted">
            <Spinner />
            {t('connectDone.working')}
          </p>
        )}
        {(over || attempt.isError || !id) && (
          <div className="mt-5 flex flex-col items-center gap-3 text-sm text-muted">
            {outcome?.mode === 'popup' && <p>{t('connectDone.close')}</p>}
            <Link
              to="/accounts"
              className={buttonLook({ look: outcome?.mode === 'popup' ? 'plain' : 'primary' })}
            >
              {t('connectDone.toAccounts')}
            </Link>
          </div>
        )}
      </div>
    </main>
  );
}

function Outcome({ attempt }: { attempt: ConnectAttempt }) {
  if (attempt.status === 'succeeded' && attempt.account) {
    const missing = attempt.account.missing_capabilities ?? [];
    return (
      <Notice
        tone={missing.length > 0 ? 'warn' : 'ok'}
        role="status"
        title={<Rich k="connect.success.title" values={{ email: <bdi>{attempt.account.email}</bdi> }} />}
      >
        {missing.length > 0
          ? t('connect.partial.body', {
              services: serviceNames(missing),
              provider: providerName(attempt.provider),
            })
          : t('connect.success.body')}
      </Notice>
    );
  }
  const words = problemWords(
    attempt.status === 'expired' ? 'state_expired' : (attempt.error_code ?? 'internal'),
    attempt.params,
    attempt.provider,
  );
  return (
    <Notice tone="warn" role="alert" title={words.title}>
      {words.body}
    </Notice>
  );
}
