import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { sessionQuery } from '@/shared/api/session';
import { t } from '@/shared/i18n/i18n';
import { localPath } from '@/shared/lib/local-path';
import { PageTitle } from '@/shared/page-title';
import { Button, buttonLook } from '@/shared/ui/button';
import { Notice } from '@/shared/ui/notice';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { Spinner } from '@/shared/ui/spinner';
import { QuietFrame } from './quiet-frame';

const slowAfter = 3_000;

/** Where signing in ends. The session is in a cookie already; this page only sees that it works and goes on. */
export function CallbackPage() {
  const { return_to: returnTo } = useSearch({ from: '/auth/callback' });
  const navigate = useNavigate();
  // Asked anew, whatever was known before the sign-in.
  const session = useQuery({ ...sessionQuery, staleTime: 0, refetchOnMount: 'always' });
  const [slow, setSlow] = useState(false);
  const signedIn = session.isFetchedAfterMount && Boolean(session.data?.user);

  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), slowAfter);
    return () => clearTimeout(timer);
  }, []);

  useEffect(() => {
    if (signedIn) void navigate({ href: localPath(returnTo, '/inbox'), replace: true });
  }, [signedIn, returnTo, navigate]);

  return (
    <QuietFrame title={t('callback.title')}>
      <PageTitle title={t('callback.title')} />
      {session.isError ? (
        <ProblemNotice
          error={session.error}
          actions={
            <Button size="small" busy={session.isFetching} onClick={() => void session.refetch()}>
              {t('common.retry')}
            </Button>
          }
        />
      ) : session.isFetchedAfterMount && !signedIn ? (
        <Notice
          tone="bad"
          role="alert"
          title={t('callback.noCookie')}
          actions={
            <Link to="/login" className={buttonLook({ size: 'small' })}>
              {t('errorPage.signIn')}
            </Link>
          }
        >
          {t('callback.noCookieBody')}
        </Notice>
      ) : (
        <div role="status" className="flex flex-col items-center gap-3 py-4 text-muted">
          <Spinner className="size-6" />
          <p>{t('callback.working')}</p>
          {slow && <p className="text-sm">{t('callback.slow')}</p>}
        </div>
      )}
    </QuietFrame>
  );
}
