import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { sessionQuery } from '@/shared/api/session';
import { localPath } from '@/shared/lib/local-path';
import { loadTemporal } from '@/shared/lib/temporal';
import { FailedPage, NotFoundPage, PendingPage } from './fallback-pages';
import { Root } from './root';
import { texts } from './search-params';

interface Context {
  queryClient: QueryClient;
}

const root = createRootRouteWithContext<Context>()({
  component: Root,
  notFoundComponent: NotFoundPage,
});

const loginSearch = texts('error', 'ended', 'return_to');

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: loginSearch,
  beforeLoad: async ({ context, search }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery).catch(() => null);
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- how the router is told to go elsewhere
    if (session?.user) throw redirect({ href: localPath(search.return_to, '/inbox'), replace: true });
  },
  component: lazyRouteComponent(() => import('./session-routes'), 'LoginRoute'),
});

const callback = createRoute({
  getParentRoute: () => root,
  path: '/auth/callback',
  validateSearch: texts('status', 'return_to'),
  component: lazyRouteComponent(() => import('@/features/session/callback-page'), 'CallbackPage'),
});

const failed = createRoute({
  getParentRoute: () => root,
  path: '/auth/error',
  validateSearch: texts('error', 'ref'),
  component: lazyRouteComponent(() => import('./session-routes'), 'ErrorRoute'),
});

const connectDone = createRoute({
  getParentRoute: () => root,
  path: '/connect/done',
  validateSearch: texts('attempt'),
  component: lazyRouteComponent(() => import('@/features/accounts/connect-done-page'), 'ConnectDonePage'),
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  beforeLoad: async ({ context, location }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    if (!session.user) {
      const to = location.href === '/' || location.href === '/inbox' ? undefined : location.href;
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- how the router is told to go elsewhere
      throw redirect({
        to: '/login',
        search: { return_to: to, ended: session.end_reason ?? undefined },
        replace: true,
      });
    }
  },
  component: lazyRouteComponent(() => import('./signed-in'), 'SignedIn'),
});

const home = createRoute({
  getParentRoute: () => signedIn,
  path: '/',
  beforeLoad: () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- how the router is told to go elsewhere
    throw redirect({ to: '/inbox', replace: true });
  },
});

const inbox = createRoute({
  getParentRoute: () => signedIn,
  path: '/inbox',
  validateSearch: texts('account', 'folder', 'q', 'message'),
  component: lazyRouteComponent(() => import('./inbox-route'), 'InboxRoute'),
});

const calendar = createRoute({
  getParentRoute: () => signedIn,
  path: '/calendar',
  validateSearch: texts('view', 'date'),
  component: lazyRouteComponent(async () => {
    await loadTemporal();
    return import('./calendar-route');
  }, 'CalendarRoute'),
});

const accounts = createRoute({
  getParentRoute: () => signedIn,
  path: '/accounts',
  validateSearch: texts('admin_consent'),
  component: lazyRouteComponent(() => import('./accounts-route'), 'AccountsRoute'),
});

const connectConfirm = createRoute({
  getParentRoute: () => signedIn,
  path: '/connect/confirm',
  component: lazyRouteComponent(
    () => import('@/features/accounts/connect-confirm-page'),
    'ConnectConfirmPage',
  ),
});

const activity = createRoute({
  getParentRoute: () => signedIn,
  path: '/activity',
  validateSearch: texts('state'),
  component: lazyRouteComponent(() => import('./activity-route'), 'ActivityRoute'),
});

const settings = createRoute({
  getParentRoute: () => signedIn,
  path: '/settings',
  component: lazyRouteComponent(() => import('@/features/settings/settings-page'), 'SettingsPage'),
});

const tree = root.addChildren([
  login,
  callback,
  failed,
  connectDone,
  signedIn.addChildren([home, inbox, calendar, accounts, connectConfirm, activity, settings]),
]);

export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queryClient },
    defaultPreload: 'intent',
    defaultPendingComponent: PendingPage,
    defaultErrorComponent: FailedPage,
    defaultNotFoundComponent: NotFoundPage,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
