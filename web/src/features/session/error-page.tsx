import { problemWords } from '@/shared/error-words';
import { hasMessage, t } from '@/shared/i18n/i18n';
import { PageTitle } from '@/shared/page-title';
import { buttonLook } from '@/shared/ui/button';
import { Reference } from '@/shared/ui/problem-notice';
import { QuietFrame } from './quiet-frame';
import type { SessionState } from './use-session';

export interface ErrorSearch {
  error?: string | undefined;
  ref?: string | undefined;
}

/** Where a browser ends when signing in or connecting failed. The address holds a code of a fixed set, never words. */
export function ErrorPage({ search, session }: { search: ErrorSearch; session: SessionState }) {
  const { error = 'internal', ref } = search;
  const known = hasMessage(`error.${error}.title`) ? error : 'internal';
  const words = problemWords(known);
  return (
    <QuietFrame title={words.title}>
      <PageTitle title={words.title} />
      <p className="text-center text-muted">{words.body}</p>
      <div className="mt-5 flex flex-col gap-2">
        {session.data?.user ? (
          <>
            <a href="/accounts" className={buttonLook({ look: 'primary', size: 'large' })}>
              {t('errorPage.accounts')}
            </a>
            <a href="/inbox" className={buttonLook({ size: 'large' })}>
              {t('errorPage.home')}
            </a>
          </>
        ) : (
          <a href="/login" className={buttonLook({ look: 'primary', size: 'large' })}>
            {t('errorPage.signIn')}
          </a>
        )}
      </div>
      <div className="flex justify-center">
        <Reference code={known} reference={ref && /^[\w-]{1,64}$/.test(ref) ? ref : null} />
      </div>
    </QuietFrame>
  );
}
