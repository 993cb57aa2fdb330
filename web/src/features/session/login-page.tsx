import { useEffect, useState } from 'react';
import type { ProviderInfo, Session } from '@/shared/api/session-request';
import { problemWords } from '@/shared/error-words';
import { hasMessage, t } from '@/shared/i18n/i18n';
import { localPath } from '@/shared/lib/local-path';
import { PageTitle } from '@/shared/page-title';
import { usePreferences } from '@/shared/preferences';
import { Button } from '@/shared/ui/button';
import { ProviderMark } from '@/shared/ui/logo';
import { Notice } from '@/shared/ui/notice';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { Spinner } from '@/shared/ui/spinner';
import { NotSetUp } from './not-set-up';
import { QuietFrame } from './quiet-frame';
import type { SessionState } from './use-session';

const patience = 10_000;

export interface LoginSearch {
  error?: string | undefined;
  ended?: string | undefined;
  return_to?: string | undefined;
}

/** Knows neither router nor query client, so that somebody who only comes to sign in does not load them. */
export function LoginPage({ search, session }: { search: LoginSearch; session: SessionState }) {
  const { error, ended, return_to: returnTo } = search;
  return (
    <QuietFrame
      title={t('login.heading')}
      footer={session.data?.providers.length ? t('login.scope') : undefined}
    >
      <PageTitle title={t('login.title')} />
      <div className="flex flex-col gap-3">
        <Banner error={error} ended={ended ?? session.data?.end_reason ?? undefined} />
        {session.isPending && (
          <p role="status" className="flex items-center justify-center gap-2 py-3 text-muted">
            <Spinner />
            {t('login.checking')}
          </p>
        )}
        {session.isError && (
          <ProblemNotice
            error={session.error}
            actions={
              <Button size="small" busy={session.isFetching} onClick={() => session.refetch()}>
                {t('common.retry')}
              </Button>
            }
          />
        )}
        {session.data && <Choices session={session.data} returnTo={localPath(returnTo, '/')} />}
      </div>
    </QuietFrame>
  );
}

function Banner({ error, ended }: { error?: string | undefined; ended?: string | undefined }) {
  if (error) {
    const words = problemWords(error);
    return (
      <Notice tone="bad" title={words.title}>
        {words.body}
      </Notice>
    );
  }
  if (ended === 'session_reuse') {
    const words = problemWords(ended);
    return (
      <Notice tone="bad" title={words.title}>
        {words.body}
      </Notice>
    );
  }
  const key = `login.ended.${ended ?? ''}`;
  return ended && hasMessage(key) ? <Notice tone="info">{t(key)}</Notice> : null;
}

function Choices({ session, returnTo }: { session: Session; returnTo: string }) {
  const providers = session.providers.filter((provider) => provider.sign_in);
  if (providers.length === 0) return <NotSetUp />;
  return (
    <>
      {session.setup.state === 'awaiting_administrator' &&
        (session.setup.bound_to_this_browser ? (
          <Notice tone="ok" title={t('login.setupBound')}>
            {t('login.setupBoundBody')}
          </Notice>
        ) : (
          <Notice tone="info" title={t('login.setupOpen')}>
            {t('login.setupOpenBody')}
          </Notice>
        ))}
      <ProviderButtons providers={providers} returnTo={returnTo} />
    </>
  );
}

function ProviderButtons({ providers, returnTo }: { providers: ProviderInfo[]; returnTo: string }) {
  const lastProvider = usePreferences((state) => state.lastProvider);
  const setLastProvider = usePreferences((state) => state.setLastProvider);
  const [going, setGoing] = useState<ProviderInfo | null>(null);
  const [late, setLate] = useState(false);

  useEffect(() => {
    if (!going) return;
    const timer = setTimeout(() => setLate(true), patience);
    // The back button may bring this page back as it was left.
    const revive = (event: PageTransitionEvent) => event.persisted && setGoing(null);
    window.addEventListener('pageshow', revive);
    return () => {
      clearTimeout(timer);
      window.removeEventListener('pageshow', revive);
    };
  }, [going]);

  const go = (provider: ProviderInfo) => {
    setLate(false);
    setGoing(provider);
    setLastProvider(provider.id);
    const query = returnTo === '/' ? '' : `?return_to=${encodeURIComponent(returnTo)}`;
    window.location.assign(`/auth/login/${provider.id}${query}`);
  };

  return (
    <>
      {providers.map((provider) => (
        <Button
          key={provider.id}
          size="row"
          busy={going?.id === provider.id && !late}
          disabled={going !== null && going.id !== provider.id && !late}
          onClick={() => go(provider)}
        >
          {!(going?.id === provider.id && !late) && <ProviderMark provider={provider.id} />}
          <span className="flex-1 text-start">
            {going?.id === provider.id && !late
              ? t('login.redirecting', { provider: provider.name })
              : t('login.continueWith', { provider: provider.name })}
          </span>
          {lastProvider === provider.id && providers.length > 1 && (
            <span className="rounded-full bg-accent-soft px-2 text-xs text-accent-soft-ink">
              {t('login.lastUsed')}
            </span>
          )}
        </Button>
      ))}
      {going && late && (
        <Notice
          tone="warn"
          role="status"
          title={t('login.stillWaiting', { provider: going.name })}
          actions={
            <Button size="small" onClick={() => go(going)}>
              {t('common.retry')}
            </Button>
          }
        >
          {t('login.stillWaitingBody')}
        </Notice>
      )}
    </>
  );
}
