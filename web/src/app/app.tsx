import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import '@/shared/i18n/main';
import { setUnauthenticatedHandler } from '@/shared/api/client';
import { sessionQuery } from '@/shared/api/session';
import { applyTheme, usePreferences } from '@/shared/preferences';
import { createQueryClient } from './query-client';
import { createAppRouter } from './router';

export function App() {
  const [queryClient] = useState(createQueryClient);
  const [router] = useState(() => createAppRouter(queryClient));
  const theme = usePreferences((state) => state.theme);

  useEffect(() => applyTheme(theme), [theme]);

  useEffect(() => {
    // The session ended while the page was open: ask once more who is here, and let the routes decide where to go.
    setUnauthenticatedHandler(() => {
      void queryClient.fetchQuery({ ...sessionQuery, staleTime: 0 }).then(
        (session) => void (session.user || router.invalidate()),
        () => undefined,
      );
    });
    return () => setUnauthenticatedHandler(() => {});
  }, [queryClient, router]);

  return (
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  );
}

export function start(root: HTMLElement) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
