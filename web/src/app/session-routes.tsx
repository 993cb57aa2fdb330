import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { ErrorPage } from '@/features/session/error-page';
import { LoginPage } from '@/features/session/login-page';
import { sessionQuery } from '@/shared/api/session';

export function LoginRoute() {
  const search = useSearch({ from: '/login' });
  return <LoginPage search={search} session={useQuery(sessionQuery)} />;
}

export function ErrorRoute() {
  const search = useSearch({ from: '/auth/error' });
  return <ErrorPage search={search} session={useQuery(sessionQuery)} />;
}
