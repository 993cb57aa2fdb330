import { StrictMode, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { ErrorPage } from '@/features/session/error-page';
import { LoginPage } from '@/features/session/login-page';
import { useSession } from '@/features/session/use-session';
import { localPath } from '@/shared/lib/local-path';
import { texts } from './search-params';

const loginPath = /^\/login\/?$/;

const searchOf = (address: URL) =>
  texts('error', 'ended', 'return_to', 'ref')(Object.fromEntries(address.searchParams));

/** The pages around signing in, as a first visit shows them: without router, query client and the words of the app. */
export function Outside({ address }: { address: URL }) {
  const session = useSession();
  const search = searchOf(address);
  const login = loginPath.test(address.pathname);
  const signedIn = Boolean(session.data?.user);

  useEffect(() => {
    if (login && signedIn) window.location.replace(localPath(search.return_to, '/inbox'));
  }, [login, signedIn, search.return_to]);

  if (!login) return <ErrorPage search={search} session={session} />;
  return (
    <LoginPage
      search={search}
      session={signedIn ? { ...session, data: undefined, isPending: true } : session}
    />
  );
}

export function start(root: HTMLElement) {
  createRoot(root).render(
    <StrictMode>
      <Outside address={new URL(window.location.href)} />
    </StrictMode>,
  );
}
